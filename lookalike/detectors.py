"""The detectors on offer: each finds faces with five landmarks.

`mtcnn` needs no download and is the default. `yunet` and `retinaface` are DeepFace's, whose weights are
fetched at first use and kept under DEEPFACE_HOME; their five landmarks come from the raw model inside
DeepFace's wrapper, which itself keeps only the eyes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.errors import UnknownModelError, WeightsError
from lookalike.faces import RGB, Detector, Face, largest_first
from lookalike.mtcnn import Mtcnn

DEFAULT_DETECTOR = "mtcnn"
YUNET_SIDE = 640  # pixels; larger photos are searched at this size, where most faces of 40 pixels are found
YUNET_LEAST_SIDE = (
    320  # smaller ones are enlarged: on crops of 64 to 160 pixels its landmarks are then steadier,
)
# and the median cosine between embeddings by its alignment and by MTCNN's goes from 0.93 to 0.95
YUNET_CONFIDENCE = 0.6  # at DeepFace's 0.9 a quarter of the faces turned by 15 degrees are lost
RETINAFACE_CONFIDENCE = 0.9  # its own default


class YuNet:
    """YuNet, Wu et al. 2023 (https://doi.org/10.1007/s11633-023-1423-y), through OpenCV; one photo at a
    time.
    """

    name = "yunet"

    def __init__(self) -> None:
        self._network = _deepface_detector("yunet")
        self._network.setScoreThreshold(YUNET_CONFIDENCE)
        self._lock = threading.Lock()  # setInputSize and detect share one object

    def detect(self, image: RGB) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 RGB photo, largest first."""
        longer = max(image.shape[:2])
        scale = min(max(longer, YUNET_LEAST_SIDE), YUNET_SIDE) / longer
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        seen = image if scale == 1 else cv2.resize(image, size, interpolation=kind)
        with self._lock:
            self._network.setInputSize(size)
            _, rows = self._network.detect(np.ascontiguousarray(seen[:, :, ::-1]))
        found = [] if rows is None else rows
        return largest_first([_yunet_face(row, image.shape[1] / size[0]) for row in found])


class RetinaFace:
    """RetinaFace, Deng et al. 2020 (https://arxiv.org/abs/1905.00641), on TensorFlow; slow and thorough."""

    name = "retinaface"

    def __init__(self) -> None:
        self._network = _deepface_detector("retinaface")
        self._lock = threading.Lock()

    def detect(self, image: RGB) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 RGB photo, largest first."""
        from retinaface import RetinaFace as package  # imports TensorFlow

        bgr = np.ascontiguousarray(image[:, :, ::-1])
        with self._lock:
            found = package.detect_faces(bgr, model=self._network, threshold=RETINAFACE_CONFIDENCE)
        faces = found.values() if isinstance(found, dict) else []  # a tuple of nothing when there is no face
        return largest_first([_retinaface_face(face) for face in faces])


_KINDS: dict[str, Callable[[], Detector]] = {"mtcnn": Mtcnn, "yunet": YuNet, "retinaface": RetinaFace}
DETECTORS = tuple(_KINDS)

_loaded: dict[str, Detector] = {}
_lock = threading.Lock()


def load_detector(name: str = DEFAULT_DETECTOR) -> Detector:
    """Return the detector of that name, one object a process; raise UnknownModelError or WeightsError."""
    if name not in _KINDS:
        raise UnknownModelError(f"There is no detector '{name}'; choose one of {', '.join(DETECTORS)}.")
    with _lock:
        if name not in _loaded:
            _loaded[name] = _KINDS[name]()
        return _loaded[name]


def _deepface_detector(name: str) -> Any:
    """Return the OpenCV or Keras object inside DeepFace's wrapper."""
    os.environ.setdefault("DEEPFACE_BACKEND_ENGINE", "onnx")
    from deepface.modules import modeling

    try:
        return modeling.build_model("face_detector", name).model
    except Exception as error:  # DeepFace wraps downloads that failed in ValueError, others pass through
        raise WeightsError(
            f"The weights of the detector '{name}' could not be fetched; "
            f"use the detector '{DEFAULT_DETECTOR}', which needs none."
        ) from error


def _yunet_face(row: NDArray[np.float32], scale: float) -> Face:
    """Return the face of a (15,) row: box, five points, score; a pixel of what it saw is `scale` wide."""
    x, y, width, height = (float(value) * scale for value in row[:4])
    return Face(
        (x, y, width, height),
        ((row[4:14].reshape(5, 2) + 0.5) * scale - 0.5).astype(np.float32),  # between pixel centres
        float(row[14]),
    )


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
