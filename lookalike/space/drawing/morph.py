"""A morph: one face turns into another, and both are warped so that eyes, nose and mouth stay together.

The warp is a thin-plate spline, Bookstein 1989 (https://doi.org/10.1109/34.24792), through the five landmarks
and points on the edges of the picture that stay where they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from lookalike.faces.face import RGB, Face, Points
from lookalike.faces.thumbnail import cut_face, square_of

SIDE, LEAST_SIDE = 384, 240  # pixels of the squares; a smaller one is enlarged, and soft
NODES = 41  # a side of the grid on which the spline is computed; between them it is as good as linear
SMOOTHING = 1e-6  # keeps two landmarks in one place from breaking the spline
EDGE = np.array(
    [[x, y] for x in (0, 0.5, 1) for y in (0, 0.5, 1) if (x, y) != (0.5, 0.5)]
)  # shares of the side


@dataclass(frozen=True, eq=False)
class LevelFace:
    """A face with its eyes level: `image` is (side, side, 3) uint8 RGB, `points` its five landmarks (5, 2) in
    pixels of it.
    """

    image: RGB
    points: Points


def level_pair(first: tuple[RGB, Face], second: tuple[RGB, Face]) -> tuple[LevelFace, LevelFace]:
    """Return two faces as squares of one size, eyes at one height.

    Each is given as a photo, (H, W, 3), and a face in pixels of it. The side is that of the smaller square,
    from LEAST_SIDE to SIDE pixels.
    """
    sides = [square_of(face, SIDE)[1] for _, face in (first, second)]
    side = max(LEAST_SIDE, *sides) if max(sides) < LEAST_SIDE else max(LEAST_SIDE, min(sides))
    return _level(*first, side), _level(*second, side)


def _level(image: RGB, face: Face, side: int) -> LevelFace:
    matrix, own = square_of(face, side)
    cut = cv2.resize(cut_face(image, face, side), (side, side), interpolation=cv2.INTER_CUBIC)
    points = face.landmarks @ matrix[:, :2].T + matrix[:, 2]  # (5, 2) x (2, 2) -> (5, 2)
    inside = np.clip(points * (side / own), 0, side - 1)
    return LevelFace(np.asarray(cut, np.uint8), np.asarray(inside, np.float32))


def morph(first: LevelFace, second: LevelFace, shares: Sequence[float]) -> list[RGB]:
    """Return one (side, side, 3) picture per share: 0 is the first face, 1 the second one, 0.5 is half of
    each, with landmarks halfway between.
    """
    frames = []
    for share in shares:
        points = (1 - share) * first.points + share * second.points
        one, other = warped(first, points), warped(second, points)
        frames.append(cv2.addWeighted(one, 1 - share, other, share, 0))
    return [np.asarray(frame, np.uint8) for frame in frames]


def warped(face: LevelFace, points: Points) -> RGB:
    """Return the picture warped so that its landmarks come to `points` (5, 2); its edges stay."""
    side = len(face.image)
    edge = EDGE * (side - 1)
    spline = RBFInterpolator(
        np.r_[points, edge], np.r_[face.points, edge], kernel="thin_plate_spline", smoothing=SMOOTHING
    )
    nodes = np.linspace(0, side - 1, NODES)
    places = np.stack(np.meshgrid(nodes, nodes), axis=-1)  # (NODES, NODES, 2), x and y
    sources = spline(places.reshape(-1, 2)).reshape(places.shape)
    x, y = (_between(sources[:, :, axis], side) for axis in (0, 1))
    return np.asarray(
        cv2.remap(face.image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _between(values: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """Return values on NODES x NODES nodes as (side, side), linear between the nodes."""
    places = np.linspace(0, NODES - 1, side)
    low = np.minimum(places.astype(int), NODES - 2)
    share = places - low
    rows = values[low] + (values[low + 1] - values[low]) * share[:, None]  # (side, NODES)
    return np.asarray(rows[:, low] + (rows[:, low + 1] - rows[:, low]) * share, np.float32)
