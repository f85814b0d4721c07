"""The systems that are compared: our pipeline, and DeepFace doing the same.

DeepFace's networks run with random weights, which takes as long as with trained ones; Dlib runs with its own
(requirements-dlib.txt). Only detectors that need no download are used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.clock import Seconds, StageClock
from benchmarks.workers import Process
from lookalike.backends.weights import copy_packaged_weights
from lookalike.errors import WeightsError
from lookalike.finder import MAX_FACES, Lookalikes
from lookalike.images import read_image
from lookalike.models.embedder import crop_face
from lookalike.models.registry import find_model

NETWORKS = {
    "VGG-Face": "vgg_face_weights",
    "Facenet512": "facenet512_weights",
}  # DeepFace's model -> its weight file
DLIB = find_model("Dlib")
SEED = 0


def open_ours(detector: str) -> Process:
    """Return our pipeline: bytes, upright photo, faces, crops, embeddings, names."""
    finder = Lookalikes.load(detector=detector)
    finder.warm_up()

    def process(photo: bytes) -> Seconds:
        clock = StageClock()
        with clock("decode"):
            image = read_image(photo)
        with clock("detect"):
            faces = finder.detector.detect(image)[:MAX_FACES]
        with clock("align"):
            crops = [crop_face(finder.embedder.model, image, face) for face in faces]
        with clock("embed"):
            probes = finder.embedder.embed_crops(crops)
        with clock("search"):
            for probe in probes:
                finder.gallery.search(probe)
        return clock.seconds

    return process


def open_represent(model: str, detector: str, engine: str, home: str) -> Process:
    """Return `DeepFace.represent` on the decoded photo."""
    deepface = _deepface(model, engine, Path(home))

    def process(photo: bytes) -> Seconds:
        deepface.represent(_bgr(photo), model_name=model, detector_backend=detector, enforce_detection=False)
        return {}

    return process


def open_find(model: str, detector: str, names: int, home: str) -> Process:
    """Return `DeepFace.find` on the decoded photo, over an up-to-date database with one row per name."""
    deepface = _deepface(model, "tensorflow", Path(home))
    folder = Path(home) / f"database-{model}-{detector}-{names}"
    dim = len(
        deepface.represent(np.zeros((224, 224, 3), np.uint8), model, detector_backend="skip")[0]["embedding"]
    )
    _write_database(folder, model=model, detector=detector, names=names, dim=dim)

    def process(photo: bytes) -> Seconds:
        deepface.find(
            _bgr(photo),
            db_path=str(folder),
            model_name=model,
            detector_backend=detector,
            enforce_detection=False,
            similarity_search=True,
            k=5,
            silent=True,
            refresh_database=False,  # the fastest setting; otherwise it checks every file on disk
        )
        return {}

    return process


def _bgr(photo: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)


def _deepface(model: str, engine: str, home: Path) -> Any:
    """Import DeepFace with an engine and weights in `home`; write random ones for TensorFlow if missing."""
    os.environ |= {"DEEPFACE_HOME": str(home), "DEEPFACE_BACKEND_ENGINE": engine}
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from deepface import DeepFace  # first: it decides which Keras its networks use

    if model == DLIB.name:
        copy_packaged_weights(DLIB.weights)
        DeepFace.build_model(model)
        return DeepFace
    suffix = {"tensorflow": ".h5", "onnx": ".onnx"}[engine]
    file = home / ".deepface" / "weights" / (NETWORKS[model] + suffix)
    if not file.exists():
        if engine != "tensorflow":
            raise WeightsError(f"There are no weights of {model} for {engine}.")
        _write_random_weights(model, file)
    DeepFace.build_model(model)
    return DeepFace


def _write_random_weights(model: str, file: Path) -> None:
    from deepface.models.facial_recognition.tf import Facenet, VGGFace

    file.parent.mkdir(parents=True, exist_ok=True)
    network = VGGFace.base_model() if model == "VGG-Face" else Facenet.InceptionResNetV1(dimension=512)
    network.save_weights(str(file))


def _write_database(folder: Path, *, model: str, detector: str, names: int, dim: int) -> None:
    """Write the table that `find` caches for a folder of photos, with one random row per name."""
    folder.mkdir(exist_ok=True)
    rows = np.random.default_rng(SEED).normal(size=(names, dim))
    box = np.full(names, 100, np.int64)
    parts = ("ds_model", model, "detector", detector, "aligned_normalization_base_expand_0")
    np.savez(
        folder / ("_".join(parts).replace("-", "").lower() + ".npz"),
        embedding=rows / np.linalg.norm(rows, axis=1, keepdims=True),
        has_embedding=np.ones(names, bool),
        identity=np.array([str(folder / f"{number}.jpg") for number in range(names)]),
        hash=np.array(["0" * 40] * names),
        target_x=box,
        target_y=box,
        target_w=box,
        target_h=box,
    )
