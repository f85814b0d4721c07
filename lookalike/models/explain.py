"""Which parts of a face contribute to a likeness: occlusion sensitivity.

One patch of the face after another is blurred. The face is embedded again, and the loss of cosine is the
contribution of that patch. The method is that of Zeiler & Fergus 2014, section 4.2
(https://arxiv.org/abs/1311.2901), with blur instead of their gray square, so that no new edges appear.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.alignment import TEMPLATE, TEMPLATE_SIZE, umeyama
from lookalike.faces.face import RGB, Face
from lookalike.models.embedder import Embedder, Embeddings, crop_face

Heat = NDArray[np.float32]  # (TEMPLATE_SIZE, TEMPLATE_SIZE): loss of cosine at each pixel

PATCH = 28  # pixels of the template: an eye with its brow; smaller patches hardly change the cosine
STEP = 12  # pixels between patches; two cores embed the 64 patches in a tenth of a second
SIDE = 320  # pixels of the cut-out: larger than any model's input
MARGIN = 1.0  # around the template, in template sides, for models with a wider crop
MIN_LOSS = 0.01  # of cosine; smaller losses are noise
QUANTILE = 0.8  # of the losses in a region; a patch covers about a third of a region
SECOND = 0.7  # of the largest loss, from which a second region is named too

# Left, top, right, bottom in pixels of ArcFace's template; the eyes are at y = 52, the mouth at y = 92.
REGIONS: dict[str, tuple[tuple[int, int, int, int], ...]] = {
    "forehead": ((18, 0, 94, 30),),
    "eyes and brows": ((18, 34, 94, 62),),
    "nose": ((42, 58, 70, 82),),
    "cheeks": ((8, 64, 36, 92), (76, 64, 104, 92)),
    "mouth and chin": ((34, 84, 78, 112),),
}


def heat_map(image: RGB, face: Face, embedder: Embedder, rows: Embeddings) -> Heat:
    """Return the loss of cosine to the nearest of `rows` (k, dim) when each part of `face` is hidden.

    Positive values mean that a part contributes to the likeness, negative values that it reduces it.
    """
    image, face, to_template = _cut_out(image, face)
    blurred = cv2.GaussianBlur(image, (0, 0), SIDE / 12)
    starts = range(0, TEMPLATE_SIZE - PATCH + 1, STEP)
    corners = [(x, y) for y in starts for x in starts]
    hidden = [_hide(image, blurred, _in_cut_out(x, y, to_template)) for x, y in corners]
    crops = [crop_face(embedder.model, picture, face) for picture in (image, *hidden)]
    whole, *parts = embedder.embed_crops(crops)
    row = rows[int(np.argmax(rows @ whole))]
    return _spread(corners, [float((whole - part) @ row) for part in parts])


def main_parts(heat: Heat) -> list[str]:
    """Return the one or two regions that contribute most, the larger first; `[]` if none reaches MIN_LOSS."""
    losses = {name: _loss(heat, boxes) for name, boxes in REGIONS.items()}
    first, second = sorted(losses, key=lambda name: -losses[name])[:2]
    if losses[first] < MIN_LOSS:
        return []
    return [first, second] if losses[second] >= SECOND * losses[first] else [first]


def _loss(heat: Heat, boxes: tuple[tuple[int, int, int, int], ...]) -> float:
    """Return a high quantile of the loss in a region, since e.g. only one eye may contribute."""
    inside = [heat[top:bottom, left:right].ravel() for left, top, right, bottom in boxes]
    return float(np.quantile(np.concatenate(inside), QUANTILE))


def _cut_out(image: RGB, face: Face) -> tuple[RGB, Face, NDArray[np.float64]]:
    """Return a square cut-out of SIDE pixels around the face, the face in it, and the (2, 3) matrix from the
    cut-out to the template.
    """
    unit = SIDE / ((1 + 2 * MARGIN) * TEMPLATE_SIZE)
    aimed = (TEMPLATE + MARGIN * TEMPLATE_SIZE) * unit
    matrix = umeyama(face.landmarks, aimed)
    cut = np.asarray(cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA), np.uint8)
    moved = face.landmarks @ matrix[:, :2].T + matrix[:, 2]  # (5, 2) x (2, 2) -> (5, 2)
    x, y, width, height = face.box
    scale = float(np.hypot(*matrix[:, 0]))
    centre = matrix[:, :2] @ [x + width / 2, y + height / 2] + matrix[:, 2]
    left, top = centre - scale * np.array([width, height]) / 2
    there = Face((left, top, scale * width, scale * height), moved.astype(np.float32), face.confidence)
    return (
        cut,
        there,
        np.array([[1 / unit, 0, -MARGIN * TEMPLATE_SIZE], [0, 1 / unit, -MARGIN * TEMPLATE_SIZE]]),
    )


def _in_cut_out(x: int, y: int, to_template: NDArray[np.float64]) -> tuple[slice, slice]:
    """Return the rows and columns of the cut-out that correspond to a patch of the template."""
    scale, shift = to_template[0, 0], to_template[:, 2]
    left, top = (np.array([x, y]) - shift) / scale
    right, bottom = left + PATCH / scale, top + PATCH / scale
    return slice(round(top), round(bottom)), slice(round(left), round(right))


def _hide(image: RGB, blurred: RGB, patch: tuple[slice, slice]) -> RGB:
    hidden = image.copy()
    hidden[patch] = blurred[patch]
    return hidden


def _spread(corners: list[tuple[int, int]], losses: list[float]) -> Heat:
    """Return at each pixel the mean loss of the patches that cover it."""
    total = np.zeros((TEMPLATE_SIZE, TEMPLATE_SIZE), np.float32)
    count = np.zeros_like(total)
    for (x, y), loss in zip(corners, losses, strict=True):
        total[y : y + PATCH, x : x + PATCH] += loss
        count[y : y + PATCH, x : x + PATCH] += 1
    return np.asarray(total / count, np.float32)
