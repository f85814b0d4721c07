"""Lists of photo files -> records: a CSV of path and name, or metadata.csv or metadata.jsonl in a folder."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lookalike.errors import SourceError
from lookalike.names import clean_name
from lookalike.sources.cells import ADDRESSES
from lookalike.sources.facts import facts_of
from lookalike.sources.folder import Photo, parts_of, photos_below
from lookalike.sources.records import NAME_COLUMNS, WHAT_TO_GIVE, Source, hidden, is_below, origin_of
from lookalike.sources.tables import Row, read_csv, read_json_lines

PATH_COLUMNS = ("path", "file", "file_name", "filename", "image", "photo")  # in order of preference
METADATA = ("metadata.csv", "metadata.jsonl")  # as `datasets` names them in a folder of photos
WEB_ADDRESS, MISSING = "a web address", "a missing file"
UNREADABLE = {
    WEB_ADDRESS: "addresses are not fetched, so download the photos and list their paths",
    MISSING: "paths count from the folder of the list",
}


def open_csv(file: Path) -> Source:
    """Open a CSV with a header, a column of paths relative to its folder, one of names, and optionally one
    called category and those of `Facts`. Raises SourceError where it is not like that, or no photo that it
    lists can be read.
    """
    header, rows = _read(file)
    if not rows or not _columns(header):
        raise SourceError(
            f"{file} needs a first line with a column for the photo ({', '.join(PATH_COLUMNS)}), one for the "
            f"name ({', '.join(NAME_COLUMNS)}), and lines below; it has: {', '.join(header) or 'nothing'}."
        )
    photos = list(_photos(file, file.name, header, rows))
    for fault, what_to_do in UNREADABLE.items():
        if all(photo.fault == fault for photo in photos):
            raise SourceError(f"No photo that {file} lists can be read, each is {fault}; {what_to_do}.")
    return Source(file.name, len(photos), parts_of(photos))


def open_metadata(root: Path) -> Source | None:
    """Open a folder of photos whose names are in METADATA; None where it has no such file with names.

    Photos that it does not list are records without a name. Raises SourceError where it cannot be read.
    """
    photos: list[Photo] = []
    files = [file for name in METADATA for file in root.rglob(name) if not hidden(file.relative_to(root))]
    for file in sorted(files):
        header, rows = _read(file)
        if _columns(header):
            listed = _photos(file, origin_of(root, file), header, rows)
            photos += [photo for photo in listed if is_below(file.parent, photo.path)]
    if not photos:
        return None
    paths = {photo.path for photo in photos}
    photos += [photo for photo in photos_below(root) if photo.path not in paths]
    return Source(root.resolve().name, len(photos), parts_of(photos))


def _read(file: Path) -> tuple[list[str], list[Row]]:
    try:
        return read_json_lines(file) if file.suffix == ".jsonl" else read_csv(file)
    except (OSError, csv.Error) as error:
        raise SourceError(f"{file} is not a CSV that can be read; {WHAT_TO_GIVE}.") from error


def _columns(header: Sequence[str]) -> tuple[str, str] | None:
    """Return the columns of paths and of names, None where one is missing."""
    path = next((column for column in PATH_COLUMNS if column in header), None)
    name = next((column for column in NAME_COLUMNS if column in header), None)
    return (path, name) if path and name else None


def _photos(file: Path, origin: str, header: Sequence[str], rows: Sequence[Row]) -> Iterator[Photo]:
    path, name = _columns(header) or ("", "")
    for number, row in enumerate(rows):
        cells = row.cells
        photo = _local(file.parent, cells[path])
        yield Photo(
            photo,
            f"{origin}#{number}",
            clean_name(cells[name]),
            clean_name(cells.get("category", "")) or None,
            row.fault or _fault(cells[path], photo),
            facts_of(cells),
        )


def _local(folder: Path, path: str) -> Path:
    """Return a path in a list, relative to its folder; Windows' separators are accepted everywhere."""
    # unlike Path.exists, os.path.exists is False for a path that is too long
    if "\\" in path and not os.path.exists(folder / path):
        path = path.replace("\\", "/")
    return folder / path


def _fault(path: str, photo: Path) -> str:
    if path.lower().startswith(ADDRESSES):
        return WEB_ADDRESS
    return "" if os.path.exists(photo) else MISSING
