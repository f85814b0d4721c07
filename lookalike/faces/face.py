"""The interface of face detectors, and the faces that they return."""

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
    """One detected face, in pixels of the photo.

    `box` is (x, y, width, height). `landmarks` is (5, 2) float32 with x and y of the left eye, the right eye,
    the nose, the left and the right corner of the mouth; left and right are those of the image. `confidence`
    is 0..1.
    """

    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float32]
    confidence: float

    @property
    def area(self) -> float:
        """The area of the box in square pixels."""
        return self.box[2] * self.box[3]


class Detector(Protocol):
    """A face detector that returns five landmarks for each face."""

    @property
    def name(self) -> str: ...

    def detect(self, image: RGB) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 RGB photo, largest first; `[]` if there is none."""
        ...


def largest_first(faces: Sequence[Face]) -> list[Face]:
    """Return the faces sorted by area, the largest first."""
    return sorted(faces, key=lambda face: -face.area)
