"""The models on offer, DeepFace's and our own, behind one protocol: faces in a photo -> unit embeddings.

Every face reaches every model as our own crop, made once from the photo's pixels: warped to ArcFace's
five-point template, or the eye-levelled box, whichever the model was trained on.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.backends.onnx import open_session
from lookalike.backends.weights import check_weights, hash_weights, weights_folder
from lookalike.errors import OutOfMemoryError, UnknownModelError, WeightsError
from lookalike.faces.face import RGB, Face, align, level_box
from lookalike.models.similarity import Scale

Embeddings = NDArray[np.float32]  # (n, dim), rows of unit length
Alignment = Literal["template", "level-box"]

DEFAULT_MODEL = "compact"
BATCH = 32  # crops a run; alone or among 64, a crop takes the same time, so memory decides
NO_MEMORY = re.compile("allocate memory|bad_alloc|bad allocation")  # what onnxruntime says of it
BUNDLED = Path(__file__).parents[1] / "bundled"


@dataclass(frozen=True)
class Model:
    """What is known of a model before its weights are loaded.

    `input_size` is (width, height) in pixels; `weights` is how its file under DEEPFACE_HOME begins, the
    same for every engine (the bundled model has none there); `normalization` is DeepFace's name for what
    happens to the pixels.
    """

    name: str
    dim: int
    input_size: tuple[int, int]
    alignment: Alignment
    weights: str
    licence: str
    normalization: str = "base"  # what DeepFace.represent does unless told, so that tables can be compared


MODELS = (
    Model("compact", 128, (112, 112), "template", "", "apache-2.0"),
    Model("VGG-Face", 4096, (224, 224), "level-box", "vgg_face_weights", "cc-by-4.0"),
    Model("Facenet", 128, (160, 160), "level-box", "facenet_weights", "mit"),
    Model("Facenet512", 512, (160, 160), "level-box", "facenet512_weights", "mit"),
    Model("OpenFace", 128, (96, 96), "level-box", "openface_weights", "apache-2.0"),
    Model("DeepFace", 4096, (152, 152), "level-box", "VGGFace2_DeepFace_weights_val-0.9034", "mit"),
    Model("DeepID", 160, (47, 55), "level-box", "deepid", "mit"),
    Model("ArcFace", 512, (112, 112), "template", "arcface_weights", "mit"),
    Model("SFace", 128, (112, 112), "template", "face_recognition_sface_2021dec", "apache-2.0"),
    Model("GhostFaceNet", 512, (112, 112), "template", "ghostfacenet_v1", "mit"),
    Model("Buffalo_L", 512, (112, 112), "template", "buffalo_l/webface_r50", "non-commercial"),
)


class Embedder(Protocol):
    """A loaded model.

    `weights_hash` is the SHA-256 of its file; `scale` is the way from its cosines to percentages, None
    where nobody has fitted one.
    """

    @property
    def model(self) -> Model: ...
    @property
    def engine(self) -> str: ...
    @property
    def weights_hash(self) -> str: ...
    @property
    def scale(self) -> Scale | None: ...

    def embed(self, image: RGB, faces: Sequence[Face]) -> Embeddings:
        """Return (len(faces), dim) float32 rows of unit length."""
        ...

    def embed_crops(self, crops: Sequence[RGB]) -> Embeddings:
        """Return (len(crops), dim) float32 rows of unit length for crops that `crop_face` made."""
        ...


def crop_face(model: Model, image: RGB, face: Face) -> RGB:
    """Return the face as `model` wants to see it, (height, width, 3) uint8 RGB."""
    if model.alignment == "template":
        return align(image, face, model.input_size[0])
    return level_box(image, face, model.input_size)


def find_model(name: str) -> Model:
    """Return the registered model of that name; raise UnknownModelError with the names there are."""
    for model in MODELS:
        if model.name == name:
            return model
    raise UnknownModelError(f"There is no model '{name}'; choose one of {', '.join(m.name for m in MODELS)}.")


_loaded: dict[tuple[str, int], Embedder] = {}
_lock = threading.Lock()


def load_embedder(name: str = DEFAULT_MODEL, *, threads: int = 2) -> Embedder:
    """Return the embedder of that name, one object a process; raise UnknownModelError or WeightsError.

    `threads` run a network of our own; one is best where several batches are run at once.
    """
    model = find_model(name)
    with _lock:
        if (name, threads) not in _loaded:
            _loaded[name, threads] = (
                DeepFaceEmbedder(model)
                if model.weights
                else OnnxEmbedder(BUNDLED / f"{name}.onnx", model, threads=threads)
            )
        return _loaded[name, threads]


class OnnxEmbedder:
    """A network of our own: an ONNX file and a JSON beside it.

    The network takes (n, height, width, 3) float32 RGB 0..1 and gives (n, dim). The JSON holds the scale and
    the file's SHA-256, so that a network that was cut short or exchanged is refused.
    """

    engine = "onnxruntime"

    def __init__(self, path: Path, model: Model, *, threads: int = 2) -> None:
        try:
            settings = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            weights, digest = path.read_bytes(), settings["sha256"]
            self.scale = Scale.from_json(settings["percentage"]) if "percentage" in settings else None
        except OSError as error:
            raise WeightsError(f"{error.filename} is missing or cannot be read; install it again.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise WeightsError(
                f"{path.with_suffix('.json')} is damaged; install the project again."
            ) from error
        self.model = model
        self.weights_hash = hashlib.sha256(weights).hexdigest()
        if self.weights_hash != digest:
            raise WeightsError(
                f"{path} is not the file that {path.with_suffix('.json').name} describes; install it again."
            )
        self._session = open_session(weights, threads=threads)
        self._input = self._session.get_inputs()[0].name

    def embed(self, image: RGB, faces: Sequence[Face]) -> Embeddings:
        """Return (len(faces), dim) float32 rows of unit length."""
        return self.embed_crops([crop_face(self.model, image, face) for face in faces])

    def embed_crops(self, crops: Sequence[RGB]) -> Embeddings:
        """Return (len(crops), dim) float32 rows of unit length."""
        if not crops:
            return np.empty((0, self.model.dim), np.float32)
        batches = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
        return unit_rows(np.concatenate([self._run_in_parts(batch) for batch in batches]))

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, height, width, 3) float32 RGB 0..1 -> (n, dim) float32, as the network gives it."""
        try:
            (rows,) = self._session.run(None, {self._input: batch})
        except Exception as error:  # onnxruntime has no kind of its own for this
            if NO_MEMORY.search(str(error)):
                raise MemoryError(str(error)[:200]) from error
            raise
        return np.asarray(rows, np.float32)

    def _run_in_parts(self, crops: Sequence[RGB]) -> NDArray[np.float32]:
        """Run the crops at once, or where the memory does not do, one half after the other."""
        try:
            return self.run(np.stack(crops).astype(np.float32) / np.float32(255))
        except MemoryError as error:
            if len(crops) == 1:
                raise OutOfMemoryError(
                    "There is not enough memory for a face at the moment; try again in a while."
                ) from error
        half = len(crops) // 2
        return np.concatenate([self._run_in_parts(crops[:half]), self._run_in_parts(crops[half:])])


