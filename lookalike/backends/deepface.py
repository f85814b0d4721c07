"""The parts of DeepFace that this project uses. DeepFace is imported when it is first needed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DeepFaceModules:
    """The modules of DeepFace that this project uses."""

    DeepFace: Any
    modeling: Any
    backend_utils: Any
    threshold: Any


def import_deepface() -> DeepFaceModules:
    """Import DeepFace with the onnxruntime engine, unless DEEPFACE_BACKEND_ENGINE is set.

    With the TensorFlow engine the import takes 600 MB and 5 s.
    """
    os.environ.setdefault("DEEPFACE_BACKEND_ENGINE", "onnx")
    from deepface import DeepFace
    from deepface.commons import backend_utils
    from deepface.config import threshold
    from deepface.modules import modeling

    return DeepFaceModules(DeepFace, modeling, backend_utils, threshold)


def fetch_yunet() -> Path:
    """Return the file with YuNet's weights, downloaded by DeepFace if it is missing; raises its errors."""
    import_deepface()
    from deepface.commons.weight_utils import download_weights_if_necessary
    from deepface.models.face_detection.YuNet import WEIGHTS_URL

    return Path(download_weights_if_necessary(WEIGHTS_URL.rpartition("/")[2], WEIGHTS_URL))


def load_retinaface() -> Any:
    """Return the Keras model inside DeepFace's RetinaFace wrapper; the wrapper itself keeps only the eyes."""
    return import_deepface().modeling.build_model("face_detector", "retinaface").model
