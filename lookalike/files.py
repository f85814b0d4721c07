"""Files on disk: atomic writes, hashes, the folder of bundled files; and output that no terminal refuses."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUNDLED = Path(__file__).parent / "bundled"  # the files that ship with the package


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; replace `path` by it when the block ends without an error.

    After an error `path` is unchanged. After success the file is on disk and survives a power cut. A missing
    folder is created. The temporary file is in the same folder, its name starts with a dot, and it has the
    suffix of `path`. Raises OSError.
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
    """Write `text` to `path` as UTF-8, atomically; see `atomic_write`."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")


def cache_folder(kind: str, name: str) -> Path:
    """Return the folder for what is kept of a `kind` for `name`, whatever that is; it need not exist.

    It is in LOOKALIKE_CACHE, by default in the user's folder for caches.
    """
    chosen = os.environ.get("LOOKALIKE_CACHE")
    root = Path(chosen) if chosen else _user_cache() / "lookalike"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name).strip(".")[:60]
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    return root / kind / f"{plain}-{digest[:8]}"


def _user_cache() -> Path:
    """Return the folder for caches of this user: that of XDG on Linux, else the system's own."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    return Path(chosen) if chosen.startswith("/") else Path.home() / ".cache"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_writable(folder: Path) -> None:
    """Raise OSError unless files can be written into `folder`, which need not be there; leave nothing."""
    parents = (folder.absolute(), *folder.absolute().parents)
    with tempfile.TemporaryFile(dir=next(parent for parent in parents if parent.exists())):
        pass


def escape_unprintable_output() -> None:
    """Let `print` escape the letters that the output cannot encode, as on Windows where it is redirected."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
