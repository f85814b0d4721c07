"""DeepFace's models, applied to our own crops of faces."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lookalike.backends.deepface import import_deepface
from lookalike.backends.weights import check_weights, hash_weights, weights_folder
from lookalike.errors import WeightsError
from lookalike.faces.face import RGB, Face
from lookalike.files import BUNDLED
from lookalike.models.calibration import Calibration
from lookalike.models.embedder import Embeddings, Model, crop_face, unit_rows


class DeepFaceEmbedder:
    """One of DeepFace's models on our crops; its weights are fetched at first use and kept under
    DEEPFACE_HOME, and beside them the calibration that `python -m lookalike.evaluation percentage` fitted for
    them.
    """

    def __init__(self, model: Model) -> None:
        deepface = import_deepface()
        self.model = model
        self.engine = str(deepface.backend_utils.get_backend_engine())
        check_weights(model.weights)
        try:
            deepface.modeling.build_model("facial_recognition", model.name)
        except Exception as error:  # from a download, an optional package or a damaged file
            raise WeightsError(
                f"The weights of {model.name} could not be loaded; put them into {weights_folder()}, "
                f"and replace an incomplete file there, or use the model 'compact', which is bundled. "
                f"({' '.join(str(error).split())[:200]})"
            ) from error
        check_weights(model.weights)  # the file may be new
        self.weights_hash = hash_weights(model.name, model.weights, self.engine)
        self.calibration = _calibration(settings_path(model), self.weights_hash, model.dim)
        self._represent = deepface.DeepFace.represent
        self._lock = threading.Lock()  # DeepFace itself is not thread-safe

    def embed(self, image: RGB, faces: Sequence[Face]) -> Embeddings:
        """Return (len(faces), dim) float32 rows of unit length."""
        return self.embed_crops([crop_face(self.model, image, face) for face in faces])

    def embed_crops(self, crops: Sequence[RGB]) -> Embeddings:
        """Return (len(crops), dim) float32 rows of unit length."""
        if not crops:
            return np.empty((0, self.model.dim), np.float32)
        with self._lock:
            found = self._represent(
                [np.ascontiguousarray(crop[:, :, ::-1]) for crop in crops],  # RGB -> BGR
                model_name=self.model.name,
                detector_backend="skip",
                normalization=self.model.normalization,
            )
        # one crop gives a list with one face, several crops a list of such lists
        rows = [found[0]["embedding"]] if len(crops) == 1 else [faces[0]["embedding"] for faces in found]
        return unit_rows(np.asarray(rows, np.float32))


def settings_path(model: Model) -> Path:
    """Return the path of the JSON beside a registered model's weights, with their SHA-256 and the scale."""
    return (weights_folder() if model.weights else BUNDLED) / f"{model.name}.json"


def _calibration(path: Path, weights_hash: str, dim: int) -> Calibration | None:
    """Return the calibration that was fitted for these very weights, None where there is none."""
    if not path.exists():
        return None
    settings = json.loads(path.read_text(encoding="utf-8"))
    return Calibration.from_json(settings, dim) if settings["sha256"] == weights_hash else None
