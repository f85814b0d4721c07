"""The gate: which photos of a source are good enough for a gallery, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ImageError
from lookalike.faces.face import RGB, Detector, Face
from lookalike.faces.quality import sharpness, span, turn
from lookalike.images import read_image

Reason = Literal["no face", "several faces", "too small", "blurred", "turned away", "unreadable"]

VERSION = 2  # of everything here that decides; raise it with a change, and ledgers are begun anew

# Measured with YuNet and a public MobileFaceNet on faces shrunk to a known size: at a span of 14 pixels an
# embedding keeps a cosine of 0.88 to that of the full-size face, at 12 pixels 0.80, at 10 pixels 0.67. Of
# 4,092 faces in 64-pixel crops, half have a span over 24 and one in a thousand under 14.
MIN_SPAN = 14.0

# In photos of several people the second face had at least two thirds of the first one's area, faces in the
# background at most a quarter.
RIVAL = 1 / 3


# Photos of 150 faces blurred more and more: at a sharpness of 0.10 an embedding of `compact` keeps a cosine
# of 0.7 to that of the sharp face, at 0.13 0.87, at 0.18 0.96. Of 6,103 Bollywood and Hollywood photos fewer
# than one in a thousand has less than 0.10, one in a hundred less than 0.15.
MIN_SHARPNESS = 0.10
SHARP = 0.18

# Cosine of those photos with their name's direction, by how far the nose stands from the eyes' middle: 0.80
# at 0, about 0.63 at 0.45, 0.42 to 0.52 beyond 0.6, where there are 15 of them under their right name.
MAX_TURN = 0.6
TURN_COST = 0.6  # of the quality for each eye distance: the cosine falls about as fast

# No confidence is asked for beyond the detector's own: of 65 faces under their right name that MTCNN is less
# than 0.9 sure of, 94 in a hundred were named right.

FULL_SPAN = 41.0  # pixels from eyes to mouth in a 112-pixel crop: a larger face shows the model nothing more


@dataclass(frozen=True, eq=False)
class Accepted:
    """A photo that passed: upright RGB uint8 (H, W, 3), the one face that it is of, and the face's quality,
    0..1, by which a name's best photos are chosen.
    """

    image: RGB
    face: Face
    quality: float


def judge(
    photo: bytes, detector: Detector, *, box: tuple[float, float, float, float] | None = None
) -> Accepted | Reason:
    """Return the photo with its one face, or why it has no place in a gallery.

    Where the source points at a face by its `box`, that face is the one, however many others there are.
    """
    try:
        image = read_image(photo)
    except ImageError:
        return "unreadable"
    if min(image.shape[:2]) < MIN_SPAN:
        return "too small"
    faces = detector.detect(image)
    if not faces:
        return "no face"
    face = _the_one(faces, image) if box is None else _nearest(faces, box)
    if isinstance(face, str):
        return face
    if span(face) < MIN_SPAN:
        return "too small"
    sharp, turned = sharpness(image, face), turn(face)
    if sharp < MIN_SHARPNESS:
        return "blurred"
    if turned > MAX_TURN:
        return "turned away"
    size = min(1.0, span(face) / FULL_SPAN)
    quality = face.confidence * size * min(1.0, sharp / SHARP) * (1 - TURN_COST * turned)
    return Accepted(image, face, quality)


def _the_one(faces: list[Face], image: RGB) -> Face | Reason:
    """Return the only face that can be meant; `faces` are largest first."""
    # A face that the photo's edge cuts off is a neighbour: in 13 of 14 such crops the whole face was the one
    # named.
    whole = [face for face in faces if _inside(face.landmarks, image)] or faces
    rivals = any(face.area > RIVAL * whole[0].area for face in whole[1:])
    return "several faces" if rivals else whole[0]


def _nearest(faces: list[Face], box: tuple[float, float, float, float]) -> Face | Reason:
    """Return the face whose middle is nearest to that of `box`, if it lies in it."""
    x, y, width, height = box
    middle = np.array([x + width / 2, y + height / 2])
    distances = [np.abs(_middle(face) - middle) / (width / 2, height / 2) for face in faces]
    best = min(range(len(faces)), key=lambda place: float(distances[place].max()))
    return faces[best] if distances[best].max() <= 1 else "no face"


def _middle(face: Face) -> NDArray[np.float64]:
    x, y, width, height = face.box
    return np.array([x + width / 2, y + height / 2])


def _inside(landmarks: NDArray[np.float32], image: RGB) -> bool:
    height, width = image.shape[:2]
    return bool((landmarks >= 0).all() and (landmarks < [width, height]).all())
