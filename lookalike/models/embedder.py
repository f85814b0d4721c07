"""What every model of ours looks like: aligned faces in, embeddings of unit length out.

Every face reaches every model as one crop, made once from the photo's pixels: warped to ArcFace's five-point
template, or the eye-levelled box, whichever the model was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.alignment import align, level_box
from lookalike.faces.face import RGB, Face
from lookalike.models.similarity import Scale

Embeddings = NDArray[np.float32]  # (n, dim), rows of unit length
Alignment = Literal["template", "level-box"]

BATCH = 32  # crops a run; alone or among 64, a crop takes the same time, so memory decides


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


def unit_rows(rows: NDArray[np.floating[Any]]) -> Embeddings:
    """Return (n, d) rows scaled to unit length, float32; a row of zeros stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)
