"""The table behind a gallery: its rows, its columns, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lookalike.errors import GalleryError
from lookalike.names import clean_name

SCHEMA_VERSION = 1
UNIT_TOLERANCE = 1e-2  # rows may have been stored in float16 by somebody else
KEYS_AT_ONCE = 16_384  # rows: 16 MB of whole numbers at 128 a row
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
    bad = pc.or_(pc.or_(table["name"].is_null(), table["embedding"].is_null()), _nameless(table["name"]))
    if count := pc.sum(bad).as_py():
        raise GalleryError(
            f"{count:,} of the gallery's {table.num_rows:,} rows have no name or no embedding; "
            "build it again."
        )
    return table.sort_by("name").combine_chunks()


def _nameless(names: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return True for names that show nothing: blanks and control characters."""
    blank = [
        name
        for name in pc.unique(names).to_pylist()
        if name is not None and not any(map(str.isalnum, name)) and not clean_name(name)
    ]
    return pc.is_in(names, pa.array(blank, pa.string()))


def embeddings_of(table: pa.Table, dim: int) -> NDArray[np.float32]:
    """Return the (rows, dim) float32 embeddings; raise GalleryError unless they have unit length."""
    flat = table["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    rows = np.ascontiguousarray(flat.reshape(-1, dim), np.float32)
    lengths = np.linalg.norm(rows, axis=1)
    wrong = int((~(np.abs(lengths - 1) <= UNIT_TOLERANCE)).sum())  # not a number is not at most anything
    if wrong:
        raise GalleryError(
            f"{wrong:,} of the gallery's {len(rows):,} embeddings are not of unit length; build it again."
        )
    return rows


def distinct_rows(embeddings: NDArray[np.float32], owners: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return the places of the (n, dim) rows without those whose owner (n,) has the very same one before.

    Told apart by 64 bits drawn from all of a row: two of a million by chance once in 10^7 galleries.
    """
    factors = np.random.default_rng(0).integers(1, 2**63, embeddings.shape[1] + 1, np.uint64)
    keys = owners.astype(np.uint64) * factors[-1]
    for start in range(0, len(keys), KEYS_AT_ONCE):
        part = slice(start, start + KEYS_AT_ONCE)
        keys[part] += embeddings[part].view(np.uint32).astype(np.uint64) @ factors[:-1]
    return np.sort(np.unique(keys, return_index=True)[1])
