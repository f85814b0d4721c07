"""The folder `.work` beside a gallery: the ledgers of its builds, and the lock against a second build."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lookalike.building import gate, thumbnails
from lookalike.errors import GalleryError
from lookalike.faces.face import Detector
from lookalike.models.embedder import Embedder

WORK = ".work"


def ledger_folder(output: Path, detector: Detector, embedder: Embedder, *, photos: bool) -> Path:
    """Return the folder of the ledger for builds into `output` with this gate, detector and embedder."""
    model = embedder.model
    way = (
        gate.VERSION,
        detector.name,
        (model.name, model.alignment, model.normalization, embedder.engine, embedder.weights_hash),
        (thumbnails.SIDE, thumbnails.QUALITY, thumbnails.ROOM) if photos else None,
    )
    return output / WORK / f"{model.name}-{hashlib.sha256(repr(way).encode()).hexdigest()[:12]}"


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
