"""IMDB-WIKI's MATLAB files -> records, Rothe et al. 2018 (https://doi.org/10.1007/s11263-016-0940-3).

`imdb.mat` and `wiki.mat` hold one struct, called `imdb` or `wiki`, whose fields have an entry for each photo.
A row that the dataset itself marks as faulty becomes a record with that fault, so that it is counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.errors import SourceError
from lookalike.names import clean_name
from lookalike.sources.records import (
    PHOTOS_PER_PART,
    WHAT_TO_GIVE,
    Part,
    Record,
    Source,
    is_below,
    read_photo,
)

NAMES = ("imdb", "wiki")
FIELDS = (
    "dob",
    "photo_taken",
    "full_path",
    "gender",
    "name",
    "face_location",
    "face_score",
    "second_face_score",
)
GENDERS = {0.0: "female", 1.0: "male"}
DAYS_BEFORE_PYTHON = 366  # MATLAB counts days from the year 0, Python from the year 1
OLDEST = 110  # years; a greater age means a wrong date


def open_mat(path: Path) -> Source:
    """Open `imdb.mat` or `wiki.mat`; `full_path` is relative to its folder. Raises SourceError."""
    from scipy.io import loadmat  # takes half a second to import

    try:
        content = loadmat(path, squeeze_me=True, struct_as_record=False)
        struct = next(content[name] for name in NAMES if name in content)
        fields = {name: np.atleast_1d(getattr(struct, name)) for name in FIELDS}
    except Exception as error:  # scipy raises many kinds on broken files
        raise SourceError(
            f"{path} is not a file of IMDB-WIKI: a struct 'imdb' or 'wiki' with {', '.join(FIELDS)}; "
            f"{WHAT_TO_GIVE}."
        ) from error
    count = len(fields["full_path"])
    if count == 1:  # `squeeze_me` made its location four numbers
        fields["face_location"] = fields["face_location"][None]
    if any(len(values) != count for values in fields.values()) or not count:
        raise SourceError(f"{path} has fields of different lengths, or empty ones; fetch it again.")
    starts = range(0, count, PHOTOS_PER_PART)
    parts = [partial(_read, path.absolute(), _rows(fields, start), start) for start in starts]
    return Source(path.name, count, tuple(Part(part) for part in parts))


def _rows(fields: dict[str, Any], start: int) -> dict[str, Any]:
    """Return the fields of one part's rows: only these are sent to another machine."""
    return {name: values[start : start + PHOTOS_PER_PART] for name, values in fields.items()}


def _read(path: Path, fields: dict[str, Any], start: int) -> Iterator[Record]:
    for number, location in enumerate(fields["face_location"]):
        row = {name: fields[name][number] for name in FIELDS if name != "face_location"}
        yield _record(path, start + number, row, location)


def _record(path: Path, number: int, row: dict[str, Any], location: Any) -> Record:
    age = _age(row["dob"], row["photo_taken"])
    file = path.parent / str(row["full_path"])
    fault = _fault(_number(row["face_score"]), _number(row["second_face_score"]), age)
    if not is_below(path.parent, file):
        fault = "a path outside the folder"
    # archives called *_crop hold cropped faces, but the locations are those in the whole photos
    cropped = path.resolve().parent.name.endswith("_crop")
    name = row["name"] if isinstance(row["name"], str) else ""
    return Record(
        image=b"" if fault else read_photo(file),
        name=clean_name(name),
        origin=f"{path.name}#{number}",
        file=file.name,
        box=None if cropped else _box(location),
        age=age,
        gender=GENDERS.get(_number(row["gender"])),
        fault=fault,
        numbers=tuple(
            (column, _number(row[column]))
            for column in ("face_score", "second_face_score", "photo_taken")
            if math.isfinite(_number(row[column]))
        ),
    )


def _fault(score: float, second: float, age: int | None) -> str:
    """Return why a row is faulty: no face or a second face was found, or its dates are impossible."""
    if not math.isfinite(score):
        return "no face by the source"
    if math.isfinite(second):
        return "several faces by the source"
    return "impossible dates" if age is None else ""


def _age(born: Any, taken: Any) -> int | None:
    """Return the age in years in the middle of the year in which the photo was taken; None if impossible."""
    try:
        birthday = date.fromordinal(int(born) - DAYS_BEFORE_PYTHON)
    except (ValueError, OverflowError, TypeError):
        return None
    age = int(_number(taken)) - birthday.year - (birthday.month > 6) if math.isfinite(_number(taken)) else -1
    return age if 0 <= age <= OLDEST else None


def _box(location: Any) -> tuple[float, float, float, float] | None:
    """Return (x, y, width, height), counted from 0, for MATLAB's left, top, right, bottom, counted from 1."""
    corners = np.asarray(location, np.float64).ravel()
    if corners.shape != (4,) or not np.isfinite(corners).all():
        return None
    left, top, right, bottom = (float(value) for value in corners)
    return (left - 1, top - 1, right - left, bottom - top) if right > left and bottom > top else None


def _number(value: Any) -> float:
    """Return a cell as a number, NaN where it is empty or something else."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
