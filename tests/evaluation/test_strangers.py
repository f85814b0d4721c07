"""Photos of strangers for a gallery's cohort."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lookalike.errors import SourceError
from lookalike.evaluation.splits import Split
from lookalike.evaluation.strangers import PER_CELL, write_strangers

ALL_IN_COHORT = Split((), (), drawn=(("street", (("cohort", 1.0),)),))
NOBODY = dataclasses.replace(ALL_IN_COHORT, drawn=())


def write_table(path: Path, rows: list[tuple[str, str]]) -> Path:
    columns = [
        {
            "image": f"photo {number}".encode(),
            "name": name,
            "source": "street",
            "file": f"{number}.webp",
            "teacher": [1.0, 0.0],
            "group": group,
        }
        for number, (name, group) in enumerate(rows)
    ]
    pq.write_table(pa.Table.from_pylist(columns), path)
    return path


def test_strangers_are_unnamed_adults_of_every_group_in_equal_numbers(tmp_path: Path):
    many = [("", "race=White gender=F age=30")] * (PER_CELL + 50)
    few = [("", "race=Asian gender=M age=20")] * 3
    not_strangers = [("Ada", "race=Asian gender=M age=20"), ("", "race=White gender=F age=9")]
    table = write_table(tmp_path / "faces.parquet", [*many, *few, *not_strangers])
    assert write_strangers([table], ALL_IN_COHORT, tmp_path / "strangers.parquet") == PER_CELL + 3
    rows = pq.read_table(tmp_path / "strangers.parquet").to_pylist()
    photos = {row["image"]["bytes"] for row in rows}
    assert len(photos) == len({row["name"] for row in rows}) == PER_CELL + 3
    assert {f"photo {len(many) + number}".encode() for number in range(3)} <= photos


def test_nobody_on_the_side_of_the_cohort_is_an_error(tmp_path: Path):
    table = write_table(tmp_path / "faces.parquet", [("", "race=White gender=F age=30")])
    with pytest.raises(SourceError, match="no unnamed adults"):
        write_strangers([table], NOBODY, tmp_path / "strangers.parquet")
    assert not (tmp_path / "strangers.parquet").exists()
