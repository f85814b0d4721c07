"""The folder `.work` beside a gallery: what builds keep, the lock against a second one, their progress."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from lookalike.errors import GalleryError
from lookalike.files import write_text

WORK = ".work"
PROGRESS_FILE = "progress.json"


@dataclass(frozen=True)
class Progress:
    """How many records of a source a build has read, of `total`, and how long it will take; None is unknown.

    `complete` is whether the gallery was written with all of them.
    """

    records: int = 0
    total: int | None = None
    seconds_left: float | None = None
    complete: bool = False


@contextmanager
def exclusive(output: Path) -> Iterator[None]:
    """Lock `output` against other builds. Raises GalleryError where one is running there."""
    from filelock import FileLock, Timeout

    (output / WORK).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(output / WORK / "lock", timeout=0):  # the system releases it when a build is killed
            yield
    except Timeout as error:
        raise GalleryError(
            f"Another build is running in {output}; wait for it, or choose another folder."
        ) from error


def write_progress(output: Path, progress: Progress) -> None:
    """Write how far the build of the gallery in `output` is. Raises OSError."""
    write_text(output / WORK / PROGRESS_FILE, json.dumps(asdict(progress)))


def read_progress(output: Path) -> Progress:
    """Return how far the latest build of the gallery in `output` came; nowhere where that is not known."""
    try:
        return Progress(**json.loads((output / WORK / PROGRESS_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Progress()
