"""Which parts of a face carry a likeness: occlusion sensitivity.

A patch of the face is blurred away, the face embedded again, and the loss of cosine noted; then the next
patch. Zeiler & Fergus 2014, section 4.2 (https://arxiv.org/abs/1311.2901), with the blurred face in place of
their grey square, so that no new edges appear.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.alignment import TEMPLATE, TEMPLATE_SIZE, umeyama
from lookalike.faces.face import RGB, Face
from lookalike.models.embedder import Embedder, Embeddings, crop_face

Heat = NDArray[np.float32]  # (TEMPLATE_SIZE, TEMPLATE_SIZE), the loss of cosine at each pixel

PATCH = 28  # pixels of the template: an eye with its brow; smaller ones hide nothing that counts
STEP = 12  # pixels: 64 patches from rim to rim, which two cores embed in a tenth of a second
SIDE = 320  # pixels of the cut-out that is masked: more than any model's input
ROOM = 1.0  # template sides round the template that are cut out with it, for models that want a wider crop
FLAT = 0.01  # cosine: less than this lost by every part is no more than noise
HOTTER = 0.8  # quantile: a patch covers about a third of a region
BESIDE = 0.7  # of the first part's loss: a second part that loses as much is named too

# Left, top, right, bottom in pixels of ArcFace's template, where the eyes stand at y = 52, the mouth at 92
REGIONS: dict[str, tuple[tuple[int, int, int, int], ...]] = {
    "forehead": ((18, 0, 94, 30),),
    "eyes and brows": ((18, 34, 94, 62),),
    "nose": ((42, 58, 70, 82),),
    "cheeks": ((8, 64, 36, 92), (76, 64, 104, 92)),
    "mouth and chin": ((34, 84, 78, 112),),
}


def heat_map(image: RGB, face: Face, embedder: Embedder, rows: Embeddings) -> Heat:
    """Return how much cosine to the nearest of `rows` (k, dim) is lost where a part of `face` is hidden.

    Above 0 a part carries the likeness, below 0 it stands against it.
    """
    image, face, to_template = _cut_out(image, face)
    blurred = cv2.GaussianBlur(image, (0, 0), SIDE / 12)
    starts = range(0, TEMPLATE_SIZE - PATCH + 1, STEP)
    corners = [(x, y) for y in starts for x in starts]
    hidden = [_hide(image, blurred, _in_photo(x, y, to_template)) for x, y in corners]
    crops = [crop_face(embedder.model, picture, face) for picture in (image, *hidden)]
    whole, *parts = embedder.embed_crops(crops)
    row = rows[int(np.argmax(rows @ whole))]
    return _spread(corners, [float((whole - part) @ row) for part in parts])


def parts_that_count(heat: Heat) -> list[str]:
    """Return the one or two parts of REGIONS that carry the likeness, the first first; none if no part
    does.
    """
    losses = {name: _loss(heat, boxes) for name, boxes in REGIONS.items()}
    first, second = sorted(losses, key=lambda name: -losses[name])[:2]
    if losses[first] < FLAT:
        return []
    return [first, second] if losses[second] >= BESIDE * losses[first] else [first]


def _loss(heat: Heat, boxes: tuple[tuple[int, int, int, int], ...]) -> float:
    """Return what the hotter part of a region loses: one eye may count and the other not."""
    inside = [heat[top:bottom, left:right].ravel() for left, top, right, bottom in boxes]
    return float(np.quantile(np.concatenate(inside), HOTTER))


def _cut_out(image: RGB, face: Face) -> tuple[RGB, Face, NDArray[np.float64]]:
    """Return the face with its surroundings, SIDE pixels a side, the face there, and the way from there to
    the template, (2, 3).
    """
    unit = SIDE / ((1 + 2 * ROOM) * TEMPLATE_SIZE)
    aimed = (TEMPLATE + ROOM * TEMPLATE_SIZE) * unit
    matrix = umeyama(face.landmarks, aimed)
    cut = np.asarray(cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA), np.uint8)
    moved = face.landmarks @ matrix[:, :2].T + matrix[:, 2]  # (5, 2) x (2, 2) -> (5, 2)
    x, y, width, height = face.box
    scale = float(np.hypot(*matrix[:, 0]))
    centre = matrix[:, :2] @ [x + width / 2, y + height / 2] + matrix[:, 2]
    left, top = centre - scale * np.array([width, height]) / 2
    there = Face((left, top, scale * width, scale * height), moved.astype(np.float32), face.confidence)
    return cut, there, np.array([[1 / unit, 0, -ROOM * TEMPLATE_SIZE], [0, 1 / unit, -ROOM * TEMPLATE_SIZE]])


def _in_photo(x: int, y: int, to_template: NDArray[np.float64]) -> tuple[slice, slice]:
    """Return the rows and columns of the cut-out that a patch of the template covers."""
    scale, shift = to_template[0, 0], to_template[:, 2]
    left, top = (np.array([x, y]) - shift) / scale
    right, bottom = left + PATCH / scale, top + PATCH / scale
    return slice(round(top), round(bottom)), slice(round(left), round(right))


def _hide(image: RGB, blurred: RGB, patch: tuple[slice, slice]) -> RGB:
    hidden = image.copy()
    hidden[patch] = blurred[patch]
    return hidden


def _spread(corners: list[tuple[int, int]], losses: list[float]) -> Heat:
    """Return at each pixel the mean loss of the patches over it."""
    total = np.zeros((TEMPLATE_SIZE, TEMPLATE_SIZE), np.float32)
    count = np.zeros_like(total)
    for (x, y), loss in zip(corners, losses, strict=True):
        total[y : y + PATCH, x : x + PATCH] += loss
        count[y : y + PATCH, x : x + PATCH] += 1
    return np.asarray(total / count, np.float32)
