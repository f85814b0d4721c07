"""Photo files on disk -> records: a folder with one folder per celebrity, or a CSV of path and name."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from lookalike.errors import SourceError
from lookalike.names import clean_name
from lookalike.sources.records import (
    NAME_COLUMNS,
    PHOTO_SUFFIXES,
    PHOTOS_PER_PART,
    WHAT_TO_GIVE,
    Part,
    Record,
    Source,
    hidden,
    origin_of,
    read_photo,
)

PATH_COLUMNS = ("path", "file", "file_name", "image")  # in order of preference


def open_folders(root: Path) -> Source:
    """Open a folder in which each folder with photos is named after a celebrity, at any depth.

    `stars/Hollywood/Ada Lovelace/1.jpg` is of Ada Lovelace in the category Hollywood, `stars/Ada
    Lovelace/1.jpg` in none. Folders inside a celebrity's folder are ignored. Raises SourceError where there
    are no photos.
    """
    photos = [photo for folder in _folders(root) for photo in _people(root, folder)]
    if not photos:
        raise SourceError(f"The folder {root} holds no folders with photos; {WHAT_TO_GIVE}.")
    return Source(root.resolve().name, len(photos), _parts(photos))


_Photo = tuple[Path, str, str, str | None]  # file, origin, name, category


def _people(root: Path, folder: Path) -> Iterator[_Photo]:
    """Yield the photos in a folder, or where it has none, those in the folders below."""
    photos = [file for file in sorted(folder.iterdir()) if _is_photo(file)]
    category = clean_name(folder.parent.name) or None if folder.parent != root else None
    for photo in photos:
        yield photo, origin_of(root, photo), clean_name(folder.name), category
    if not photos:
        for below in _folders(folder):
            yield from _people(root, below)


def _folders(root: Path) -> list[Path]:
    return [path for path in sorted(root.iterdir()) if path.is_dir() and not hidden(Path(path.name))]


def _is_photo(file: Path) -> bool:
    return file.suffix.lower() in PHOTO_SUFFIXES and not hidden(Path(file.name)) and file.is_file()


def open_csv(file: Path) -> Source:
    """Open a CSV with a header, a column of paths relative to its folder, one of names, and optionally one
    called category. Raises SourceError where it is not like that.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{file} is not a CSV in UTF-8 that can be read; {WHAT_TO_GIVE}.") from error
    header = list(rows[0]) if rows else []
    path, name = _column(header, PATH_COLUMNS), _column(header, NAME_COLUMNS)
    if path is None or name is None:
        raise SourceError(
            f"{file} needs a first line with a column for the photo ({', '.join(PATH_COLUMNS)}), one for the "
            f"name ({', '.join(NAME_COLUMNS)}), and lines below; it has: {', '.join(header) or 'nothing'}."
        )
    category = _column(header, ("category",))
    photos = [
        (
            file.parent / (row[path] or ""),
            f"{file.name}#{number}",
            clean_name(row[name] or ""),
            (row[category] or None) if category else None,
        )
        for number, row in enumerate(rows)
    ]
    return Source(file.name, len(photos), _parts(photos))


def _column(header: Sequence[str], known: Sequence[str]) -> str | None:
    lowered = {str(column).strip().lower(): column for column in header}
    return next((lowered[word] for word in known if word in lowered), None)


def _parts(photos: Sequence[_Photo]) -> tuple[Part, ...]:
    photos = [
        (photo[0].absolute(), *photo[1:]) for photo in photos
    ]  # the working directory may differ when a part is read
    starts = range(0, len(photos), PHOTOS_PER_PART)
    return tuple(Part(partial(_read, photos[start : start + PHOTOS_PER_PART])) for start in starts)


def _read(photos: Sequence[_Photo]) -> Iterator[Record]:
    for path, origin, name, category in photos:
        yield Record(read_photo(path), name, origin, category, path.name)
