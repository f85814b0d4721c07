"""Find the columns of a dataset that hold the photo and the name, by their feature types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.errors import SourceError
from lookalike.sources.cells import Kind, describe, folder_of, kind_of, photo_in
from lookalike.sources.facts import FACT_COLUMNS, facts_of
from lookalike.sources.records import NAME_COLUMNS, Choice, Facts

PHOTO_WORDS = ("image", "photo", "picture", "img", "pixel")  # in names of columns of an unusual type
KEY = "__key__"  # a column that only a WebDataset has


@dataclass(frozen=True)
class Columns:
    """The columns of a source to read.

    `label` may be a field of a struct, as in "json.name"; where it is `image`, the photo's folder is the
    name. `names` are those of the ClassLabel, None where the label column holds text or numbers. `numbers`
    are all other columns of numbers, `facts` those of `Facts` with the names of their ClassLabel, if any.
    Files are opened only below `places`.
    """

    image: str
    label: str
    names: tuple[str, ...] | None
    category: str | None
    numbers: tuple[str, ...] = ()
    facts: tuple[tuple[str, tuple[str, ...] | None], ...] = ()
    label_is_nested: bool = False
    places: tuple[str, ...] = ()

    @property
    def used(self) -> list[str]:
        """All columns to read."""
        label = self.label.partition(".")[0] if self.label_is_nested else self.label
        facts = (column for column, _ in self.facts)
        used = [self.image, label, *([self.category] if self.category else []), *self.numbers, *facts]
        return list(dict.fromkeys(used))

    def image_of(self, row: Mapping[str, Any]) -> bytes:
        """Return the encoded image, empty where there is none."""
        return photo_in(row[self.image], self.places)

    def file_of(self, row: Mapping[str, Any]) -> str:
        """Return the file name of the image, empty where the source has none."""
        cell = row[self.image]
        path = (cell.get("path") or "") if isinstance(cell, dict) else ""
        return path.partition("::")[0].rpartition("/")[2]

    def label_of(self, row: Mapping[str, Any]) -> str:
        """Return the name in the source's spelling, empty where there is none."""
        if self.label == self.image:
            return folder_of(row[self.image], self.places)
        if self.label_is_nested:
            column, _, field = self.label.partition(".")
            return _named((row[column] or {}).get(field), self.names)
        return _named(row[self.label], self.names)

    def category_of(self, row: Mapping[str, Any]) -> str | None:
        """Return the category, None where there is none."""
        return (row[self.category] or None) if self.category else None

    def numbers_of(self, row: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        """Return (column, value) for each of `numbers` that the row has."""
        return tuple((name, float(row[name])) for name in self.numbers if row[name] is not None)

    def facts_of(self, row: Mapping[str, Any]) -> Facts | None:
        """Return what the row tells about the person, None where that is nothing."""
        return facts_of({column: _named(row[column], names) for column, names in self.facts})


def find_columns(
    features: Mapping[str, Any],
    source: str,
    choice: Choice,
    *,
    places: tuple[str, ...] = (),
    by_folder: bool = False,
) -> Columns:
    """Return the columns to use of these `datasets.Features`: those in `choice`, the others by their types.

    A column of a type that `datasets` does not know has the feature None. Files are opened only below
    `places`; with `by_folder` a photo's folder is its name, unless a column of text is. Raises SourceError
    where the column of photos or of names is missing or of a type that cannot be used.
    """
    there = f"It has: {', '.join(features) or 'no columns'}."
    kinds = {name: kind_of(feature) for name, feature in features.items()}
    image = _image_column(kinds, features, source, choice.image_column, there)
    by_folder = by_folder or KEY in features
    found = _label_column(kinds, features, source, choice.label_column, there, by_folder=by_folder)
    label = found or image
    names = tuple(features[label].names or ()) if kinds.get(label) == "class" else None
    category = "category" if kinds.get("category") == "text" and label != "category" else None
    numbers = tuple(column for column, kind in kinds.items() if column != label and kind == "number")
    facts = tuple(
        (column, tuple(features[column].names or ()) if kinds[column] == "class" else None)
        for column in FACT_COLUMNS
        if column != label and kinds.get(column) in ("text", "class", "number")
    )
    return Columns(image, label, names, category, numbers, facts, label not in features, places)


def _image_column(
    kinds: Mapping[str, Kind], features: Mapping[str, Any], source: str, chosen: str | None, there: str
) -> str:
    if chosen and chosen not in kinds:
        raise SourceError(f"{source} has no column '{chosen}'. {there}")
    photos = [name for name, kind in kinds.items() if kind == "photo"]
    likely = [
        name
        for name, kind in kinds.items()
        if kind in ("text", "other") and any(word in name.lower() for word in PHOTO_WORDS)
    ]
    image = chosen or next(iter([*photos, *likely]), None)
    if image is None:
        raise SourceError(
            f"{source} has no column of photos; name one of images with --image-column. {there}"
        )
    if kinds[image] not in ("photo", "text"):
        raise SourceError(
            f"The column '{image}' of {source} holds {describe(features[image])}; it must hold one photo a "
            f"row, as the bytes of an image file, or choose another column with --image-column. {there}"
        )
    return image


def _label_column(
    kinds: Mapping[str, Kind],
    features: Mapping[str, Any],
    source: str,
    chosen: str | None,
    there: str,
    *,
    by_folder: bool,
) -> str:
    """Return the column of names, empty where the photos' folders have them."""
    if chosen:
        column = chosen if chosen in kinds else chosen.partition(".")[0]
        if column not in kinds:
            raise SourceError(f"{source} has no column '{chosen}'. {there}")
        if column == chosen and kinds[column] not in ("text", "class", "number"):
            raise SourceError(
                f"The column '{chosen}' of {source} holds {describe(features[chosen])}, not a name; choose "
                f"another one with --label-column. {there}"
            )
        return chosen
    texts = [name for name, kind in kinds.items() if kind == "text"]
    classes = [] if by_folder else [name for name, kind in kinds.items() if kind == "class"]
    named = [column for known in NAME_COLUMNS for column in (*classes, *texts) if column.lower() == known]
    captions = ["txt"] if KEY in features and "txt" in texts else []
    found = next(iter([*named, *classes, *_name_fields(features), *captions]), "")
    if not found and not by_folder:
        raise SourceError(
            f"{source} has no column of names (a ClassLabel, or text called {', '.join(NAME_COLUMNS)}); name "
            f"one with --label-column. {there}"
        )
    return found


def _name_fields(features: Mapping[str, Any]) -> list[str]:
    """Return the fields of structs that hold names, as "column.field"."""
    return [
        f"{column}.{field}"
        for known in NAME_COLUMNS
        for column, feature in features.items()
        if isinstance(feature, dict)
        for field, kind in feature.items()
        if field.lower() == known and kind_of(kind) == "text"
    ]


def _named(label: Any, names: tuple[str, ...] | None) -> str:
    """Return a label as text; of a ClassLabel its name. None, NaN and negative numbers mean no label."""
    if label is None or label != label:
        return ""
    if isinstance(label, int | float) and label < 0:
        return ""
    if names is None:
        return str(label)
    return names[int(label)] if int(label) < len(names) else ""
