"""Fake detector, embedder, gallery and networks for tests about other parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lookalike.faces.face import Face
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.gallery.settings import Settings
from lookalike.gallery.standing import Standing
from lookalike.models.calibration import Calibration
from lookalike.models.embedder import Model
from lookalike.models.similarity import Scale

SCALE = Scale((-1.0, 0.0, 1.0), (0.0, 50.0, 100.0), same=0.8, fitted_on="nothing: a straight line")


def unit(*numbers: float) -> np.ndarray:
    """Return the vector scaled to unit length, float32."""
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


class ColourEmbedder:
    """Embeds a crop as its mean red, green and blue, so that tests can be checked by hand."""

    engine = "fake"
    weights_hash = "0" * 64
    calibration = Calibration(SCALE)

    def __init__(self, name: str = "colour") -> None:
        self.model = Model(name, 3, (8, 8), "template", "", "none")

    def embed(self, image: np.ndarray, faces: Sequence[Face]) -> np.ndarray:
        return self.embed_crops([_inside(image, face) for face in faces])

    def embed_crops(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        rows = np.array([crop.reshape(-1, 3).mean(axis=0) + 1e-3 for crop in crops], np.float32).reshape(
            -1, 3
        )
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class BrightDetector:
    """Finds a face in each block of 40 columns whose centre is not black; `[]` for a black photo."""

    name = "bright"

    def detect(self, image: np.ndarray) -> list[Face]:
        height, width = image.shape[:2]
        starts = range(0, max(width - 39, 1), 40)
        return [
            a_face(left, 0, min(40, width), height)
            for left in starts
            if image[height // 2, min(left + 20, width - 1)].any()
        ]


def speckled(colour: Sequence[int], width: int = 40, height: int = 40) -> np.ndarray:
    """Return a picture of one mean colour with fine grain, (height, width, 3) uint8; black stays black."""
    grain = np.random.default_rng(0).choice((0.75, 1.25), (height, width, 1))
    return np.clip(np.asarray(colour) * grain, 0, 255).astype(np.uint8)


def a_face(x: float, y: float, width: float, height: float, confidence: float = 0.99) -> Face:
    """Return a face with landmarks at typical places in its box."""
    marks = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    return Face((x, y, width, height), (marks * [width, height] + [x, y]).astype(np.float32), confidence)


def make_gallery(
    model: str = "colour", *, standing: Sequence[float] = (), **names: list[list[float]]
) -> Gallery:
    """Return a gallery of the given rows; `make_gallery(ada=[[1, 0, 0], [1, 1, 0]], bo=[[0, 1, 0]])`."""
    rows = [
        Row(name, unit(*numbers), confidence=0.9, origin=f"{name}#{place}")
        for name, table in names.items()
        for place, numbers in enumerate(table)
    ]
    return Gallery.of(rows, settings(model, dim=len(rows[0].embedding), standing=standing))


def settings(model: str = "colour", *, dim: int = 3, standing: Sequence[float] = ()) -> Settings:
    """Return settings that match ColourEmbedder."""
    return Settings(
        model=model,
        weights="",
        weights_hash="0" * 64,
        dim=dim,
        alignment="template",
        normalization="base",
        engine="fake",
        detector="bright",
        source="a test",
        licence="none",
        standing=Standing(tuple(standing)),
    )


def _inside(image: np.ndarray, face: Face) -> np.ndarray:
    x, y, width, height = (int(value) for value in face.box)
    return image[y : y + height, x : x + width]


def write_public_embedder(path: Path) -> None:
    """Write an ONNX face embedder with a batch size of one, whose embedding is the mean colour."""
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["input0"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["output0"]),
        ],
        "teacher",
        [helper.make_tensor_value_info("input0", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 3])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def write_random_arcface(folder: Path) -> None:
    """Write a network with ArcFace's shapes and random weights to the place of DeepFace's weights."""
    random = np.random.default_rng(0)
    kernel = numpy_helper.from_array(random.normal(size=(512, 3, 16, 16)).astype(np.float32), "kernel")
    graph = helper.make_graph(
        [
            helper.make_node("Transpose", ["face"], ["chw"], perm=[0, 3, 1, 2]),
            helper.make_node("Conv", ["chw", "kernel"], ["map"], strides=[16, 16]),
            helper.make_node("Relu", ["map"], ["positive"]),
            helper.make_node("GlobalMaxPool", ["positive"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["embedding"]),
        ],
        "random",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", 112, 112, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 512])],
        [kernel],
    )
    weights = folder / ".deepface" / "weights"
    weights.mkdir(parents=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, weights / "arcface_weights.onnx")
