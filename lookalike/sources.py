"""Datasets of celebrity photos -> records, streamed.

A source is a Parquet file or a folder of them, a folder with one folder per celebrity, or a dataset on the
Hub. It is checked when it is opened and read record by record, so that its size does not matter.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.columns import Columns, find_columns
from lookalike.errors import MissingFileError, SourceError

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".avif")
ROWS_AT_A_TIME = 64  # a few megabytes of photos; more is not faster
JOINERS = "\u200c\u200d"  # invisible, yet part of the spelling in Persian and Indian scripts
WHAT_TO_GIVE = "give Parquet, a folder with one folder per celebrity, or a dataset on the Hub (owner/name)"


@dataclass(frozen=True)
class Record:
    """One labelled photo: the encoded bytes (empty where they are missing), whose it is, where it comes
    from.

    `name` is clean (see `clean_name`) and empty where the source has no usable one; `origin` reads like
    "hollywood.parquet#12", "stars/Ada Lovelace/1.jpg" or "owner/name#12"; `file` is the photo's own file
    name, empty where the source does not tell. `box`, (x, y, width, height) in pixels of the stored photo, is
    the face that the source points at, None where it points at none.
    """

    image: bytes
    name: str
    origin: str
    category: str | None = None
    file: str = ""
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Source:
    """A source that was opened and checked; iterating streams its records, each time from the start.

    `name` is what a card may say of it; `total` counts its records, None where nobody knows before the end.
    """

    name: str
    total: int | None
    records: Callable[[], Iterator[Record]]

    def __iter__(self) -> Iterator[Record]:
        return self.records()


def open_sources(specs: Sequence[str], *, limit: int | None = None) -> Source:
    """Open several sources as one, their records in the order given, at most `limit` of them."""
    sources = [open_source(spec) for spec in specs]
    totals = [source.total for source in sources if source.total is not None]
    total = sum(totals) if len(totals) == len(sources) else None
    if limit is not None:
        total = limit if total is None else min(total, limit)
    return Source(
        name=", ".join(source.name for source in sources),
        total=total,
        records=lambda: islice(chain.from_iterable(sources), limit),
    )


def open_source(spec: str) -> Source:
    """Open a file, a folder or a Hub dataset `owner/name[@revision]`; what is on disk comes first.

    Raises MissingFileError when there is nothing of that name, SourceError when it cannot be read, has no
    names, or holds no photos.
    """
    path = Path(spec)
    if path.is_file():
        return _open_parquet(path, [path])
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.parquet") if not _hidden(file.relative_to(path)))
        return _open_parquet(path, files) if files else _open_folders(path)
    if _looks_like_dataset(spec):
        return open_hub_dataset(spec)
    raise MissingFileError(f"There is nothing at {spec}; {WHAT_TO_GIVE}.")


def clean_name(text: str) -> str:
    """Return a name as it is shown: composed (NFC), spaces for underscores, no control characters."""
    spaced = " ".join(unicodedata.normalize("NFC", text).replace("_", " ").split())
    return "".join(c for c in spaced if c in JOINERS or not unicodedata.category(c).startswith("C")).strip()


def _record(columns: Columns, row: Mapping[str, Any], origin: str) -> Record:
    name = clean_name(columns.label_of(row))
    return Record(columns.image_of(row), name, origin, columns.category_of(row), columns.file_of(row))


# Parquet


def _open_parquet(path: Path, files: Sequence[Path]) -> Source:
    tables = [(file, *_inspect(file)) for file in files]
    total = sum(rows for _, _, rows in tables)
    if total == 0:
        raise SourceError(f"{path} holds no records; {WHAT_TO_GIVE}.")
    return Source(
        name=path.resolve().name,
        total=total,
        records=lambda: chain.from_iterable(
            _read_parquet(file, columns, _origin(path, file)) for file, columns, _ in tables
        ),
    )


def _inspect(file: Path) -> tuple[Columns, int]:
    from datasets import Features  # takes a second to import

    try:
        with pq.ParquetFile(file) as table:
            return find_columns(
                Features.from_arrow_schema(table.schema_arrow), str(file)
            ), table.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{file} is not a Parquet file that can be read; {WHAT_TO_GIVE}.") from error


def _read_parquet(file: Path, columns: Columns, origin: str) -> Iterator[Record]:
    number = count()
    try:
        with pq.ParquetFile(file) as table:
            for batch in table.iter_batches(ROWS_AT_A_TIME, columns=columns.used):
                yield from (_record(columns, row, f"{origin}#{next(number)}") for row in batch.to_pylist())
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"{file} breaks off after {next(number)} records; fetch or write it again."
        ) from error


# A folder per celebrity


def _open_folders(root: Path) -> Source:
    people = [
        folder for folder in sorted(root.iterdir()) if folder.is_dir() and not _hidden(Path(folder.name))
    ]
    photos = [(clean_name(folder.name), photo) for folder in people for photo in _photos_in(folder)]
    if not photos:
        raise SourceError(f"The folder {root} holds no folders with photos; {WHAT_TO_GIVE}.")
    return Source(root.resolve().name, len(photos), partial(_read_photos, root, photos))


def _photos_in(folder: Path) -> list[Path]:
    files = (file for file in sorted(folder.iterdir()) if file.suffix.lower() in PHOTO_SUFFIXES)
    return [file for file in files if file.is_file() and not _hidden(Path(file.name))]


def _read_photos(root: Path, photos: Iterable[tuple[str, Path]]) -> Iterator[Record]:
    for name, photo in photos:
        try:
            image = photo.read_bytes()
        except OSError:  # no permission, or gone since it was listed: counted as unreadable
            image = b""
        yield Record(image, name, _origin(root, photo), file=photo.name)


def _hidden(path: Path) -> bool:
    """Say whether a part of a path below the folder that was named starts with a dot."""
    return any(part.startswith(".") for part in path.parts)


def _origin(root: Path, file: Path) -> str:
    """Return the file's path from the folder that was named on, as valid text however odd the file's name."""
    below = file.relative_to(root) if file != root else Path()
    path = Path(root.resolve().name) / below
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


# The Hub


def _load_streaming(name: str, revision: str | None) -> Any:
    import datasets
    from huggingface_hub import HfApi

    HfApi().dataset_info(
        name, revision=revision, timeout=30
    )  # one request: load_dataset tries for 23 seconds
    datasets.disable_progress_bars()  # the command has its own
    return datasets.load_dataset(name, revision=revision, streaming=True)


def open_hub_dataset(spec: str, *, load: Callable[[str, str | None], Any] = _load_streaming) -> Source:
    """Open all splits of a Hub dataset `owner/name[@revision]`; `load` returns them by name, streamed."""
    name, _, revision = spec.partition("@")
    try:
        splits = list(load(name, revision or None).values())
    except Exception as error:  # datasets, fsspec and the HTTP client each raise their own kinds
        raise SourceError(_unreachable(spec, error)) from error
    columns = [find_columns(split.features or {}, spec) for split in splits]
    sizes = [(split.info.splits or {}).get(str(split.split)) for split in splits]
    total = sum(size.num_examples for size in sizes if size) if all(sizes) else 0
    return Source(spec, total or None, partial(_read_hub, spec, list(zip(splits, columns, strict=True))))


def _read_hub(spec: str, splits: Sequence[tuple[Any, Columns]]) -> Iterator[Record]:
    from datasets import Image

    number = count()
    try:
        for split, columns in splits:
            rows = split.select_columns(columns.used)
            if isinstance(split.features[columns.image], Image):
                rows = rows.cast_column(columns.image, Image(decode=False))
            yield from (_record(columns, row, f"{spec}#{next(number)}") for row in rows)
    except Exception as error:  # as above
        raise SourceError(_unreachable(spec, error)) from error


def _unreachable(spec: str, error: Exception) -> str:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return (
        f"There is nothing at {spec}, and no such dataset could be read from the Hub; check the path, or the "
        f"dataset's name and revision, HF_TOKEN and the network. ({reason})"
    )


def _looks_like_dataset(spec: str) -> bool:
    return (
        spec.count("/") == 1 and not spec.startswith((".", "/", "~")) and not spec.endswith(("/", ".parquet"))
    )
