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


@dataclass(frozen=True)
class Row:
    """One row: a kept photo, or the mean of a name's photos (then `confidence` and `origin` are None).

    `photo` is the thumbnail's encoded bytes, None where no photo may be shown; `embedding` (dim,) float32
    of unit length; `photos` is how many photos the row stands for.
    """

    name: str
    embedding: NDArray[np.float32]
    photo: bytes | None = None
    confidence: float | None = None
    origin: str | None = None
    photos: int = 1
    category: str | None = None


def schema(dim: int) -> pa.Schema:
    """Return the Arrow schema of a gallery, with the note by which `datasets` shows `photo` as an image."""
    features = {
        "name": {"dtype": "string", "_type": "Value"},
        "photo": {"_type": "Image"},
        "embedding": {"feature": {"dtype": "float32", "_type": "Value"}, "length": dim, "_type": "List"},
        "confidence": {"dtype": "float32", "_type": "Value"},
        "origin": {"dtype": "string", "_type": "Value"},
        "photos": {"dtype": "int32", "_type": "Value"},
        "category": {"dtype": "string", "_type": "Value"},
    }
    fields = [
        pa.field("name", pa.string()),
        pa.field("photo", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        pa.field("embedding", pa.list_(pa.float32(), dim)),
        pa.field("confidence", pa.float32()),
        pa.field("origin", pa.string()),
        pa.field("photos", pa.int32()),
        pa.field("category", pa.string()),
    ]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def table_of(rows: Sequence[Row], dim: int) -> pa.Table:
    """Return the rows as an Arrow table with the columns of `schema`."""
    fields = {
        field: [getattr(row, field) for row in rows]
        for field in FIELDS
        if field not in ("photo", "embedding")
    }
    fields["photo"] = [None if row.photo is None else {"bytes": row.photo, "path": None} for row in rows]
    fields["embedding"] = [np.asarray(row.embedding, np.float32) for row in rows]
    return pa.Table.from_pydict(fields, schema=schema(dim))


def checked(table: pa.Table, dim: int) -> pa.Table:
    """Return the table with the columns of `schema`, sorted by name; raise GalleryError if it is none."""
    if table.num_rows == 0:
        raise GalleryError("The gallery is empty; build it again from a source with faces.")
    try:
        table = table.select(FIELDS).cast(schema(dim))
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
