"""Uploaded photos: each is deleted once it was read, unless another request still needs the same file.

Gradio names an upload after its content, so two visitors with the same photo share one file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import IO

FOLDER = "lookalike-uploads-"  # with some random letters: the folder of one running page
LOCK = ".lookalike-lock"  # in that folder
TEMP_DIR_VARIABLE = "GRADIO_TEMP_DIR"  # tells gradio where to store uploads and pictures
EMPTY_SECONDS = 10.0  # after which an empty folder is removed; its name is the hash of a photo


@contextlib.contextmanager
def private_upload_folder() -> Iterator[Path]:
    """Make gradio store its files in a new folder that other users cannot read; delete the folder at the end.

    It is made below the folder that the variable GRADIO_TEMP_DIR names, or the system's. Folders of pages
    that were killed are deleted first; nothing else is. Enter this before gradio is imported.
    """
    given = os.environ.get(TEMP_DIR_VARIABLE)
    parent = Path(given or tempfile.gettempdir()).absolute()
    parent.mkdir(parents=True, exist_ok=True)
    delete_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=FOLDER, dir=parent))
    lock = _lock(folder)
    os.environ[TEMP_DIR_VARIABLE] = str(folder)
    try:
        yield folder
    finally:
        os.environ.pop(TEMP_DIR_VARIABLE)
        if given:
            os.environ[TEMP_DIR_VARIABLE] = given
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            lock.close()


def delete_abandoned(parent: Path) -> None:
    """Delete the folders of pages that were killed: they are ours by name, owner and lock file."""
    for folder in parent.glob(f"{FOLDER}*"):
        with contextlib.suppress(OSError):  # another user's, or deleted by another page just now
            if folder.is_symlink() or not (folder / LOCK).is_file() or folder.stat().st_uid != os.getuid():
                continue
            if (lock := _lock(folder)) is not None:  # otherwise a running page holds it
                shutil.rmtree(folder, ignore_errors=True)
                lock.close()


def _lock(folder: Path) -> IO[bytes] | None:
    """Return the folder's lock file, locked until it is closed or the process ends; None if another holds it.

    Raises no error where the system has no such locks; then nothing is abandoned.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    file = (folder / LOCK).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def delete_old_files(folder: Path, age: float) -> None:
    """Delete files below `folder` older than `age` seconds, except the lock file, and old empty subfolders.

    Gradio itself deletes neither interrupted uploads nor folders.
    """
    now = time.time()
    for place, _, names in os.walk(folder, topdown=False):
        for name in (name for name in names if name != LOCK):
            with contextlib.suppress(OSError):  # deleted meanwhile
                if now - os.lstat(os.path.join(place, name)).st_ctime > age:
                    os.unlink(os.path.join(place, name))
        with contextlib.suppress(OSError):  # not empty
            if place != str(folder) and now - os.lstat(place).st_mtime > EMPTY_SECONDS:
                os.rmdir(place)


class Uploads(set[str]):
    """Gradio's set of uploaded files, which also counts how many requests still have to read each."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[str, int] = {}
        self._inodes: dict[str, int] = {}
        self._lock = threading.Lock()

    def update(self, *files: Iterable[str]) -> None:
        """Add uploads; gradio calls this after each one."""
        with self._lock:
            for name in (name for some in files for name in some):
                self.add(name)
                self._waiting[name] = self._waiting.get(name, 0) + 1
                with contextlib.suppress(OSError):  # gradio may still be moving it from another disk
                    self._inodes[name] = os.stat(name).st_ino

    def __isub__(self, gone: Set[object]) -> Uploads:
        """Remove files from the set; gradio calls this when it has deleted old ones."""
        with self._lock:
            for name in gone:
                self._forget(str(name))
        return self

    def done(self, name: str, *, delay: float = 0.0) -> None:
        """Count one reading of an upload; delete it `delay` seconds later unless other requests need it.

        Files that nobody uploaded are kept: the same folder holds the pictures that the page shows.
        """
        with self._lock:
            if name not in self:
                return
            self._waiting[name] = max(0, self._waiting.get(name, 0) - 1)
        if not delay:
            self._delete(name)
            return
        timer = threading.Timer(delay, self._delete, [name])
        timer.daemon = True  # the folder is deleted when the server stops
        timer.start()

    def _delete(self, name: str) -> None:
        with self._lock, contextlib.suppress(OSError):
            if name in self and not self._waiting.get(name) and self._is_known(name):
                Path(name).unlink(missing_ok=True)
                self._forget(name)

    def _is_known(self, name: str) -> bool:
        """Return False if a new upload has just replaced the file and is not yet in the set."""
        return self._inodes.get(name, os.stat(name).st_ino) == os.stat(name).st_ino

    def _forget(self, name: str) -> None:
        self.discard(name)
        self._waiting.pop(name, None)
        self._inodes.pop(name, None)
