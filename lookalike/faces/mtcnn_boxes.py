"""Boxes (left, top, right, bottom) and squares (left, top, side) of candidate faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def move_edges(squares: Floats, offsets: Floats) -> Floats:
    """Return (n, 4) boxes: (n, 3) squares whose edges move by (n, 4) shares of the side."""
    corners = np.c_[squares[:, :2], squares[:, :2] + squares[:, 2:]]
    return np.asarray(corners + offsets * squares[:, 2:])


def squares_around(boxes: Floats) -> Floats:
    """Return (n, 3) squares with the centres and the longer sides of (n, 4) boxes."""
    sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    return np.asarray(np.c_[(boxes[:, :2] + boxes[:, 2:] - sides) / 2, sides])


def suppress(
    boxes: Floats, scores: Floats, overlap: float, *, most: int, nested: bool = False
) -> NDArray[np.int64]:
    """Non-maximum suppression: return the indices of at most `most` of (n, 4) boxes, best score first.

    A box is dropped if it overlaps a better one by more than `overlap`: intersection over union, or over the
    smaller box if `nested`, which also drops a face inside another.
    """
    order = np.argsort(-scores)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept: list[int] = []
    while len(order) and len(kept) < most:
        best, order = order[0], order[1:]
        kept.append(best)
        common = np.minimum(boxes[best, 2:], boxes[order, 2:]) - np.maximum(boxes[best, :2], boxes[order, :2])
        shared = np.maximum(common, 0).prod(axis=1)
        whole = np.minimum(areas[best], areas[order]) if nested else areas[best] + areas[order] - shared
        order = order[shared <= overlap * whole]
    return np.array(kept, np.int64)
