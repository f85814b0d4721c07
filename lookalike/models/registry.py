"""The registry of models: `compact`, those of DeepFace, and networks from training runs.

A network from a training run is given by the folder of the run, which contains `embedder.onnx` and
`embedder.json`. The JSON has the model's name, its sizes, and the SHA-256 of the ONNX file.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

from lookalike.errors import UnknownModelError, WeightsError
from lookalike.files import BUNDLED
from lookalike.models.deepface_embedder import DeepFaceEmbedder, missing_packages, settings_path
from lookalike.models.embedder import Embedder, Model
from lookalike.models.onnx_embedder import OnnxEmbedder

DEFAULT_MODEL = "compact"
EMBEDDER_FILE = "embedder.onnx"

MODELS = (
    Model("compact", 128, (112, 112), "template", "", "apache-2.0"),
    Model("VGG-Face", 4096, (224, 224), "level-box", "vgg_face_weights", "cc-by-4.0"),
    Model("Facenet", 128, (160, 160), "level-box", "facenet_weights", "mit"),
    Model("Facenet512", 512, (160, 160), "level-box", "facenet512_weights", "mit"),
    Model("OpenFace", 128, (96, 96), "level-box", "openface_weights", "apache-2.0"),
    Model("DeepFace", 4096, (152, 152), "level-box", "VGGFace2_DeepFace_weights_val-0.9034", "mit"),
    Model("DeepID", 160, (47, 55), "level-box", "deepid", "mit"),
    Model(
        "Dlib",
        128,
        (150, 150),
        "dlib-chip",
        "dlib_face_recognition_resnet_model_v1",
        "cc0-1.0",
        packages=("dlib", "face_recognition_models"),
        centred=True,
    ),
    Model("ArcFace", 512, (112, 112), "template", "arcface_weights", "mit"),
    Model("SFace", 128, (112, 112), "template", "face_recognition_sface_2021dec", "apache-2.0"),
    Model("GhostFaceNet", 512, (112, 112), "template", "ghostfacenet_v1", "mit"),
    Model("Buffalo_L", 512, (112, 112), "template", "buffalo_l/webface_r50", "non-commercial"),
)


def find_model(spec: str) -> Model:
    """Return the registered model with the name `spec`, or the model of the training run in the folder
    `spec`.

    Raises UnknownModelError with the registered names, and WeightsError if the run has no network yet.
    """
    if not is_run(spec):
        return _registered(spec)
    folder = Path(spec)
    try:
        about = json.loads(_settings(folder).read_text(encoding="utf-8"))
        width, height = about["input_size"]
        return Model(about["name"], about["dim"], (width, height), about["alignment"], "", "unknown")
    except FileNotFoundError as error:
        raise WeightsError(
            f"{folder} contains no {EMBEDDER_FILE} with its JSON; a training run writes them when it ends."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{_settings(folder)} cannot be read; train the run again.") from error


_loaded: dict[tuple[str, int], Embedder] = {}
_lock = threading.Lock()


def load_embedder(spec: str = DEFAULT_MODEL, *, threads: int = 2) -> Embedder:
    """Return the embedder of `find_model(spec)`. Registered models are loaded once per process.

    `threads` work on one batch of a network of our own. One is best if several batches run at once. Raises
    UnknownModelError or WeightsError.
    """
    model = find_model(spec)
    if is_run(spec):
        return OnnxEmbedder(Path(spec) / EMBEDDER_FILE, model, threads=threads)
    with _lock:
        if (spec, threads) not in _loaded:
            _loaded[spec, threads] = (
                DeepFaceEmbedder(model)
                if model.weights
                else OnnxEmbedder(BUNDLED / f"{spec}.onnx", model, threads=threads)
            )
        return _loaded[spec, threads]


def is_installed(name: str) -> bool:
    """Return whether the packages are there that the model `name` needs beyond requirements.txt, if any."""
    return not any(model.name == name and missing_packages(model) for model in MODELS)


def calibration_path(spec: str) -> Path:
    """Return the JSON that holds the calibration of `find_model(spec)`; raise UnknownModelError."""
    return _settings(Path(spec)) if is_run(spec) else settings_path(find_model(spec))


def is_run(spec: str) -> bool:
    """Return whether `spec` is the folder of a training run; raise UnknownModelError if it does not exist.

    A registered name is always that model, even if there is a folder with this name.
    """
    if any(spec == model.name for model in MODELS):
        return False
    if Path(spec).is_dir():
        return True
    if "/" in spec:
        raise UnknownModelError(
            f"There is no training run in {spec}; give the folder of a run or the name of a model."
        )
    return False


def _registered(name: str) -> Model:
    for model in MODELS:
        if model.name == name:
            return model
    raise UnknownModelError(f"There is no model '{name}'; choose one of {', '.join(m.name for m in MODELS)}.")


def _settings(folder: Path) -> Path:
    return (folder / EMBEDDER_FILE).with_suffix(".json")
