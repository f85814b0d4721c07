"""`compact` in DeepFace's own model table, so that DeepFace runs it by its name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lookalike.backends.deepface import import_deepface
from lookalike.models.embedder import unit_rows
from lookalike.models.onnx_embedder import OnnxEmbedder
from lookalike.models.registry import load_embedder


class CompactClient:
    """`compact` as DeepFace's model table wants it: no arguments, BGR 0..1 in, plain lists out."""

    model_name = "compact"
    input_shape = (112, 112)
    output_shape = 128

    def __init__(self) -> None:
        self.model = load_embedder("compact")

    def forward(self, img: NDArray[np.float32]) -> list[float] | list[list[float]]:
        """(n, 112, 112, 3) float32 BGR 0..1 -> n lists of 128 numbers; one flat list for one face."""
        batch = img[None] if img.ndim == 3 else img
        assert isinstance(self.model, OnnxEmbedder)
        rows: list[list[float]] = unit_rows(
            self.model.run(np.ascontiguousarray(batch[..., ::-1], np.float32))
        ).tolist()
        return rows[0] if len(rows) == 1 else rows


def register_with_deepface() -> None:
    """Put `compact` into DeepFace's own tables, so that `DeepFace.represent(model_name="compact")` and
    `verify` run it.
    """
    deepface = import_deepface()
    deepface.modeling.AVAILABLE_MODELS["facial_recognition"]["compact"] = {"any": f"{__name__}.CompactClient"}
    scale = load_embedder("compact").scale
    distance = 1 - (scale.same if scale else 0.0)
    deepface.threshold.thresholds["compact"] = {
        "cosine": distance,
        "euclidean": (2 * distance) ** 0.5,  # rows have unit length: |a - b|^2 = 2 - 2 cos
        "euclidean_l2": (2 * distance) ** 0.5,
        "angular": float(np.arccos(1 - distance) / np.pi),
    }
