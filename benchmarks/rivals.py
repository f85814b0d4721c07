"""The contestants that answer a photo: ours, and DeepFace doing the same.

DeepFace's networks run on weights drawn at random, which takes as long as trained ones; only detectors that
need no download are asked.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.clock import Seconds, Stages
from benchmarks.workers import Look
from lookalike.errors import WeightsError
from lookalike.finder import MAX_FACES, Lookalikes
from lookalike.images import read_image
from lookalike.models.embedder import crop_face

# How DeepFace's weight files are called, and the function that makes the network they belong to.
NETWORKS = {"VGG-Face": "vgg_face_weights", "Facenet512": "facenet512_weights"}
SEED = 0


def open_ours(detector: str) -> Look:
    """Return what the page does: bytes, upright photo, faces, crops, embeddings, names."""
    finder = Lookalikes.load(detector=detector)
    finder.warm_up()

    def look(photo: bytes) -> Seconds:
        clock = Stages()
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

    return look


def open_represent(model: str, detector: str, engine: str, home: str) -> Look:
    """Return `DeepFace.represent` on the decoded photo."""
    deepface = _deepface(model, engine, Path(home))

    def look(photo: bytes) -> Seconds:
        deepface.represent(_bgr(photo), model_name=model, detector_backend=detector, enforce_detection=False)
        return {}

    return look


def open_find(model: str, detector: str, names: int, home: str) -> Look:
    """Return `DeepFace.find` on the decoded photo, over a database of one row a name that is up to date."""
    deepface = _deepface(model, "tensorflow", Path(home))
    folder = Path(home) / f"database-{model}-{detector}-{names}"
    dim = len(
        deepface.represent(np.zeros((224, 224, 3), np.uint8), model, detector_backend="skip")[0]["embedding"]
    )
    _write_database(folder, model=model, detector=detector, names=names, dim=dim)

    def look(photo: bytes) -> Seconds:
        deepface.find(
            _bgr(photo),
            db_path=str(folder),
            model_name=model,
            detector_backend=detector,
            enforce_detection=False,
            similarity_search=True,
            k=5,
            silent=True,
            refresh_database=False,  # the quickest way it has: without, it asks the disk for every file
        )
        return {}

    return look


def _bgr(photo: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)


def _deepface(model: str, engine: str, home: Path) -> Any:
    """Import DeepFace on an engine, with weights at `home`: TensorFlow's are drawn if they are not there."""
    os.environ |= {"DEEPFACE_HOME": str(home), "DEEPFACE_BACKEND_ENGINE": engine}
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from deepface import DeepFace  # first: it decides which Keras its networks are made of

    suffix = {"tensorflow": ".h5", "onnx": ".onnx"}[engine]
    file = home / ".deepface" / "weights" / (NETWORKS[model] + suffix)
    if not file.exists():
        if engine != "tensorflow":
            raise WeightsError(f"The weights of {model} for {engine} are not here.")
        _draw_weights(model, file)
    DeepFace.build_model(model)
    return DeepFace


def _draw_weights(model: str, file: Path) -> None:
    from deepface.models.facial_recognition.tf import Facenet, VGGFace

    file.parent.mkdir(parents=True, exist_ok=True)
    network = VGGFace.base_model() if model == "VGG-Face" else Facenet.InceptionResNetV1(dimension=512)
    network.save_weights(str(file))


def _write_database(folder: Path, *, model: str, detector: str, names: int, dim: int) -> None:
    """Write the table that `find` keeps of a folder of photos, one row a name, as if it had embedded them."""
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
