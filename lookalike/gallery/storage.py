"""Write and read a gallery's files, so that a reader finds the old gallery or the new one, never a mixture.

The name of each Parquet file ends with the file's hash, so a new part never overwrites an old one.
`gallery.json` lists the parts with their SHA-256. A write adds the new parts, replaces `gallery.json` in one
step, and then deletes the old parts. A reader opens only the parts that `gallery.json` lists, and refuses
one that is missing, damaged or from another build. Nothing in these files is executed or fetched.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.errors import GalleryError, MismatchError, MissingFileError
from lookalike.files import atomic_write, sha256_of, write_text
from lookalike.gallery.schema import OPTIONAL, REQUIRED
from lookalike.gallery.settings import SETTINGS_FILE, Settings, read_settings, settings_fields

ROWS_PER_FILE = 100_000  # with thumbnails of some 8 KB, 800 MB a file
HASHED_PART = re.compile(r"rows-\d{5}-of-\d{5}-[0-9a-f]{12}\.parquet")  # as `write_gallery` names them
UNLISTED_PART = re.compile(r"-of-(\d+)\.parquet")  # how names ended before `gallery.json` listed the parts


def models_in(folder: Path) -> list[str]:
    """Return the models for which `folder` holds a gallery, sorted."""
    return sorted(file.parent.name for file in folder.glob(f"[!.]*/{SETTINGS_FILE}"))


def models_among(paths: Iterable[str]) -> list[str]:
    """Return the models for which a dataset of these files, paths relative to it, holds a gallery, sorted."""
    parts = [path.split("/") for path in paths if path.endswith(f"/{SETTINGS_FILE}")]
    return sorted(part[0] for part in parts if len(part) == 2 and not part[0].startswith("."))


def write_gallery(folder: Path, table: pa.Table, settings: Settings) -> None:
    """Write one model's table and settings into `folder`; the galleries of other models stay as they are.

    Until the last step a reader gets the previous gallery, which also stays if the write fails. One process
    at a time may write. Raises OSError.
    """
    target = folder / settings.model
    kept = set(target.glob("*.parquet"))  # unless the write succeeds
    count = -(-len(table) // ROWS_PER_FILE)
    try:
        files = {}
        for part in range(count):
            path = _write_part(target, table.slice(part * ROWS_PER_FILE, ROWS_PER_FILE), part, count)
            files[path.name] = sha256_of(path)
        fields = settings_fields(settings) | {"files": files}
        write_text(target / SETTINGS_FILE, json.dumps(fields, indent=2) + "\n")
        kept = {target / name for name in files}
    finally:
        for path in set(target.glob("*.parquet")) - kept:
            with suppress(OSError):  # Windows keeps a file that a reader has open; the next write deletes it
                path.unlink()
        with suppress(OSError):  # removes the folder only where the first write failed and left it empty
            target.rmdir()


def _write_part(target: Path, rows: pa.Table, part: int, count: int) -> Path:
    name = f"rows-{part:05d}-of-{count:05d}"
    unnamed = target / f".{name}.parquet"
    with atomic_write(unnamed) as partial:
        # embeddings repeat no value: their bytes side by side take two thirds of a dictionary's space
        texts = [name for name in rows.column_names if name != "embedding"]
        encoding = {"embedding.list.element": "BYTE_STREAM_SPLIT"}
        pq.write_table(rows, partial, compression="zstd", use_dictionary=texts, column_encoding=encoding)
    path = target / f"{name}-{sha256_of(unnamed)[:12]}.parquet"
    os.replace(unnamed, path)
    return path


def read_gallery(folder: Path, model: str) -> tuple[pa.Table, Settings]:
    """Return the table and the settings of one model that `write_gallery` wrote into `folder`.

    Where another process replaces the gallery meanwhile, the new one is read. Each value of the table is
    valid for its type; nothing else about it is checked here. Raises GalleryError with the way out.
    """
    if not folder.is_dir():
        raise MissingFileError(f"There is no gallery at {folder}; build one with build_gallery.py.")
    if model not in (offered := models_in(folder)):
        raise MismatchError(
            f"The gallery at {folder} has no table for the model '{model}' "
            f"(it has: {', '.join(offered) or 'none'}); choose one of its models or build it again."
        )
    file = folder / model / SETTINGS_FILE
    while True:
        version = _version(file)
        try:
            return _read(file, model)
        except GalleryError:
            if _version(file) == version:  # else a writer deleted the parts that were being read
                raise


def part_files(folder: Path, model: str) -> list[Path]:
    """Return the Parquet files that make up one model's gallery, in order. Raises GalleryError."""
    file = folder / model / SETTINGS_FILE
    return list(_parts(file.parent, read_settings(file)[1]))


def _version(file: Path) -> str | None:
    with suppress(OSError):
        return sha256_of(file)
    return None


def _read(file: Path, model: str) -> tuple[pa.Table, Settings]:
    settings, files = read_settings(file)
    if settings.model != model:  # another name would become a path when the gallery is saved
        raise GalleryError(f"{file} is of another model; build the gallery again.")
    parts = _parts(file.parent, files)
    try:
        _check_parts(file.parent, parts)
        return _read_table(list(parts)), settings
    except (pa.ArrowException, OSError, ValueError) as error:
        raise GalleryError(f"The table in {file.parent} cannot be read; build the gallery again.") from error


def _parts(folder: Path, files: dict[str, str] | None) -> dict[Path, str | None]:
    """Return each part with its expected SHA-256, None for a gallery whose settings list no files."""
    if files is not None:
        return {folder / name: files[name] for name in sorted(files)}
    paths = sorted(folder.glob("[!.]*.parquet"))
    return {path: None for path in paths if not HASHED_PART.fullmatch(path.name)}


def _check_parts(folder: Path, parts: dict[Path, str | None]) -> None:
    there = [path for path in parts if path.is_file()]
    counts = [int(match[1]) for path in parts if (match := UNLISTED_PART.search(path.name))]
    expected = max([len(parts), *counts])
    if len(there) != expected:
        raise GalleryError(
            f"The table in {folder} has {len(there)} of {expected} parts; fetch or build the gallery again."
        )
    wrong = sum(digest not in (None, sha256_of(path)) for path, digest in parts.items())
    if wrong:
        raise GalleryError(
            f"The table in {folder} is not the one that its {SETTINGS_FILE} describes ({wrong} of "
            f"{len(parts)} files differ); fetch or build the gallery again."
        )


def _read_table(paths: Sequence[Path]) -> pa.Table:
    tables = []
    for path in paths:
        with pq.ParquetFile(path) as file:  # unlike pq.read_table, takes no column from a folder's name
            tables.append(file.read(columns=[*REQUIRED, *OPTIONAL]))
    table = pa.concat_tables(tables)
    table.validate(full=True)  # finds text that is not UTF-8
    return table
