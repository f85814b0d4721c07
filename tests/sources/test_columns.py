"""Which columns of a Parquet file are read, and what their cells mean."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Image, Value

from lookalike.errors import SourceError
from lookalike.sources.opening import Choice, Facts, open_source
from tests.support.source_files import photo, write_parquet


def names_in(path: Path, **choice: str) -> list[str]:
    return [record.name for record in open_source(str(path), Choice(**choice))]


def test_label_0_of_a_plain_column_of_numbers_is_a_person(tmp_path: Path):
    labels = pa.array([0, 1, None, -1], pa.int64())
    file = write_parquet(tmp_path / "a.parquet", image=[photo()] * 4, label=labels)
    assert names_in(file, label_column="label") == ["0", "1", "", ""]


def test_label_0_with_names_is_the_first_of_them(tmp_path: Path):
    features = Features({"image": Image(), "label": ClassLabel(names=["Ada", "Bo"])})
    cells = {"image": [{"bytes": photo(), "path": None}] * 3, "label": [0, 1, -1]}
    Dataset.from_dict(cells, features=features).to_parquet(tmp_path / "a.parquet")
    assert names_in(tmp_path / "a.parquet") == ["Ada", "Bo", ""]


def test_a_column_that_nobody_needs_may_have_any_type(tmp_path: Path):
    pairs = pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))
    file = write_parquet(tmp_path / "a.parquet", image=[photo()], name=["Ada"], pairs=pairs)
    assert names_in(file) == ["Ada"]
    with pytest.raises(
        SourceError, match=r"The column 'pairs' of .* holds a type that cannot be read, not a name"
    ):
        open_source(str(file), Choice(label_column="pairs"))


def test_a_feature_type_of_a_newer_datasets_does_not_hide_the_others(tmp_path: Path):
    features = Features({"image": Image(), "label": ClassLabel(names=["Ada"]), "scan": Value("int64")})
    row = {"image": [{"bytes": photo(), "path": None}], "label": [0], "scan": [1]}
    Dataset.from_dict(row, features=features).to_parquet(tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    note = json.loads(table.schema.metadata[b"huggingface"])
    note["info"]["features"]["scan"] = {"_type": "Hologram"}
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(note)}), tmp_path / "a.parquet")
    assert names_in(tmp_path / "a.parquet") == ["Ada"]


def test_categories_of_pandas_are_names(tmp_path: Path):
    names = pa.array(["Ada", "Bo", "Ada"]).dictionary_encode()
    file = write_parquet(tmp_path / "a.parquet", image=[photo()] * 3, name=names)
    assert names_in(file) == ["Ada", "Bo", "Ada"]


def test_a_name_in_a_struct_is_found_or_chosen(tmp_path: Path):
    about = [{"name": "Ada", "stage": "A."}, None]
    file = write_parquet(tmp_path / "a.parquet", image=[photo()] * 2, about=about)
    assert names_in(file) == ["Ada", ""]
    assert names_in(file, label_column="about.stage") == ["A.", ""]


def test_columns_of_facts_come_with_the_record(tmp_path: Path):
    features = Features(
        {"image": Image(), "name": Value("string"), "gender": ClassLabel(names=["man", "woman"])}
        | {"born": Value("int32"), "known_for": Value("string"), "native": Value("string")}
    )
    cells = {"image": [{"bytes": photo(), "path": None}] * 2, "name": ["Ada", "Bo"], "gender": [1, -1]}
    cells |= {"born": [1815, -43], "known_for": ["the first\tprogram", None], "native": [" ", None]}
    Dataset.from_dict(cells, features=features).to_parquet(tmp_path / "a.parquet")
    assert [record.facts for record in open_source(str(tmp_path / "a.parquet"))] == [
        Facts(gender="woman", born=1815, known_for="the first program"),
        Facts(born=-43),
    ]
