"""The detectors on offer: each finds faces with five landmarks.

`mtcnn` needs no download and is the default. `yunet` and `retinaface` are those that DeepFace offers, whose
weights it fetches at first use and keeps under DEEPFACE_HOME; their five landmarks come from the network
itself, since DeepFace's wrappers keep only the eyes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from lookalike.backends.weights import check_weights, weights_folder
from lookalike.errors import UnknownModelError, WeightsError
from lookalike.faces.face import RGB, Detector, Face, largest_first
from lookalike.faces.mtcnn import Mtcnn
from lookalike.faces.yunet import YuNet

DEFAULT_DETECTOR = "mtcnn"
RETINAFACE_CONFIDENCE = 0.9  # its own default


class RetinaFace:
    """RetinaFace, Deng et al. 2020 (https://arxiv.org/abs/1905.00641), on TensorFlow; slow and thorough."""

    name = "retinaface"

    def __init__(self) -> None:
        self._network = _fetched("retinaface", _retinaface_network)
        self._lock = threading.Lock()

    def detect(self, image: RGB) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 RGB photo, largest first."""
        from retinaface import RetinaFace as package  # imports TensorFlow

        bgr = np.ascontiguousarray(image[:, :, ::-1])
        with self._lock:
            found = package.detect_faces(bgr, model=self._network, threshold=RETINAFACE_CONFIDENCE)
        faces = found.values() if isinstance(found, dict) else []  # a tuple of nothing when there is no face
        return largest_first([_retinaface_face(face) for face in faces])


def open_yunet(*, threads: int = 2) -> YuNet:
    """Return YuNet on the file that DeepFace keeps; raise WeightsError where it cannot be fetched or read."""
    return YuNet(_fetched("yunet", _yunet_file).read_bytes(), threads=threads)


_KINDS: dict[str, Callable[[int], Detector]] = {
    "mtcnn": lambda threads: Mtcnn(threads=threads),
    "yunet": lambda threads: open_yunet(threads=threads),
    "retinaface": lambda threads: RetinaFace(),  # TensorFlow takes every core
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
    os.environ.setdefault("DEEPFACE_BACKEND_ENGINE", "onnx")
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


def _yunet_file() -> Path:
    from deepface.commons.weight_utils import download_weights_if_necessary
    from deepface.models.face_detection.YuNet import WEIGHTS_URL

    return Path(download_weights_if_necessary(WEIGHTS_URL.rpartition("/")[2], WEIGHTS_URL))


def _retinaface_network() -> Any:
    """Return the Keras model inside DeepFace's wrapper."""
    from deepface.modules import modeling

    return modeling.build_model("face_detector", "retinaface").model


def _retinaface_face(face: Mapping[str, Any]) -> Face:
    """Return the face of the package's dictionary, which names sides as the person would."""
    left, top, right, bottom = (float(value) for value in face["facial_area"])
    marks = face["landmarks"]
    order = (
        "right_eye",
        "left_eye",
        "nose",
        "mouth_right",
        "mouth_left",
    )  # the person's right is the image's left
    points = np.array([marks[name] for name in order], np.float32)
    return Face((left, top, right - left, bottom - top), points, float(face["score"]))
