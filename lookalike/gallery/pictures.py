"""Pictures for the people of a gallery who have none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from lookalike.gallery.credit import Credit
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import IMAGE, OPTIONAL

COLUMNS = ("photo", "credit", "licence", "source")


def names_without_photo(gallery: Gallery) -> list[str]:
    """Return the names, sorted, of which no row has a photo."""
    photos = gallery.table["photo"].is_valid().to_pylist()
    names = gallery.table["name"].to_pylist()
    pictured = {name for name, there in zip(names, photos, strict=True) if there}
    return [name for name in gallery.names if name not in pictured]


def with_pictures(gallery: Gallery, pictures: Mapping[str, tuple[bytes, Credit]]) -> Gallery:
    """Return the gallery with these thumbnails, by name, where a person has no photo, and their credits."""
    wanted = {name: pictures[name] for name in names_without_photo(gallery) if name in pictures}
    table = gallery.table
    columns: dict[str, list[Any]] = {
        column: table[column].to_pylist() if column in table.column_names else [None] * len(table)
        for column in COLUMNS
    }
    for row, name in enumerate(table["name"].to_pylist()):
        if name in wanted:
            image, credit = wanted[name]
            fields = ({"bytes": image, "path": None}, credit.author, credit.licence, credit.source)
            for column, value in zip(COLUMNS, fields, strict=True):
                columns[column][row] = value
    for column, values in columns.items():
        table = _with_column(
            table, column, pa.array(values, IMAGE if column == "photo" else OPTIONAL[column])
        )
    return Gallery(table, gallery.settings)


def _with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, values)
    return table.append_column(name, values)
