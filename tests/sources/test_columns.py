"""Which columns of a Parquet file are read, and what their cells mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
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


def noted(path: Path, note: object, **columns: Sequence[object] | pa.Array) -> Path:
    """Write a Parquet file of these columns with any note where `datasets` has its own."""
    text = note if isinstance(note, str) else json.dumps(note)
    pq.write_table(pa.table(columns).replace_schema_metadata({"huggingface": text}), path)
    return path


@pytest.mark.parametrize(
    "note", ["[]", "{", {"info": {"features": 3}}, {"info": {"features": ["name"]}}, "[" * 9999]
)
def test_a_malformed_note_of_datasets_is_ignored(tmp_path: Path, note: object):
    assert names_in(noted(tmp_path / "a.parquet", note, image=[photo()], name=["Ada"])) == ["Ada"]


@pytest.mark.parametrize(
    ("column", "kind", "cell"),
    [
        ("name", {"_type": "ClassLabel", "names": ["Bo"]}, "Ada"),
        ("category", {"_type": "Value", "dtype": "string"}, {"no": "text"}),
        ("height", {"_type": "Value", "dtype": "int64"}, "tall"),
    ],
)
def test_a_note_that_does_not_fit_a_columns_cells_is_ignored(
    tmp_path: Path, column: str, kind: dict[str, object], cell: object
):
    cells = {"image": [photo()], "name": ["Ada"], column: [cell]}
    file = noted(tmp_path / "a.parquet", {"info": {"features": {column: kind}}}, **cells)
    assert [(record.name, record.category) for record in open_source(str(file))] == [("Ada", None)]


def test_numbers_that_are_noted_as_photos_are_refused(tmp_path: Path):
    note = {"info": {"features": {"image": {"_type": "Image"}}}}
    file = noted(tmp_path / "a.parquet", note, image=[10**14], name=["Ada"])  # so many bytes would be made
    with pytest.raises(SourceError, match="has no column of photos"):
        open_source(str(file))


def test_a_path_that_is_no_text_is_no_path(tmp_path: Path):
    file = write_parquet(tmp_path / "a.parquet", image=[{"bytes": photo(), "path": 5}], name=["Ada"])
    assert [(record.name, record.file) for record in open_source(str(file))] == [("Ada", "")]


def test_a_category_has_no_control_characters(tmp_path: Path):
    file = write_parquet(tmp_path / "a.parquet", image=[photo()], name=["Ada"], category=["\x1b[2Jfilm\n"])
    assert [record.category for record in open_source(str(file))] == ["[2Jfilm"]


def test_text_that_is_not_utf_8_is_one_sentence(tmp_path: Path):
    names = pa.array([b"Ada", b"\xff"]).view(pa.string())
    file = write_parquet(tmp_path / "a.parquet", image=[photo()] * 2, name=names)
    with pytest.raises(SourceError, match="breaks off after 0 records; fetch or write it again"):
        names_in(file)


def test_control_characters_in_a_columns_name_are_escaped_in_an_error(tmp_path: Path):
    file = write_parquet(tmp_path / "a.parquet", image=[photo()], **{"\x1b[2Jwho\x9b": ["Ada"]})
    with pytest.raises(SourceError) as raised:
        names_in(file)
    assert str(raised.value).endswith(r"It has: image, \x1b[2Jwho\x9b.")
