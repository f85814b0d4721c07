"""Find the columns of a dataset that hold the photo and the name, by their feature types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.errors import SourceError
from lookalike.sources.records import NAME_COLUMNS, Choice


@dataclass(frozen=True)
class Columns:
    """The columns of a source to read.

    `names` are those of the ClassLabel, None where the label column holds text. `numbers` are all other
    columns of numbers.
    """

    image: str
    label: str
    names: tuple[str, ...] | None
    category: str | None
    numbers: tuple[str, ...] = ()

    @property
    def used(self) -> list[str]:
        """All columns to read."""
        return [self.image, self.label, *([self.category] if self.category else []), *self.numbers]

    def image_of(self, row: Mapping[str, Any]) -> bytes:
        """Return the encoded image, empty where there is none."""
        return _image_bytes(row[self.image])

    def file_of(self, row: Mapping[str, Any]) -> str:
        """Return the file name of the image, empty where the source has none."""
        cell = row[self.image]
        return (cell.get("path") or "").rpartition("/")[2] if isinstance(cell, dict) else ""

    def label_of(self, row: Mapping[str, Any]) -> str:
        """Return the name in the source's spelling, empty where there is none."""
        label = row[self.label]
        if self.names is None or label is None:
            return str(label or "")
        return self.names[int(label)] if 0 <= int(label) < len(self.names) else ""  # -1 means "no label"

    def category_of(self, row: Mapping[str, Any]) -> str | None:
        """Return the category, None where there is none."""
        return (row[self.category] or None) if self.category else None

    def numbers_of(self, row: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        """Return (column, value) for each of `numbers` that the row has."""
        return tuple((name, float(row[name])) for name in self.numbers if row[name] is not None)


def find_columns(features: Mapping[str, Any], source: str, choice: Choice) -> Columns:
    """Return the columns to use of these `datasets.Features`: those in `choice`, the others by their types.

    Raises SourceError where the column of photos or of names is missing.
    """
    from datasets import ClassLabel  # takes a second to import

    there = f"It has: {', '.join(features) or 'no columns'}."
    for chosen in (choice.image_column, choice.label_column):
        if chosen and chosen not in features:
            raise SourceError(f"{source} has no column '{chosen}'. {there}")
    texts = [
        name for name, kind in features.items() if getattr(kind, "dtype", "") in ("string", "large_string")
    ]
    classes = [name for name, kind in features.items() if isinstance(kind, ClassLabel)]
    image = choice.image_column or next((name for name, kind in features.items() if _is_image(kind)), None)
    if not image:
        raise SourceError(
            f"{source} has no column of photos; name one of images with --image-column. {there}"
        )
    named = [column for known in NAME_COLUMNS for column in (*classes, *texts) if column.lower() == known]
    label = choice.label_column or next(iter([*named, *classes]), None)
    if not label:
        raise SourceError(
            f"{source} has no column of names (a ClassLabel, or text called {', '.join(NAME_COLUMNS)}); name "
            f"one with --label-column. {there}"
        )
    names = tuple(features[label].names or ()) if label in classes else None
    category = "category" if "category" in texts and label != "category" else None
    numbers = tuple(column for column, kind in features.items() if column != label and _holds_numbers(kind))
    return Columns(image, label, names, category, numbers)


def _holds_numbers(kind: Any) -> bool:
    from datasets import Value

    return isinstance(kind, Value) and kind.dtype.startswith(("int", "uint", "float"))


def _is_image(kind: Any) -> bool:
    """Return whether a column holds encoded images: by its type in `datasets`, or as bytes."""
    from datasets import Image

    if isinstance(kind, dict):
        return "bytes" in kind
    return isinstance(kind, Image) or getattr(kind, "dtype", "") in ("binary", "large_binary")


def _image_bytes(cell: Any) -> bytes:
    """Return a cell's bytes. Only paths on the Hub are opened: the dataset may come from anybody."""
    if not isinstance(cell, dict):
        return bytes(cell or b"")
    path = cell.get("path") or ""
    if cell.get("bytes") is None and (path.startswith("hf://") or "::hf://" in path):
        import fsspec

        with fsspec.open(path, "rb") as file:
            return bytes(file.read())
    return bytes(cell.get("bytes") or b"")
