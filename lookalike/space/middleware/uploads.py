"""Uploads that wait to be read: deleted after that, but not while another visitor waits with the same photo.

Gradio names an upload by what is in it, so that two visitors with one photo share one file.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Set
from pathlib import Path

FOLDER = "GRADIO_TEMP_DIR"  # the variable that tells gradio where uploads and pictures lie
EMPTY_SECONDS = 10.0  # after which an empty folder, which is named after a photo's hash, is removed


@contextlib.contextmanager
def upload_folder() -> Iterator[Path]:
    """Let gradio keep its files in a folder that other users cannot read, and delete it at the end.

    Where the variable GRADIO_TEMP_DIR names a folder, it is that one. Comes before gradio is imported.
    """
    if os.environ.get(FOLDER):
        yield Path(os.environ[FOLDER])
        return
    with tempfile.TemporaryDirectory(prefix="lookalike-", ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER] = folder
        try:
            yield Path(folder)
        finally:
            del os.environ[FOLDER]


def sweep(folder: Path, age: float) -> None:
    """Delete the files below a folder that are older than `age` seconds, and its folders that are empty.

    Gradio knows of no file whose upload broke off, and leaves every folder, named after its photo's hash.
    """
    now = time.time()
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            with contextlib.suppress(OSError):  # somebody else was faster
                if now - os.lstat(os.path.join(place, name)).st_ctime > age:
                    os.unlink(os.path.join(place, name))
        with contextlib.suppress(OSError):  # it is not empty
            if place != str(folder) and now - os.lstat(place).st_mtime > EMPTY_SECONDS:
                os.rmdir(place)


class Uploads(set[str]):
    """What gradio keeps as its set of uploaded files, with how often each was uploaded and not yet read."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[str, int] = {}
        self._inodes: dict[str, int] = {}
        self._lock = threading.Lock()

    def update(self, *files: Iterable[str]) -> None:
        """Note uploads; gradio calls this after each."""
        with self._lock:
            for name in (name for some in files for name in some):
                self.add(name)
                self._waiting[name] = self._waiting.get(name, 0) + 1
                with contextlib.suppress(OSError):  # it may be on its way from another disk
                    self._inodes[name] = os.stat(name).st_ino

    def __isub__(self, gone: Set[object]) -> Uploads:
        """Forget files; gradio calls this when it has deleted old ones."""
        with self._lock:
            for name in gone:
                self._forget(str(name))
        return self

    def done(self, name: str, *, linger: float = 0.0) -> None:
        """Say that an upload was read once; it is deleted `linger` seconds later unless others wait for it.

        What nobody uploaded is left alone: the same folder holds pictures that the page shows to others.
        """
        with self._lock:
            if name not in self:
                return
            self._waiting[name] = max(0, self._waiting.get(name, 0) - 1)
        if not linger:
            self._delete(name)
            return
        timer = threading.Timer(linger, self._delete, [name])
        timer.daemon = True  # when the server stops, gradio deletes what is left
        timer.start()

    def _delete(self, name: str) -> None:
        with self._lock, contextlib.suppress(OSError):
            if name in self and not self._waiting.get(name) and self._is_known(name):
                Path(name).unlink(missing_ok=True)
                self._forget(name)

    def _is_known(self, name: str) -> bool:
        """Return False where an upload has just replaced the file and is about to be noted."""
        return self._inodes.get(name, os.stat(name).st_ino) == os.stat(name).st_ino

    def _forget(self, name: str) -> None:
        self.discard(name)
        self._waiting.pop(name, None)
        self._inodes.pop(name, None)
