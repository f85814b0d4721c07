"""A folder with one folder per celebrity -> records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lookalike.errors import SourceError
from lookalike.names import clean_name
from lookalike.sources.photo_files import is_photo_file
from lookalike.sources.records import (
    PHOTOS_PER_PART,
    SPLITS,
    WHAT_TO_GIVE,
    Facts,
    Part,
    Record,
    Source,
    hidden,
    origin_of,
    read_photo,
)

NOT_A_PHOTO = "not a photo file"
TOO_DEEP = "in a folder inside a celebrity's folder"


@dataclass(frozen=True)
class Photo:
    """A file that becomes a record; one with a `fault` is not read."""

    path: Path
    origin: str
    name: str
    category: str | None = None
    fault: str = ""
    facts: Facts | None = None


def open_folders(root: Path) -> Source:
    """Open a folder in which each folder with photos is named after a celebrity, at any depth.

    `stars/Hollywood/Ada Lovelace/1.jpg` is of Ada Lovelace in the category Hollywood, `stars/Ada
    Lovelace/1.jpg` in none. What is not read, such as folders inside a celebrity's folder, becomes records
    with a fault or without a name, so that it is counted. Raises SourceError where there are no photos.
    """
    photos = [photo for folder in _folders(root) for photo in _people(root, folder)]
    if all(photo.fault for photo in photos):
        raise SourceError(f"The folder {root} holds no folders with photos; {WHAT_TO_GIVE}.")
    loose = [
        Photo(file, origin_of(root, file), "", fault="" if is_photo_file(file) else NOT_A_PHOTO)
        for file in _files(root)
    ]
    return Source(root.resolve().name, len(loose) + len(photos), parts_of([*loose, *photos]))


def photos_below(root: Path) -> Iterator[Photo]:
    """Yield all photos in a folder and the folders below, without names."""
    for file in sorted(root.rglob("*")):
        if not hidden(file.relative_to(root)) and is_photo_file(file):
            yield Photo(file, origin_of(root, file), "")


def parts_of(photos: Sequence[Photo]) -> tuple[Part, ...]:
    """Return the parts of a source of these files."""
    # the working directory may differ when a part is read
    photos = [replace(photo, path=photo.path.absolute()) for photo in photos]
    starts = range(0, len(photos), PHOTOS_PER_PART)
    return tuple(Part(partial(_read, photos[start : start + PHOTOS_PER_PART])) for start in starts)


def _people(root: Path, folder: Path) -> Iterator[Photo]:
    """Yield the photos in a folder, or where it has none, those in the folders below; then other files."""
    files = _files(folder)
    photos = [file for file in files if is_photo_file(file)]
    is_split = folder.parent.parent == root and folder.parent.name.lower() in SPLITS
    category = clean_name(folder.parent.name) or None if folder.parent != root and not is_split else None
    name = clean_name(folder.name) if photos else ""
    for file in photos:
        yield Photo(file, origin_of(root, file), name, category)
    for below in _folders(folder):
        yield from _ignored(root, below, name) if photos else _people(root, below)
    for file in sorted({*files} - {*photos}):
        yield Photo(file, origin_of(root, file), name, fault=NOT_A_PHOTO)


def _ignored(root: Path, folder: Path, name: str) -> Iterator[Photo]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not hidden(file.relative_to(root)):
            yield Photo(file, origin_of(root, file), name, fault=TOO_DEEP)


def _folders(root: Path) -> list[Path]:
    return [path for path in sorted(root.iterdir()) if path.is_dir() and not hidden(Path(path.name))]


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_file() and not hidden(Path(path.name))]


def _read(photos: Sequence[Photo]) -> Iterator[Record]:
    for photo in photos:
        image = b"" if photo.fault else read_photo(photo.path)
        yield Record(
            image,
            photo.name,
            photo.origin,
            photo.category,
            photo.path.name,
            fault=photo.fault,
            facts=photo.facts,
        )
