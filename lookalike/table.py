"""The table behind a gallery: its rows, its columns, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lookalike.errors import GalleryError

SCHEMA_VERSION = 1
UNIT_TOLERANCE = 1e-2  # rows may have been stored in float16 by somebody else
FIELDS = ["name", "photo", "embedding", "confidence", "origin", "photos", "category"]
EXTRAS = {"age": pa.int32(), "gender": pa.string()}  # columns that only some sources can fill


@dataclass(frozen=True)
class Row:
    """One row: a kept photo, or the mean of a name's photos (then `confidence` and `origin` are None).

    `photo` is the thumbnail's encoded bytes, None where no photo may be shown; `embedding` (dim,) float32
    of unit length; `photos` is how many photos the row stands for; `age` is in years when it was taken.
    """

    name: str
    embedding: NDArray[np.float32]
    photo: bytes | None = None
    confidence: float | None = None
    origin: str | None = None
    photos: int = 1
    category: str | None = None
    age: int | None = None
    gender: str | None = None


def schema(dim: int, extras: Sequence[str] = ()) -> pa.Schema:
    """Return the Arrow schema of a gallery with these of EXTRAS, and the note by which `datasets` shows
    `photo` as an image.
    """
    features = {
        "name": {"dtype": "string", "_type": "Value"},
        "photo": {"_type": "Image"},
        "embedding": {"feature": {"dtype": "float32", "_type": "Value"}, "length": dim, "_type": "List"},
        "confidence": {"dtype": "float32", "_type": "Value"},
        "origin": {"dtype": "string", "_type": "Value"},
        "photos": {"dtype": "int32", "_type": "Value"},
        "category": {"dtype": "string", "_type": "Value"},
    } | {extra: {"dtype": str(EXTRAS[extra]), "_type": "Value"} for extra in extras}
    fields = [
        pa.field("name", pa.string()),
        pa.field("photo", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        pa.field("embedding", pa.list_(pa.float32(), dim)),
        pa.field("confidence", pa.float32()),
        pa.field("origin", pa.string()),
        pa.field("photos", pa.int32()),
        pa.field("category", pa.string()),
        *(pa.field(extra, EXTRAS[extra]) for extra in extras),
    ]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def table_of(rows: Sequence[Row], dim: int) -> pa.Table:
    """Return the rows as an Arrow table with the columns of `schema`, of EXTRAS those that say
    anything.
    """
    extras = [extra for extra in EXTRAS if any(getattr(row, extra) is not None for row in rows)]
    fields = {
        field: [getattr(row, field) for row in rows]
        for field in (*FIELDS, *extras)
        if field not in ("photo", "embedding")
    }
    fields["photo"] = [None if row.photo is None else {"bytes": row.photo, "path": None} for row in rows]
    fields["embedding"] = [np.asarray(row.embedding, np.float32) for row in rows]
    return pa.Table.from_pydict(fields, schema=schema(dim, extras))


def checked(table: pa.Table, dim: int) -> pa.Table:
    """Return the table with the columns of `schema`, sorted by name; raise GalleryError if it is none."""
    if table.num_rows == 0:
        raise GalleryError("The gallery is empty; build it again from a source with faces.")
    try:
        extras = [extra for extra in EXTRAS if extra in table.column_names]
        table = table.select([*FIELDS, *extras]).cast(schema(dim, extras))
    except (KeyError, pa.ArrowException, ValueError) as error:
        raise GalleryError(
            f"The gallery's table has not the columns of schema {SCHEMA_VERSION} "
            f"with {dim} numbers a row; build it again."
        ) from error
    if table["name"].null_count or table["embedding"].null_count:
        raise GalleryError("The gallery has rows without a name or an embedding; build it again.")
    return table.sort_by("name").combine_chunks()


def embeddings_of(table: pa.Table, dim: int) -> NDArray[np.float32]:
    """Return the (rows, dim) float32 embeddings; raise GalleryError unless they have unit length."""
    flat = table["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    rows = np.ascontiguousarray(flat.reshape(-1, dim), np.float32)
    lengths = np.linalg.norm(rows, axis=1)
    if not np.isfinite(lengths).all() or (np.abs(lengths - 1) > UNIT_TOLERANCE).any():
        raise GalleryError("The gallery holds embeddings that are not of unit length; build it again.")
    return rows
