"""Register `compact` with DeepFace, so that DeepFace can run it by its name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lookalike.backends.deepface import import_deepface
from lookalike.models.embedder import unit_rows
from lookalike.models.onnx_embedder import OnnxEmbedder
from lookalike.models.registry import load_embedder


class CompactClient:
    """`compact` with the interface of DeepFace's models: no arguments, BGR 0..1 in, lists out."""

    model_name = "compact"
    input_shape = (112, 112)
    output_shape = 128

    def __init__(self) -> None:
        self.model = load_embedder("compact")

    def forward(self, img: NDArray[np.float32]) -> list[float] | list[list[float]]:
        """Return n lists of 128 numbers for (n, 112, 112, 3) float32 BGR 0..1; a flat list for one face."""
        batch = img[None] if img.ndim == 3 else img
        assert isinstance(self.model, OnnxEmbedder)
        rows: list[list[float]] = unit_rows(
            self.model.run(np.ascontiguousarray(batch[..., ::-1], np.float32))
        ).tolist()
        return rows[0] if len(rows) == 1 else rows


def register_with_deepface() -> None:
    """Enter `compact` in DeepFace's tables, so that `represent` and `verify` accept
    `model_name="compact"`.
    """
    deepface = import_deepface()
    deepface.modeling.AVAILABLE_MODELS["facial_recognition"]["compact"] = {"any": f"{__name__}.CompactClient"}
    calibration = load_embedder("compact").calibration
    distance = 1 - ((calibration.same_cosine if calibration else None) or 0.0)
    deepface.threshold.thresholds["compact"] = {
        "cosine": distance,
        "euclidean": (2 * distance) ** 0.5,  # for unit rows |a - b|^2 = 2 - 2 cos
        "euclidean_l2": (2 * distance) ** 0.5,
        "angular": float(np.arccos(1 - distance) / np.pi),
    }
