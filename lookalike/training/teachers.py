"""Networks to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.embedders import Embedder, Embeddings, load_embedder, unit_rows
from lookalike.errors import MissingFileError
from lookalike.faces import RGB, Face, align
from lookalike.sessions import open_session

Images = NDArray[np.uint8]  # (n, 112, 112, 3) RGB, aligned

MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # ImageNet's, RGB, as the public face ONNX files expect
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


class Teacher(Protocol):
    """A network to learn from; `looks_at_template` says whether it can judge an aligned face, or needs its
    own crop of the photo.
    """

    @property
    def looks_at_template(self) -> bool: ...

    def look(self, images: Images) -> Embeddings:
        """(n, 112, 112, 3) uint8 RGB -> (n, d) float32 rows of unit length."""
        ...

    def embed(self, image: RGB, face: Face) -> NDArray[np.float32]:
        """Return the (d,) embedding, of unit length, of one face in a photo."""
        ...


def open_teacher(spec: str) -> Teacher:
    """Return the teacher in the ONNX file `spec`, or the registered model of that name."""
    if spec.endswith(".onnx"):
        return OnnxTeacher(Path(spec))
    return EmbedderTeacher(load_embedder(spec))


class OnnxTeacher:
    """A face embedder in ONNX: (n, 3, 112, 112) float32 RGB 0..1, standardized by ImageNet's mean and
    deviation.
    """

    looks_at_template = True

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        if not path.is_file():
            raise MissingFileError(f"There is no teacher at {path}; name an ONNX face embedder.")
        self._session = open_session(path.read_bytes(), threads=threads)
        inputs = self._session.get_inputs()[0]
        self._input = inputs.name
        self._one_by_one = inputs.shape[0] == 1  # exported with a fixed batch; no slower on a CPU

    def look(self, images: Images) -> Embeddings:
        """(n, 112, 112, 3) uint8 RGB -> (n, d) float32 rows of unit length."""
        scaled = (images.astype(np.float32) / 255 - MEAN) / DEVIATION
        batch = np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))  # (n, h, w, c) -> (n, c, h, w)
        parts = np.split(batch, len(batch)) if self._one_by_one else [batch]
        return unit_rows(np.concatenate([self._session.run(None, {self._input: part})[0] for part in parts]))

    def embed(self, image: RGB, face: Face) -> NDArray[np.float32]:
        """Return the (d,) embedding, of unit length, of one face in a photo."""
        return self.look(align(image, face)[None])[0]


class EmbedderTeacher:
    """One of the registered models, DeepFace's or our own."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.looks_at_template = embedder.model.alignment == "template"

    def look(self, images: Images) -> Embeddings:
        """(n, 112, 112, 3) uint8 RGB -> (n, d) float32 rows of unit length."""
        size = self._embedder.model.input_size
        return self._embedder.embed_crops([cv2.resize(image, size) for image in images])

    def embed(self, image: RGB, face: Face) -> NDArray[np.float32]:
        """Return the (d,) embedding, of unit length, of one face in a photo."""
        return self._embedder.embed(image, [face])[0]
