"""Faces in a photo: what a detector is and what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.uint8]  # (H, W, 3)
Points = NDArray[np.floating]  # (n, 2) x, y in pixels


@dataclass(frozen=True, eq=False)
class Face:
    """One detected face, in pixels of the photo that was searched.

    `box` is (x, y, width, height); `landmarks` is (5, 2) float32, x and y of the eye on the image's left,
    the eye on its right, the nose, the mouth's corner on the left and on the right; `confidence` is 0..1.
    """

    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float32]
    confidence: float

    @property
    def area(self) -> float:
        """The box's area in square pixels."""
        return self.box[2] * self.box[3]


class Detector(Protocol):
    """Anything that finds faces with five landmarks."""

    @property
    def name(self) -> str: ...

    def detect(self, image: RGB) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 RGB photo, largest first; none is `[]`."""
        ...


def largest_first(faces: Sequence[Face]) -> list[Face]:
    """Return the faces by falling area."""
    return sorted(faces, key=lambda face: -face.area)
