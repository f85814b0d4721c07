"""Files on disk: written whole or not at all, and known by their hash."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUNDLED = Path(__file__).parent / "bundled"  # the files that ship with the package


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a path to write to, and put the file in the place of `path` when the block ends without an error.

    Until then, and after an error, `path` is what it was; after this returns it survives a power cut. The
    folder is made where it is missing. The temporary file keeps the suffix of `path`, begins with a dot and
    stays in the same folder. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all; see `atomic_write`."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
