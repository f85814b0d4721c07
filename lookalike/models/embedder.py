"""The interface of embedding models: faces in, embeddings of unit length out.

Each face is cropped once from the photo's pixels: warped to ArcFace's five-point template or to dlib's chip,
or as the eye-levelled box, depending on what the model was trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.alignment import align, level_box
from lookalike.faces.dlib_chip import dlib_chip
from lookalike.faces.face import RGB, Face

if TYPE_CHECKING:
    from lookalike.models.calibration import Calibration

Embeddings = NDArray[np.float32]  # (n, dim), rows of unit length
Alignment = Literal["template", "level-box", "dlib-chip"]

BATCH = 32  # crops per run; the time per crop is the same for 1 and 64, so this only limits memory


@dataclass(frozen=True)
class Model:
    """The properties of a model that are known before its weights are loaded.

    `dim` is the length of its embeddings, `input_size` is (width, height) in pixels. `weights` is the start
    of the name of its file under DEEPFACE_HOME, the same for every engine, and empty for networks of our
    own. `normalization` is DeepFace's name for the preprocessing of pixels. `packages` are what it imports
    beyond requirements.txt: they bring its weights, so its calibration is bundled. Embeddings of a `centred`
    model are far from zero in the mean, which is subtracted.
    """

    name: str
    dim: int
    input_size: tuple[int, int]
    alignment: Alignment
    weights: str
    licence: str
    normalization: str = "base"  # the default of DeepFace.represent, so that embeddings can be compared
    packages: tuple[str, ...] = ()
    centred: bool = False


class Embedder(Protocol):
    """A loaded model.

    `weights_hash` is the SHA-256 of its file; `calibration` is the way from its cosines to percentages, None
    where none was fitted.
    """

    @property
    def model(self) -> Model: ...
    @property
    def engine(self) -> str: ...
    @property
    def weights_hash(self) -> str: ...
    @property
    def calibration(self) -> Calibration | None: ...

    def embed(self, image: RGB, faces: Sequence[Face]) -> Embeddings:
        """Return (len(faces), dim) float32 rows of unit length."""
        ...

    def embed_crops(self, crops: Sequence[RGB]) -> Embeddings:
        """Return (len(crops), dim) float32 rows of unit length for crops made by `crop_face`."""
        ...


def crop_face(model: Model, image: RGB, face: Face) -> RGB:
    """Return the crop of a face that is the input of `model`, (height, width, 3) uint8 RGB."""
    if model.alignment == "template":
        return align(image, face, model.input_size[0])
    if model.alignment == "dlib-chip":
        return dlib_chip(image, face, model.input_size[0])
    return level_box(image, face, model.input_size)


def embed_both_sides(embedder: Embedder, crops: Sequence[RGB]) -> Embeddings:
    """Return the embeddings of crops together with their mirror images: (len(crops), dim) float32 unit rows
    of the sum of both. It errs less than either.
    """
    if not crops:
        return np.empty((0, embedder.model.dim), np.float32)
    rows = []
    for start in range(0, len(crops), BATCH):
        batch = crops[start : start + BATCH]
        mirrored = [np.ascontiguousarray(crop[:, ::-1]) for crop in batch]
        both = embedder.embed_crops([*batch, *mirrored])
        rows.append(both[: len(batch)] + both[len(batch) :])
    return unit_rows(np.concatenate(rows))


def unit_rows(rows: NDArray[np.floating[Any]]) -> Embeddings:
    """Return (n, d) rows scaled to unit length, float32; a row of zeros stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)
