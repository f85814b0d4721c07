"""Cells of a table that hold photos: what their types can be, and their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from lookalike.errors import SourceError
from lookalike.sources.photo_files import photo_in_text
from lookalike.sources.records import SPLITS, read_photo

Kind = Literal["photo", "text", "class", "number", "other"]
TEXTS = ("string", "large_string")
BYTES = ("binary", "large_binary")
ADDRESSES = ("http://", "https://", "ftp://", "s3://", "gs://")


def kind_of(feature: Any) -> Kind:
    """Return what a column of this feature of `datasets` can hold.

    "photo" is encoded images: by its type, as bytes, or as a struct with bytes.
    """
    from datasets import ClassLabel, Image, Value  # takes a second to import

    if isinstance(feature, Image) or (isinstance(feature, dict) and _is_bytes(feature.get("bytes"))):
        return "photo"
    if isinstance(feature, ClassLabel):
        return "class"
    if not isinstance(feature, Value):
        return "other"
    if feature.dtype in BYTES:
        return "photo"
    if feature.dtype in TEXTS:
        return "text"
    return "number" if feature.dtype.startswith(("int", "uint", "float")) else "other"


def _is_bytes(feature: Any) -> bool:
    return getattr(feature, "dtype", "") in BYTES


def describe(feature: Any) -> str:
    """Return in words what a column holds."""
    from datasets import LargeList, List

    if feature is None:
        return "a type that cannot be read"
    if isinstance(feature, dict):
        return f"structs of {', '.join(feature)}"
    if isinstance(feature, List | LargeList | list):
        return "lists"
    return str(getattr(feature, "dtype", type(feature).__name__))


def photo_in(cell: Any, places: tuple[str, ...] = ()) -> bytes:
    """Return a cell's photo, empty where it has none.

    A path is opened only below `places`, where the files of this very dataset are: its author writes the
    path, and may be anybody. Web addresses are never fetched.
    """
    if isinstance(cell, str):
        return photo_in_text(cell)
    if not isinstance(cell, Mapping):
        return bytes(cell or b"")
    path = path_in(cell)
    if cell.get("bytes") is None and _is_below(path, places):
        return _open(path)
    return bytes(cell.get("bytes") or b"")


def path_in(cell: Any) -> str:
    """Return the path that a cell gives beside or instead of the photo's bytes, empty where it gives none."""
    path = cell.get("path") if isinstance(cell, Mapping) else None
    return path if isinstance(path, str) else ""


def check_photo(cell: Any, column: str, source: str, places: tuple[str, ...] = ()) -> None:
    """Raise SourceError if a cell holds an address, a path that is not opened, or other text."""
    if isinstance(cell, Mapping):
        path = path_in(cell)
        text = "" if cell.get("bytes") is not None or _is_below(path, places) else path
    else:
        text = cell if isinstance(cell, str) and not photo_in_text(cell) else ""
    if not text:
        return
    if text.lower().startswith(ADDRESSES):
        raise SourceError(
            f"The column '{column}' of {source} holds web addresses, which are not fetched; download the "
            "photos, and give their folder or a CSV of path and name."
        )
    raise SourceError(
        f"The column '{column}' of {source} holds paths or other text, and paths in a table are not opened; "
        "give the folder of the photos, or a CSV of path and name beside them."
    )


def folder_of(cell: Any, places: tuple[str, ...]) -> str:
    """Return the name of the folder that a photo is in, empty where that is a split or the dataset itself."""
    inside, _, archive = path_in(cell).partition("::")
    inside = inside.partition("://")[2] if archive else inside
    for place in places:
        inside = inside.removeprefix(place)
    folders = PurePosixPath(inside.replace("\\", "/")).parts[:-1]
    return "" if not folders or (len(folders) == 1 and folders[0].lower() in SPLITS) else folders[-1]


def _is_below(path: str, places: tuple[str, ...]) -> bool:
    file = path.rpartition("::")[2]  # as in zip://1.jpg::hf://datasets/owner/name/photos.zip
    return file.startswith(places) and ".." not in path.replace("\\", "/").split("/")


def _open(path: str) -> bytes:
    if "://" not in path:
        return read_photo(Path(path))
    import fsspec

    try:
        with fsspec.open(path, "rb") as file:
            return bytes(file.read())
    except FileNotFoundError:  # listed in the metadata, and missing
        return b""
