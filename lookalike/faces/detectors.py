"""The detectors on offer: each finds faces with five landmarks.

`mtcnn` needs no download and is the default. `yunet` and `retinaface` are those that DeepFace offers, whose
weights it fetches at first use and keeps under DEEPFACE_HOME; their five landmarks come from the network
itself, since DeepFace's wrappers keep only the eyes.
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
    """Return YuNet on the file that DeepFace keeps; raise WeightsError where it cannot be fetched or read."""
    return YuNet(_fetched("yunet", fetch_yunet).read_bytes(), threads=threads)


_KINDS: dict[str, Callable[[int], Detector]] = {
    "mtcnn": lambda threads: Mtcnn(threads=threads),
    "yunet": lambda threads: open_yunet(threads=threads),
    "retinaface": lambda threads: RetinaFace(
        _fetched("retinaface", load_retinaface)
    ),  # TensorFlow takes every core
}
DETECTORS = tuple(_KINDS)

Fetched = TypeVar("Fetched")

_loaded: dict[tuple[str, int], Detector] = {}
_lock = threading.Lock()


def load_detector(name: str = DEFAULT_DETECTOR, *, threads: int = 2) -> Detector:
    """Return the detector of that name, one object a process; raise UnknownModelError or WeightsError.

    `threads` look at one photo; one is best where several photos are looked at at once.
    """
    if name not in _KINDS:
        raise UnknownModelError(f"There is no detector '{name}'; choose one of {', '.join(DETECTORS)}.")
    with _lock:
        if (name, threads) not in _loaded:
            _loaded[name, threads] = _KINDS[name](threads)
        return _loaded[name, threads]


def _fetched(name: str, fetch: Callable[[], Fetched]) -> Fetched:
    """Return what `fetch` gets of DeepFace; raise WeightsError with the way out where it cannot."""
    stem = f"face_detection_{name}"  # of the files that we know
    check_weights(stem)
    try:
        fetched = fetch()
    except Exception as error:  # DeepFace wraps downloads that failed in ValueError, others pass through
        raise WeightsError(
            f"The weights of the detector '{name}' could not be fetched or loaded ({weights_folder()}); "
            f"use the detector '{DEFAULT_DETECTOR}', which needs none."
        ) from error
    check_weights(stem)  # which may have been fetched just now
    return fetched
