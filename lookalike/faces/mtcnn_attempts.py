"""The attempts of MTCNN: at which sizes and angles it searches a photo, and in which order.

Most photos end with the first attempt. The later ones find crowds, small faces in large photos, and tilted
faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lookalike.faces.face import RGB, Face


class Attempt(NamedTuple):
    """One search of the photo.

    The photo is rotated clockwise by `degrees`. `smallest` is the size of the smallest face, as a share of
    the square root of the photo's area: in a 4:3 photo 480 pixels wide, 1/12 is 35 pixels. At most
    `proposals` of P-Net's boxes go to R-Net.
    """

    degrees: float
    smallest: float
    proposals: int = 32  # enough for a family photo; 64 found no more faces


UPRIGHT = (Attempt(0, 1 / 12), Attempt(0, 1 / 18))
FINE = (Attempt(0, 1 / 24, 256), Attempt(0, 1 / 48, 256), Attempt(0, 1 / 96, 256))  # for large photos
TILTED = (Attempt(35, 1 / 12), Attempt(-35, 1 / 12))
FINEST = 24  # pixels; smaller faces cannot be recognized, so fine attempts at smaller sizes are left out
# If a found face is smaller than NEAR times the attempt's smallest size, even smaller faces are likely.
NEAR = 2


def attempts_for(image: RGB) -> list[Attempt]:
    """Return the attempts for an (H, W, 3) photo; the first one that finds a face ends the search.

    In a photo of 12 megapixels the fine ones look for faces of 144, 72 and 36 pixels, and take 20, 100 and
    400 ms on one core. A photo of 640x480 pixels has none.
    """
    return [*UPRIGHT, *_large_enough(FINE, image), *TILTED]


def crowd_attempts(image: RGB, found_by: Attempt) -> list[Attempt]:
    """Return the attempts that look for smaller faces beside those that an attempt has found.

    The finest one is left out: it takes half a second, for faces that nobody in a crowd would miss.
    """
    first, second = FINE[:2]
    attempts = [first, *_large_enough([second], image)]
    return [attempt for attempt in attempts if attempt.smallest < found_by.smallest]


def has_smaller(faces: Sequence[Face], image: RGB, found_by: Attempt) -> bool:
    """Return whether the faces that an attempt found make smaller ones likely."""
    smallest = min(max(face.box[2:]) for face in faces)
    return smallest < NEAR * found_by.smallest * _side(image)


def _large_enough(attempts: Sequence[Attempt], image: RGB) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.smallest * _side(image) >= FINEST]


def _side(image: RGB) -> float:
    """Return the square root of the photo's area in pixels."""
    return float(np.sqrt(image.shape[0] * image.shape[1]))