class DeepFaceEmbedder:
    """One of DeepFace's models on our crops; its weights are fetched at first use and kept under
    DEEPFACE_HOME, and beside them the scale that `python -m lookalike.evaluation percentage` fitted for them.
    """

    def __init__(self, model: Model) -> None:
        deepface = import_deepface()
        self.model = model
        self.engine = str(deepface.backend_utils.get_backend_engine())
        check_weights(model.weights)
        try:
            deepface.modeling.build_model("facial_recognition", model.name)
        except Exception as error:  # whatever a download, an optional package or a broken file raises
            raise WeightsError(
                f"The weights of {model.name} could not be loaded; put them into {weights_folder()}, in "
                f"place of a file that is cut short, or use the model '{DEFAULT_MODEL}', which needs none. "
                f"({' '.join(str(error).split())[:200]})"
            ) from error
        check_weights(model.weights)  # which may have been fetched just now
        self.weights_hash = hash_weights(model.name, model.weights, self.engine)
        self.scale = _fitted_scale(settings_path(model), self.weights_hash)
        self._represent = deepface.DeepFace.represent
        self._lock = threading.Lock()  # DeepFace has none of its own

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
        # one picture gives a list of one face, several give a list of such lists
        rows = [found[0]["embedding"]] if len(crops) == 1 else [faces[0]["embedding"] for faces in found]
        return unit_rows(np.asarray(rows, np.float32))


def unit_rows(rows: NDArray[np.floating[Any]]) -> Embeddings:
    """Return (n, d) rows scaled to unit length, float32; a row of zeros stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)


@dataclass(frozen=True)
class DeepFaceModules:
    """The parts of DeepFace that are used here."""

    DeepFace: Any
    modeling: Any
    backend_utils: Any
    threshold: Any


def import_deepface() -> DeepFaceModules:
    """Import DeepFace on onnxruntime unless DEEPFACE_BACKEND_ENGINE says otherwise: TensorFlow takes 600 MB
    and 5 s.
    """
    os.environ.setdefault("DEEPFACE_BACKEND_ENGINE", "onnx")
    from deepface import DeepFace
    from deepface.commons import backend_utils
    from deepface.config import threshold
    from deepface.modules import modeling

    return DeepFaceModules(DeepFace, modeling, backend_utils, threshold)


def settings_path(model: Model) -> Path:
    """Return the JSON beside a registered model's weights: their SHA-256 and the fitted percentage."""
    return (weights_folder() if model.weights else BUNDLED) / f"{model.name}.json"


def _fitted_scale(path: Path, weights_hash: str) -> Scale | None:
    """Return the scale that was fitted for these very weights, None where there is none."""
    if not path.exists():
        return None
    settings = json.loads(path.read_text(encoding="utf-8"))
    return Scale.from_json(settings["percentage"]) if settings["sha256"] == weights_hash else None
