"""Find the columns of a dataset that hold the photo and the name, by their feature types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.errors import SourceError
from lookalike.names import clean_name
from lookalike.sources.cells import Kind, describe, folder_of, kind_of, path_in, photo_in
from lookalike.sources.facts import FACT_COLUMNS, facts_of
from lookalike.sources.records import NAME_COLUMNS, Choice, Facts

PHOTO_WORDS = ("image", "photo", "picture", "img", "pixel")  # in names of columns of an unusual type
KEY = "__key__"  # a column that only a WebDataset has
FOLDER_LABEL = "label"  # what `datasets` calls the name of a photo's folder


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
        return path_in(row[self.image]).partition("::")[0].rpartition("/")[2]

    def label_of(self, row: Mapping[str, Any]) -> str:
        """Return the name in the source's spelling, empty where there is none."""
        if self.label == self.image:
            return folder_of(row[self.image], self.places)
        if self.label_is_nested:
            column, _, field = self.label.partition(".")
            return _named(row[column].get(field), None) if isinstance(row[column], Mapping) else ""
        return _named(row[self.label], self.names)

    def category_of(self, row: Mapping[str, Any]) -> str | None:
        """Return the category, None where there is none."""
        return (clean_name(row[self.category] or "") or None) if self.category else None

    def numbers_of(self, row: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        """Return (column, value) for each of `numbers` that the row has."""
        return tuple((name, float(row[name])) for name in self.numbers if row[name] is not None)

    def facts_of(self, row: Mapping[str, Any]) -> Facts | None:
        """Return what the row tells about the person, None where that is nothing."""
        return facts_of(
            {column: _named(row[column], names) if names else row[column] for column, names in self.facts}
        )


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
    by_folder = by_folder or KEY in features
    table = _Table(features, source)
    image = table.image_column(choice.image_column)
    label = table.label_column(choice.label_column, by_folder=by_folder) or image
    kinds = table.kinds
    category = "category" if kinds.get("category") == "text" and label != "category" else None
    numbers = tuple(column for column, kind in kinds.items() if column != label and kind == "number")
    facts = tuple(
        (column, table.class_names(column))
        for column in FACT_COLUMNS
        if column != label and kinds.get(column) in ("text", "class", "number")
    )
    is_nested = label not in features
    return Columns(image, label, table.class_names(label), category, numbers, facts, is_nested, places)


class _Table:
    """The columns of a table by name, with their features and what these can hold."""

    def __init__(self, features: Mapping[str, Any], source: str) -> None:
        self._features, self._source = features, source
        self._there = f"It has: {', '.join(features) or 'no columns'}."
        self.kinds: dict[str, Kind] = {name: kind_of(feature) for name, feature in features.items()}

    def class_names(self, column: str) -> tuple[str, ...] | None:
        """Return the names of a ClassLabel, None for other columns."""
        return (
            tuple(map(str, self._features[column].names or ())) if self.kinds.get(column) == "class" else None
        )

    def image_column(self, chosen: str | None) -> str:
        """Return the column of photos: the chosen one, the first by its type, or the first by its name."""
        if chosen:
            self._check_there(chosen, chosen)
        unusual = [
            name
            for name in self._of_kind("text", "other")
            if any(word in name.lower() for word in PHOTO_WORDS)
        ]
        image = chosen or next(iter([*self._of_kind("photo"), *unusual]), None)
        if image is None:
            raise SourceError(
                f"{self._source} has no column of photos; name one of images with --image-column. "
                f"{self._there}"
            )
        if self.kinds[image] not in ("photo", "text"):
            raise SourceError(
                f"The column '{image}' of {self._source} holds {describe(self._features[image])}; it must "
                "hold one photo a row, as the bytes of an image file, or choose another column with "
                f"--image-column. {self._there}"
            )
        return image

    def label_column(self, chosen: str | None, *, by_folder: bool) -> str:
        """Return the column of names, empty where the photos' folders have them."""
        if chosen:
            return self._chosen_label(chosen, by_folder=by_folder)
        classes = [] if by_folder else self._of_kind("class")
        known = [*classes, *self._of_kind("text")]
        named = [column for name in NAME_COLUMNS for column in known if column.lower() == name]
        captions = ["txt"] if KEY in self.kinds and self.kinds.get("txt") == "text" else []
        found = next(iter([*named, *classes, *self._name_fields(), *captions]), "")
        if not found and not by_folder:
            raise SourceError(
                f"{self._source} has no column of names (a ClassLabel, or text called "
                f"{', '.join(NAME_COLUMNS)}); name one with --label-column. {self._there}"
            )
        return found

    def _chosen_label(self, chosen: str, *, by_folder: bool) -> str:
        if by_folder and chosen == FOLDER_LABEL and self.kinds.get(chosen) in (None, "class"):
            return ""
        column = chosen if chosen in self.kinds else chosen.partition(".")[0]
        self._check_there(column, chosen)
        usable = ("text", "class", "number") if column == chosen else ("other",)
        if self.kinds[column] not in usable:
            raise SourceError(
                f"The column '{column}' of {self._source} holds {describe(self._features[column])}, not a "
                f"name; choose another one with --label-column. {self._there}"
            )
        return chosen

    def _check_there(self, column: str, chosen: str) -> None:
        if column not in self.kinds:
            raise SourceError(f"{self._source} has no column '{chosen}'. {self._there}")

    def _of_kind(self, *kinds: Kind) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind in kinds]

    def _name_fields(self) -> list[str]:
        """Return the fields of structs that hold names, as "column.field"."""
        return [
            f"{column}.{field}"
            for known in NAME_COLUMNS
            for column, feature in self._features.items()
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
    return names[int(label)] if label < len(names) else ""
