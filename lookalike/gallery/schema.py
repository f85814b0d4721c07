"""The table behind a gallery: its columns, its rows, and the checks that it must pass."""

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

SCHEMA_VERSION = 2
READABLE_VERSIONS = (1, 2)  # version 1 has no facts about people and no statistics
LEAST_SPREAD = 1e-4  # of a row's cosines to strangers; in use it is a few hundredths
UNIT_TOLERANCE = 1e-2  # other programs may have stored the rows in float16
MAX_NAME_BYTES = 50_000  # a name of 10,000 letters in any script; every answer repeats it
ROWS_PER_BLOCK = 16_384  # 16 MB of integers at 128 numbers a row
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])  # the type of `datasets.Image`
REQUIRED: dict[str, pa.DataType | None] = {
    "name": pa.string(),
    "photo": IMAGE,
    "embedding": None,  # depends on the dimension: a fixed-size list of float32
    "confidence": pa.float32(),
    "origin": pa.string(),
    "photos": pa.int32(),
    "category": pa.string(),
}
OPTIONAL: dict[str, pa.DataType] = {  # left out where no row has one
    "age": pa.int32(),
    "gender": pa.string(),
    "native": pa.string(),
    "field": pa.string(),
    "country": pa.string(),
    "born": pa.int32(),
    "known_for": pa.string(),
    "credit": pa.string(),
    "licence": pa.string(),
    "source": pa.string(),
    "cohort_mean": pa.float32(),
    "cohort_spread": pa.float32(),
}


@dataclass(frozen=True)
class Row:
    """One row: one photo, or the mean of a name's photos (then `confidence` and `origin` are None).

    `embedding` is (dim,) float32 of unit length. `photo` is the encoded thumbnail, None where no photo may be
    shown. `photos` counts the photos that the row stands for. `age` is in years when the photo was taken. The
    other facts are about the person: `gender` as publicly known, the name in the `native` script, the `field`
    and `country`, the year in which they were `born`, and what they are `known_for`. `credit`, `licence`
    and `source` are the photo's author, licence and address. `cohort_mean` and `cohort_spread` are the
    statistics that normalize the row's cosines (see `lookalike.models.cohort`).
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
    native: str | None = None
    field: str | None = None
    country: str | None = None
    born: int | None = None
    known_for: str | None = None
    credit: str | None = None
    licence: str | None = None
    source: str | None = None
    cohort_mean: float | None = None
    cohort_spread: float | None = None


def schema(dim: int, optional: Sequence[str] = ()) -> pa.Schema:
    """Return the Arrow schema of a gallery with these of the OPTIONAL columns.

    Its metadata tells `datasets` to show `photo` as an image.
    """
    columns = (
        REQUIRED | {"embedding": pa.list_(pa.float32(), dim)} | {name: OPTIONAL[name] for name in optional}
    )
    features = {name: _feature(kind) for name, kind in columns.items()}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(list(columns.items()), metadata=metadata)


def _feature(kind: pa.DataType) -> dict[str, Any]:
    """Return how `datasets` describes a column of this Arrow type."""
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_fixed_size_list(kind):
        return {"feature": _feature(kind.value_type), "length": kind.list_size, "_type": "List"}
    return {"dtype": "float32" if kind == pa.float32() else str(kind), "_type": "Value"}


def table_of(rows: Sequence[Row], dim: int) -> pa.Table:
    """Return the rows as an Arrow table; it has the OPTIONAL columns for which any row has a value."""
    optional = [name for name in OPTIONAL if any(getattr(row, name) is not None for row in rows)]
    columns = {name: [getattr(row, name) for row in rows] for name in (*REQUIRED, *optional)}
    columns["photo"] = [
        None if photo is None else {"bytes": photo, "path": None} for photo in columns["photo"]
    ]
    columns["embedding"] = [np.asarray(row.embedding, np.float32) for row in rows]
    return pa.Table.from_pydict(columns, schema=schema(dim, optional))


def with_statistics(table: pa.Table, statistics: NDArray[np.float32]) -> pa.Table:
    """Return the table with the (rows, 2) statistics of a cohort in its columns."""
    for place, name in enumerate(("cohort_mean", "cohort_spread")):
        column = pa.array(statistics[:, place], pa.float32())
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, column)
        else:
            table = table.append_column(name, column)
    return checked(table, table.schema.field("embedding").type.list_size)


def checked(table: pa.Table, dim: int) -> pa.Table:
    """Return the table with exactly the columns of `schema`, sorted by name.

    Raises GalleryError where it is empty, lacks a column, or has rows without a name or an embedding.
    """
    if table.num_rows == 0:
        raise GalleryError("The gallery is empty; build it again from a source with faces.")
    try:
        optional = [name for name in OPTIONAL if name in table.column_names]
        table = table.select([*REQUIRED, *optional]).cast(schema(dim, optional))
    except (KeyError, pa.ArrowException, ValueError) as error:
        raise GalleryError(
            f"The gallery's table has not the columns of schema {SCHEMA_VERSION} "
            f"with {dim} numbers a row; build it again."
        ) from error
    bad = pc.or_(pc.or_(table["name"].is_null(), table["embedding"].is_null()), _blank(table["name"]))
    if count := pc.sum(bad).as_py():
        raise GalleryError(
            f"{count:,} of the gallery's {table.num_rows:,} rows have no name or no embedding; "
            "build it again."
        )
    if count := pc.sum(pc.greater(pc.binary_length(table["name"]), MAX_NAME_BYTES)).as_py():
        raise GalleryError(
            f"{count:,} of the gallery's {table.num_rows:,} rows have a name of more than "
            f"{MAX_NAME_BYTES:,} bytes; build it again."
        )
    return table.sort_by("name").combine_chunks()


def _blank(names: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return True for names of spaces and control characters alone."""
    blank = [
        name
        for name in pc.unique(names).to_pylist()
        if name is not None and not any(map(str.isalnum, name)) and not clean_name(name)
    ]
    return pc.is_in(names, pa.array(blank, pa.string()))


