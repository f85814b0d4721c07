"""Sources for tests: photos, Parquet files and archives, on disk or as bytes."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def photo(red: int = 0, kind: str = "PNG") -> bytes:
    """Return a tiny photo of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (2, 2), (red, 0, 0)).save(file, kind)
    return file.getvalue()


def parquet(**columns: Sequence[object] | pa.Array) -> bytes:
    """Return a Parquet file without the note by which `datasets` knows its own columns."""
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def write_parquet(path: Path, **columns: Sequence[object] | pa.Array) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(parquet(**columns))
    return path


def tar(files: Mapping[str, bytes]) -> bytes:
    """Return a .tar archive of these files."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as opened:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            opened.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def write_photos(root: Path, *paths: str) -> Path:
    """Write files whose content is their own path."""
    return write_files(root, {path: path.encode() for path in paths})
