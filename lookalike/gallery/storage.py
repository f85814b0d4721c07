"""A gallery's files: written whole or not at all, and checked before they are believed.

`gallery.json` names each Parquet file with its SHA-256, so that a part that is missing, cut short, exchanged
or of another build is refused. Nothing in these files is run, opened as a path, or fetched.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.errors import GalleryError, MismatchError, MissingFileError
from lookalike.gallery.schema import EXTRAS, FIELDS
from lookalike.gallery.settings import SETTINGS_FILE, Settings, read_settings

ROWS_PER_FILE = 100_000  # with thumbnails of some 6 KB, 600 MB a file
PART = re.compile(r"-of-(\d+)\.parquet")  # how the name of a part ends


def write_gallery(folder: Path, table: pa.Table, settings: Settings) -> None:
    """Write one model's table and settings into `folder`, its other models left alone; nothing is left half
    written. Raises OSError.
    """
    target, partial = folder / settings.model, folder / f".{settings.model}.partial"
    shutil.rmtree(partial, ignore_errors=True)  # of a build that was killed
    partial.mkdir(parents=True)
    try:
        count = -(-len(table) // ROWS_PER_FILE)
        for part in range(count):
            rows = table.slice(part * ROWS_PER_FILE, ROWS_PER_FILE)
            pq.write_table(rows, partial / f"rows-{part:05d}-of-{count:05d}.parquet", compression="zstd")
        fields = {**asdict(settings), "files": _digests(partial)}
        (partial / SETTINGS_FILE).write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
        _replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_gallery(folder: Path, model: str) -> tuple[pa.Table, Settings]:
    """Return the table and the settings of one model that `write_gallery` wrote into `folder`.

    The table is as it lies there, every value valid for its type. Raises GalleryError with the way out.
    """
    if not folder.is_dir():
        raise MissingFileError(f"There is no gallery at {folder}; build one with build_gallery.py.")
    offered = sorted(file.parent.name for file in folder.glob(f"[!.]*/{SETTINGS_FILE}"))
    if model not in offered:
        raise MismatchError(
            f"The gallery at {folder} has no table for the model '{model}' "
            f"(it has: {', '.join(offered) or 'none'}); choose one of its models or build it again."
        )
    settings, files = read_settings(folder / model / SETTINGS_FILE)
    if settings.model != model:  # a name from elsewhere would become a path when the gallery is saved
        raise GalleryError(f"{folder / model / SETTINGS_FILE} is of another model; build the gallery again.")
    _check_files(folder / model, files)
    return _read_tables(folder / model), settings


def _read_tables(folder: Path) -> pa.Table:
    try:
        tables = []
        for path in sorted(folder.glob("*.parquet")):
            with pq.ParquetFile(path) as file:  # a file alone: no column comes from a folder's name
                tables.append(file.read(columns=[*FIELDS, *EXTRAS]))
        table = pa.concat_tables(tables)
        table.validate(full=True)  # text that is no UTF-8 would else show when a visitor meets it
        return table
    except (pa.ArrowException, OSError, ValueError) as error:
        raise GalleryError(f"The table in {folder} cannot be read; build the gallery again.") from error


def _check_files(folder: Path, files: Mapping[str, str] | None) -> None:
    """Raise GalleryError unless all parts are there, and are the files that the settings name."""
    names = sorted(path.name for path in folder.glob("*.parquet"))
    counts = {int(part[1]) for name in names if (part := PART.search(name))}
    if len(counts) > 1 or (counts and counts != {len(names)}):
        raise GalleryError(
            f"The table in {folder} has {len(names)} of {max(counts)} parts; "
            "fetch or build the gallery again."
        )
    if files is None:  # a gallery from before files were named
        return
    try:
        found = _digests(folder)
    except OSError as error:
        raise GalleryError(f"The table in {folder} cannot be read; build the gallery again.") from error
    wrong = sorted(name for name in files.keys() | found.keys() if files.get(name) != found.get(name))
    if wrong:
        raise GalleryError(
            f"The table in {folder} is not the one that its {SETTINGS_FILE} describes ({len(wrong)} of "
            f"{len(files)} files differ); fetch or build the gallery again."
        )


def _digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each Parquet file by its name."""
    digests = {}
    for path in sorted(folder.glob("*.parquet")):
        with path.open("rb") as file:
            digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _replace(partial: Path, target: Path) -> None:
    """Put the folder `partial` where `target` is, which stays whole until then."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    partial.rename(target)
    shutil.rmtree(old, ignore_errors=True)
