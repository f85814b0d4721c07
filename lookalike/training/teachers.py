"""Networks to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import MissingFileError
from lookalike.sessions import open_session

MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # ImageNet's, RGB, as the public face ONNX files expect
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


class OnnxTeacher:
    """A face embedder in ONNX: (n, 3, 112, 112) float32 RGB 0..1, standardized by ImageNet's mean and
    deviation.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        if not path.is_file():
            raise MissingFileError(f"There is no teacher at {path}; name an ONNX face embedder.")
        self._session = open_session(path.read_bytes(), threads=threads)
        inputs = self._session.get_inputs()[0]
        self._input = inputs.name
        self._one_by_one = inputs.shape[0] == 1  # exported with a fixed batch

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 112, 112, 3) uint8 RGB -> (n, d) float32 rows of unit length."""
        scaled = (images.astype(np.float32) / 255 - MEAN) / DEVIATION
        batch = np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))  # (n, h, w, c) -> (n, c, h, w)
        parts = np.split(batch, len(batch)) if self._one_by_one else [batch]
        rows = np.concatenate([self._session.run(None, {self._input: part})[0] for part in parts])
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
