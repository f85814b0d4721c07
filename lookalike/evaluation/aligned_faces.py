"""The table of aligned faces that networks are trained and evaluated on.

One Parquet file (or a folder of them) with the columns `image` (encoded 112x112 RGB, aligned to ArcFace's
five-point template), `name` (empty where unknown), `source`, `file` and `teacher` (the teacher's embedding),
and maybe `group` (labels such as "race=Asian gender=F age=28") and `train` (false: never to train or tune
on). `python -m lookalike.training prepare` makes one from any source of celebrity photos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.errors import MissingFileError, SourceError
from lookalike.evaluation.splits import Side, Split

COLUMNS = ("image", "name", "source", "file", "teacher")
ADULT = 18  # years


@dataclass(frozen=True)
class AlignedFaces:
    """Aligned faces in memory, with one entry per photo in every field.

    `images` is (n, 112, 112, 3) uint8 RGB; `teacher` is (n, d) float32 rows of unit length; `groups` are the
    labels of each photo, "" where there are none.
    """

    images: NDArray[np.uint8]
    names: tuple[str, ...]
    sources: tuple[str, ...]
    files: tuple[str, ...]
    teacher: NDArray[np.float32]
    groups: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


def read_faces(paths: Path | Sequence[Path], split: Split, *sides: Side) -> AlignedFaces:
    """Read the faces of one or several tables that `split` puts on one of `sides`.

    Rows with a false `train` are on no side. Raises MissingFileError for a table that is not there, and
    SourceError where it lacks a column or no face is on these sides.
    """
    tables = [read_table(path) for path in ([paths] if isinstance(paths, Path) else paths)]
    table = pa.concat_tables(tables)
    columns = {column: table[column].to_pylist() for column in table.column_names if column != "image"}
    photos = zip(columns["source"], columns["name"], columns["file"], columns["train"], strict=True)
    rows = [row for row, (*photo, train) in enumerate(photos) if train and split.side(*photo) in sides]
    if not rows:
        raise SourceError(f"There are no faces for {', '.join(sides)} in {paths}.")
    teacher = np.asarray([columns["teacher"][row] for row in rows], np.float32)
    return AlignedFaces(
        images=np.stack([_decode(table["image"][row].as_py()) for row in rows]),
        names=tuple(columns["name"][row] for row in rows),
        sources=tuple(columns["source"][row] for row in rows),
        files=tuple(columns["file"][row] for row in rows),
        teacher=teacher / np.linalg.norm(teacher, axis=1, keepdims=True),
        groups=tuple(columns["group"][row] for row in rows),
    )


def labels_of(group: str) -> dict[str, str]:
    """Return the labels of a `group` text: "race=Asian age=28" -> {"race": "Asian", "age": "28"}; what is no
    label has the key "".
    """
    parts = [part.partition("=") for part in group.split()]
    labels = {key: value for key, equals, value in parts if equals}
    rest = " ".join(key for key, equals, _ in parts if not equals)
    return labels | ({"": rest} if rest else {})


def is_adult(labels: Mapping[str, str]) -> bool:
    """Return whether a face is not known to be a child's."""
    return not float(labels.get("age", "nan")) < ADULT


def cell_of(labels: Mapping[str, str], source: str) -> tuple[str, ...]:
    """Return the group that a face stands for in a balanced cohort: race and gender, or else its source."""
    race = labels.get("race", "").lower()
    return ({"caucasian": "white"}.get(race, race), labels.get("gender", "")) if race else (source,)


def is_aligned_table(path: Path) -> bool:
    """Return whether this is a Parquet file (or a folder of them) with the columns of aligned faces."""
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    try:
        return bool(files) and set(COLUMNS) <= set(pq.read_schema(files[0]).names)
    except (OSError, pa.ArrowException):
        return False


def read_table(path: Path) -> pa.Table:
    """Return a table with COLUMNS, `group` ("" where missing) and `train` (true where missing).

    Raises MissingFileError and SourceError.
    """
    if not path.exists():
        raise MissingFileError(f"There is no table of aligned faces at {path}.")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"{path} is not a Parquet file that can be read; write it again with "
            "`python -m lookalike.training prepare`."
        ) from error
    if missing := set(COLUMNS) - set(table.column_names):
        raise SourceError(
            f"{path} is no table of aligned faces: it lacks {', '.join(sorted(missing))}; "
            "make one with `python -m lookalike.training prepare`."
        )
    count = len(table)
    groups = table["group"].to_pylist() if "group" in table.column_names else [""] * count
    trains = table["train"].to_pylist() if "train" in table.column_names else [True] * count
    columns = {
        "image": table["image"].cast(pa.binary()),
        "teacher": table["teacher"].cast(pa.list_(pa.float32())),
        "group": pa.array([group or "" for group in groups], pa.string()),
        "train": pa.array([train is not False for train in trains]),
    } | {name: table[name].cast(pa.string()).fill_null("") for name in ("name", "source", "file")}
    return pa.table({name: columns[name] for name in sorted(columns)})


def names_of(path: Path) -> list[str]:
    """Return the name of every face in the table, empty if unknown."""
    return list(pq.read_table(path, columns=["name"])["name"].to_pylist())


def _decode(data: bytes) -> NDArray[np.uint8]:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None or bgr.shape[:2] != (112, 112):
        raise SourceError(
            "A face in the table is not an image of 112x112 pixels; write the table again with `prepare`."
        )
    return np.asarray(bgr[:, :, ::-1], np.uint8)
