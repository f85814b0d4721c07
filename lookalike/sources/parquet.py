"""Parquet files -> records, with the columns of photo and name found by their types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate, count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.errors import SourceError
from lookalike.names import clean_name
from lookalike.sources.columns import Columns, find_columns
from lookalike.sources.records import WHAT_TO_GIVE, Choice, Part, Record, Source, origin_of

BATCH_ROWS = 64  # a few megabytes of photos; more is not faster


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


def _read_schema(file: Path, choice: Choice) -> tuple[Columns, list[int]]:
    """Return the columns to use, and the number of rows in each row group."""
    from datasets import Features  # takes a second to import

    try:
        with pq.ParquetFile(file) as table:
            features = Features.from_arrow_schema(table.schema_arrow)
            groups = [table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)]
            return find_columns(features, str(file), choice), groups
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{file} is not a Parquet file that can be read; {WHAT_TO_GIVE}.") from error


def _read_parquet(file: Path, columns: Columns, origin: str, group: int, start: int) -> Iterator[Record]:
    number = count(start)
    try:
        with pq.ParquetFile(file) as table:
            for batch in table.iter_batches(BATCH_ROWS, row_groups=[group], columns=columns.used):
                yield from (record_of(columns, row, f"{origin}#{next(number)}") for row in batch.to_pylist())
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"{file} breaks off after {next(number)} records; fetch or write it again."
        ) from error


def record_of(columns: Columns, row: Mapping[str, Any], origin: str) -> Record:
    """Return the record of a table's row."""
    name = clean_name(columns.label_of(row))
    return Record(
        columns.image_of(row),
        name,
        origin,
        columns.category_of(row),
        columns.file_of(row),
        numbers=columns.numbers_of(row),
    )
