"""Parquet files -> records, with the columns of photo and name found by their types."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.errors import SourceError
from lookalike.names import clean_name
from lookalike.sources.cells import Kind, check_photo, kind_of
from lookalike.sources.columns import Columns, find_columns
from lookalike.sources.records import WHAT_TO_GIVE, Choice, Part, Record, Source, origin_of

BATCH_ROWS = 64  # a few megabytes of photos; more is not faster
STORED_AS: dict[Kind, tuple[Kind, ...]] = {"class": ("number",), "photo": ("photo", "text")}


def open_parquet(path: Path, files: Sequence[Path], choice: Choice) -> Source:
    """Open Parquet files as one source. Raises SourceError where one cannot be read or lacks a column."""
    parts, total = [], 0
    for file in files:
        columns, groups = _read_schema(file, choice)
        starts = accumulate(groups, initial=0)
        parts += [
            Part(partial(_read_parquet, file.absolute(), columns, origin_of(path, file), group, start))
            for group, start in zip(range(len(groups)), starts, strict=False)
        ]
        total += sum(groups)
    if total == 0:
        raise SourceError(f"{path} holds no records; {WHAT_TO_GIVE}.")
    return Source(path.resolve().name, total, tuple(parts))


def records_of(columns: Columns, rows: Iterable[Mapping[str, Any]], source: str) -> Iterator[Record]:
    """Yield the records of a table's rows, with the origin `source`.

    Raises SourceError if the first cell in the column of photos shows that the column holds something else.
    """
    unchecked = True
    for row in rows:
        if unchecked and row[columns.image]:
            check_photo(row[columns.image], columns.image, source, columns.places)
            unchecked = False
        yield Record(
            columns.image_of(row),
            clean_name(columns.label_of(row)),
            source,
            columns.category_of(row),
            columns.file_of(row),
            numbers=columns.numbers_of(row),
            facts=columns.facts_of(row),
        )


def _read_schema(file: Path, choice: Choice) -> tuple[Columns, list[int]]:
    """Return the columns to use, and the number of rows in each row group."""
    try:
        with pq.ParquetFile(file) as table:
            features = _features(table.schema_arrow)
            groups = [table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)]
            return find_columns(features, str(file), choice), groups
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{file} is not a Parquet file that can be read; {WHAT_TO_GIVE}.") from error


def _features(schema: pa.Schema) -> dict[str, Any]:
    """Return the features of `datasets` by column, None for a column of a type that it does not know."""
    try:
        noted = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):  # no note, or a malformed one
        noted = None
    noted = noted if isinstance(noted, dict) else {}
    return {field.name: _feature(field, noted.get(field.name)) for field in schema}


def _feature(field: pa.Field, noted: Any) -> Any:
    """Return the feature that is noted for a column if its cells can be that, else that of their type."""
    from datasets import Features

    if pa.types.is_dictionary(field.type):  # the categories of pandas
        field = field.with_type(field.type.value_type)
    by_type = _made(partial(Features.from_arrow_schema, pa.schema([field])), field.name)
    by_note = _made(partial(Features.from_dict, {field.name: noted}), field.name)
    kind = kind_of(by_note)
    return by_note if by_note is not None and kind_of(by_type) in STORED_AS.get(kind, (kind,)) else by_type


def _made(make: Callable[[], Mapping[str, Any]], column: str) -> Any:
    try:
        return make()[column]
    except Exception:  # of many kinds, for types that are too new or not in `datasets`
        return None


def _read_parquet(file: Path, columns: Columns, origin: str, group: int, start: int) -> Iterator[Record]:
    number = count(start)
    try:
        with pq.ParquetFile(file) as table:
            batches = table.iter_batches(BATCH_ROWS, row_groups=[group], columns=columns.used)
            rows = (row for batch in batches for row in batch.to_pylist())
            for record in records_of(columns, rows, str(file)):
                yield replace(record, origin=f"{origin}#{next(number)}")
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: text that is not UTF-8
        raise SourceError(
            f"{file} breaks off after {next(number)} records; fetch or write it again."
        ) from error