def embeddings_of(table: pa.Table, dim: int) -> NDArray[np.float32]:
    """Return the (rows, dim) float32 embeddings. Raises GalleryError unless they have unit length."""
    flat = table["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    rows = np.ascontiguousarray(flat.reshape(-1, dim), np.float32)
    lengths = np.linalg.norm(rows, axis=1)
    wrong = int((~(np.abs(lengths - 1) <= UNIT_TOLERANCE)).sum())  # `not <=` so that NaN counts as wrong
    if wrong:
        raise GalleryError(
            f"{wrong:,} of the gallery's {len(rows):,} embeddings are not of unit length; build it again."
        )
    return rows


def distinct_rows(embeddings: NDArray[np.float32], owners: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return the sorted indices of the (n, dim) rows without repeats: rows of one owner (n,) that are equal.

    Rows are compared by a 64-bit hash: in a million rows two different ones have the same hash once in 10^7
    galleries.
    """
    factors = np.random.default_rng(0).integers(1, 2**63, embeddings.shape[1] + 1, np.uint64)
    hashes = owners.astype(np.uint64) * factors[-1]
    for start in range(0, len(hashes), ROWS_PER_BLOCK):
        block = slice(start, start + ROWS_PER_BLOCK)
        hashes[block] += embeddings[block].view(np.uint32).astype(np.uint64) @ factors[:-1]
    return np.sort(np.unique(hashes, return_index=True)[1])


def stored_statistics(table: pa.Table) -> NDArray[np.float32] | None:
    """Return the statistics (rows, 2) that were stored, None where one is missing or impossible."""
    if not {"cohort_mean", "cohort_spread"} <= set(table.column_names):
        return None
    columns = (table[name].to_numpy() for name in ("cohort_mean", "cohort_spread"))
    statistics = np.stack(list(columns), axis=1).astype(np.float32)
    sound = np.isfinite(statistics).all() and (statistics[:, 1] > LEAST_SPREAD).all()
    return statistics if sound else None
