"""The registry of face detectors. To add one, write a class like `YuNet` and enter it in `_LOADERS`.

`mtcnn` is the default and needs no download. DeepFace downloads the weights of `yunet` and `retinaface` at
first use and keeps them under DEEPFACE_HOME. All detectors return five landmarks. DeepFace's own wrappers
keep only the eyes, so we use the networks inside them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from lookalike.backends.deepface import fetch_yunet, load_retinaface
from lookalike.backends.weights import check_weights, weights_folder
from lookalike.errors import UnknownModelError, WeightsError
from lookalike.faces.face import Detector
from lookalike.faces.mtcnn import Mtcnn
from lookalike.faces.retinaface import RetinaFace
from lookalike.faces.yunet import YuNet

DEFAULT_DETECTOR = "mtcnn"


def open_yunet(*, threads: int = 2) -> YuNet:
    """Return YuNet with the weights that DeepFace keeps; raise WeightsError if they cannot be downloaded or
    read.
    """
    return YuNet(_fetched("yunet", fetch_yunet).read_bytes(), threads=threads)


_LOADERS: dict[str, Callable[[int], Detector]] = {
    "mtcnn": lambda threads: Mtcnn(threads=threads),
    "yunet": lambda threads: open_yunet(threads=threads),
    # TensorFlow decides about its threads itself
    "retinaface": lambda threads: RetinaFace(_fetched("retinaface", load_retinaface)),
}
DETECTORS = tuple(_LOADERS)

Fetched = TypeVar("Fetched")

_loaded: dict[tuple[str, int], Detector] = {}
_lock = threading.Lock()


def load_detector(name: str = DEFAULT_DETECTOR, *, threads: int = 2) -> Detector:
    """Return the detector with this name, loaded once per process.

    `threads` work on one photo. One is best if several photos are processed at once. Raises UnknownModelError
    or WeightsError.
    """
    if name not in _LOADERS:
        raise UnknownModelError(f"There is no detector '{name}'; choose one of {', '.join(DETECTORS)}.")
    with _lock:
        if (name, threads) not in _loaded:
            _loaded[name, threads] = _LOADERS[name](threads)
        return _loaded[name, threads]


def _fetched(name: str, fetch: Callable[[], Fetched]) -> Fetched:
    """Return the result of `fetch`, which downloads weights if needed; raise WeightsError if it fails."""
    stem = f"face_detection_{name}"  # of the file with the weights
    check_weights(stem)
    try:
        fetched = fetch()
    except Exception as error:  # DeepFace raises ValueError for failed downloads, and lets others through
        raise WeightsError(
            f"The weights of the detector '{name}' could not be downloaded or loaded ({weights_folder()}); "
            f"use the detector '{DEFAULT_DETECTOR}', which needs no download."
        ) from error
    check_weights(stem)  # the file may be new
    return fetched
