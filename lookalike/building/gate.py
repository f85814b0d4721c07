"""The gate: which photos of a source are good enough for a gallery, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ImageError
from lookalike.faces import RGB, Detector, Face
from lookalike.images import read_image

Reason = Literal["no face", "several faces", "too small", "unreadable"]

# Measured with YuNet and a public MobileFaceNet on faces shrunk to a known size: at a span of 14 pixels an
# embedding keeps a cosine of 0.88 to that of the full-size face, at 12 pixels 0.80, at 10 pixels 0.67. Of
# 4,092 faces in 64-pixel crops, half have a span over 24 and one in a thousand under 14.
MIN_SPAN = 14.0

# In photos of several people the second face had at least two thirds of the first one's area, faces in the
# background at most a quarter.
RIVAL = 1 / 3


@dataclass(frozen=True, eq=False)
class Accepted:
    """A photo that passed: upright RGB uint8 (H, W, 3), and the one face that it is of."""

    image: RGB
    face: Face


def judge(photo: bytes, detector: Detector) -> Accepted | Reason:
    """Return the photo with its one face, or why it has no place in a gallery."""
    try:
        image = read_image(photo)
    except ImageError:
        return "unreadable"
    if min(image.shape[:2]) < MIN_SPAN:
        return "too small"
    faces = detector.detect(image)
    if not faces:
        return "no face"
    # A face that the photo's edge cuts off is a neighbour: in 13 of 14 such crops the whole face was the one
    # named.
    whole = [face for face in faces if _inside(face.landmarks, image)] or faces
    if any(face.area > RIVAL * whole[0].area for face in whole[1:]):
        return "several faces"
    return Accepted(image, whole[0]) if span(whole[0]) >= MIN_SPAN else "too small"


def span(face: Face) -> float:
    """Return the face's size in pixels: eye to eye or eyes to mouth, the longer: a profile is not short."""
    eyes, mouth = face.landmarks[:2], face.landmarks[3:]
    return float(
        max(np.linalg.norm(eyes[1] - eyes[0]), np.linalg.norm(mouth.mean(axis=0) - eyes.mean(axis=0)))
    )


def _inside(landmarks: NDArray[np.float32], image: RGB) -> bool:
    height, width = image.shape[:2]
    return bool((landmarks >= 0).all() and (landmarks < [width, height]).all())
