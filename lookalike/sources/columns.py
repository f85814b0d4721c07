"""Which columns of a dataset hold the photo and the name, found by their feature types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.errors import SourceError
from lookalike.sources.records import Choice

NAME_COLUMNS = ("name", "celebrity", "person", "identity", "label")  # the more telling first


@dataclass(frozen=True)
class Columns:
    """The columns of a source; `names` are the ClassLabel's, None where the label column holds text;
    `numbers` are the other columns of numbers.
    """

    image: str
    label: str
    names: tuple[str, ...] | None
    category: str | None
    numbers: tuple[str, ...] = ()

    @property
    def used(self) -> list[str]:
        """The columns to read, without the others."""
        return [self.image, self.label, *([self.category] if self.category else []), *self.numbers]

    def image_of(self, row: Mapping[str, Any]) -> bytes:
        """Return the encoded image, empty where there is none."""
        return _image_bytes(row[self.image])

    def file_of(self, row: Mapping[str, Any]) -> str:
        """Return the image's file name as the source tells it, empty where it does not."""
        cell = row[self.image]
        return (cell.get("path") or "").rpartition("/")[2] if isinstance(cell, dict) else ""

    def label_of(self, row: Mapping[str, Any]) -> str:
        """Return the name as the source spells it, empty where there is none."""
        label = row[self.label]
        if self.names is None or label is None:
            return str(label or "")
        return self.names[int(label)] if 0 <= int(label) < len(self.names) else ""  # -1 stands for "no label"

    def category_of(self, row: Mapping[str, Any]) -> str | None:
        """Return the category, None where there is none."""
        return (row[self.category] or None) if self.category else None

    def numbers_of(self, row: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        """Return the other numbers of a row by their columns, without those that are missing."""
        return tuple((name, float(row[name])) for name in self.numbers if row[name] is not None)


def find_columns(features: Mapping[str, Any], source: str, choice: Choice) -> Columns:
    """Return the columns to use of these `datasets.Features`: the chosen ones, else by their types.

    Raises SourceError where one is missing.
    """
    from datasets import ClassLabel, Image  # takes a second to import

    for chosen in (choice.image_column, choice.label_column):
        if chosen and chosen not in features:
            raise SourceError(f"{source} has no column '{chosen}'; it has: {', '.join(features)}.")
    images = [column for column, kind in features.items() if isinstance(kind, Image) or _holds_bytes(kind)]
    texts = [
        column
        for column, kind in features.items()
        if getattr(kind, "dtype", "") in ("string", "large_string")
    ]
    classes = [column for column, kind in features.items() if isinstance(kind, ClassLabel)]
    labels = [
        column for known in NAME_COLUMNS for column in (*classes, *texts) if column.lower() == known
    ] or classes
    image = choice.image_column or next(iter(images), None)
    label = choice.label_column or next(iter(labels), None)
    if not image or not label:
        raise SourceError(
            f"{source} needs a column of images and one of names (a ClassLabel, or text called "
            f"{', '.join(NAME_COLUMNS)}); name them with --image-column and --label-column. "
            f"It has: {', '.join(features) or 'no columns'}."
        )
    names = tuple(features[label].names or ()) if label in classes else None
    category = "category" if "category" in texts and label != "category" else None
    numbers = tuple(column for column, kind in features.items() if column != label and _holds_numbers(kind))
    return Columns(image, label, names, category, numbers)


def _holds_numbers(kind: Any) -> bool:
    from datasets import Value

    return isinstance(kind, Value) and kind.dtype.startswith(("int", "uint", "float"))


def _holds_bytes(kind: Any) -> bool:
    """Say whether a column that `datasets` did not mark holds encoded images: bytes, or a struct of them."""
    return (
        "bytes" in kind
        if isinstance(kind, dict)
        else getattr(kind, "dtype", "") in ("binary", "large_binary")
    )


def _image_bytes(cell: Any) -> bytes:
    """Return a cell's bytes; a path is followed into the Hub and nowhere else, whatever the dataset says."""
    if not isinstance(cell, dict):
        return bytes(cell or b"")
    path = cell.get("path") or ""
    if cell.get("bytes") is None and (path.startswith("hf://") or "::hf://" in path):
        import fsspec

        with fsspec.open(path, "rb") as file:
            return bytes(file.read())
    return bytes(cell.get("bytes") or b"")
