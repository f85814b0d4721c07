"""RetinaFace from DeepFace, with its five landmarks."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from lookalike.faces.face import RGB, Face, largest_first

CONFIDENCE = 0.9  # the package's own default
LANDMARKS = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")  # person's right = image's left


class RetinaFace:
    """RetinaFace, Deng et al. 2020 (https://arxiv.org/abs/1905.00641), on TensorFlow: slow but thorough."""

    name = "retinaface"

    def __init__(self, network: Any) -> None:
        """`network` is the Keras model, see `lookalike.backends.deepface.load_retinaface`."""
        self._network = network
        self._lock = threading.Lock()

    def detect(self, image: RGB) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 RGB photo, largest first; `[]` if there is none."""
        from retinaface import RetinaFace as package  # imports TensorFlow

        bgr = np.ascontiguousarray(image[:, :, ::-1])
        with self._lock:
            found = package.detect_faces(bgr, model=self._network, threshold=CONFIDENCE)
        faces = found.values() if isinstance(found, dict) else []  # without a face it returns an empty tuple
        return largest_first([_to_face(face) for face in faces])


def _to_face(face: Mapping[str, Any]) -> Face:
    """Convert a face of the package. The package's left and right are the person's, ours are the image's."""
    left, top, right, bottom = (float(value) for value in face["facial_area"])
    points = np.array([face["landmarks"][name] for name in LANDMARKS], np.float32)
    return Face((left, top, right - left, bottom - top), points, float(face["score"]))
