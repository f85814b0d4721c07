"""The quality gate: which photos are good enough for a gallery, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ImageError
from lookalike.faces.face import RGB, Detector, Face
from lookalike.faces.quality import face_size, sharpness, yaw
from lookalike.images import read_image

Reason = Literal["no face", "several faces", "too small", "blurred", "turned away", "unreadable"]

VERSION = 2  # of the rules in this file; raise it when they change, and builds start a new ledger

# Face size in pixels, see `lookalike.faces.quality`. Measured with YuNet and a public MobileFaceNet on faces
# shrunk to a known size: at 14 pixels an embedding keeps a cosine of 0.88 to that of the full-size face, at
# 12 pixels 0.80, at 10 pixels 0.67. Of 4,092 faces in 64-pixel crops, half are larger than 24, and one in a
# thousand is smaller than 14.
MIN_FACE_SIZE = 14.0
FULL_FACE_SIZE = 41.0  # as in a 112-pixel crop: a larger face shows the model nothing more

# Share of the largest face's area from which a second face makes the photo ambiguous: in photos of several
# people the second face had at least two thirds, faces in the background had at most a quarter.
RIVAL_AREA = 1 / 3

# Measured on photos of 150 faces with growing blur: at a sharpness of 0.10 an embedding of `compact` keeps a
# cosine of 0.7 to that of the sharp face, at 0.13 0.87, at 0.18 0.96. Of 6,103 Bollywood and Hollywood
# photos, fewer than one in a thousand are below 0.10, one in a hundred below 0.15.
MIN_SHARPNESS = 0.10
FULL_SHARPNESS = 0.18

# Yaw: how far the nose is from the middle of the eyes, in eye distances. In the same photos the cosine with
# the mean of the name is 0.80 at 0, about 0.63 at 0.45, and 0.42 to 0.52 beyond 0.6, where 15 of them are.
MAX_YAW = 0.6
YAW_COST = 0.6  # loss of quality for each eye distance: the cosine falls about as fast

# The detector's own threshold is enough: of 65 correctly labelled faces with an MTCNN confidence under 0.9,
# 94 % were recognized.


@dataclass(frozen=True, eq=False)
class CheckedPhoto:
    """A photo that passed the gate: upright RGB uint8 (H, W, 3), and its one face.

    `quality`, 0..1, orders a name's photos, the best first.
    """

    image: RGB
    face: Face
    quality: float


def check_photo(
    photo: bytes, detector: Detector, *, box: tuple[float, float, float, float] | None = None
) -> CheckedPhoto | Reason:
    """Return the decoded photo with its one face, or the reason to reject it.

    Where the source gives the `box` of a face, (x, y, width, height), other faces do not matter.
    """
    try:
        image = read_image(photo)
    except ImageError:
        return "unreadable"
    if min(image.shape[:2]) < MIN_FACE_SIZE:
        return "too small"
    faces = detector.detect(image)
    if not faces:
        return "no face"
    face = _only_face(faces, image) if box is None else _nearest(faces, box)
    return face if isinstance(face, str) else _check_face(image, face)


def _check_face(image: RGB, face: Face) -> CheckedPhoto | Reason:
    size, sharp, turned = face_size(face), sharpness(image, face), yaw(face)
    if size < MIN_FACE_SIZE:
        return "too small"
    if sharp < MIN_SHARPNESS:
        return "blurred"
    if turned > MAX_YAW:
        return "turned away"
    quality = face.confidence * min(1.0, size / FULL_FACE_SIZE) * min(1.0, sharp / FULL_SHARPNESS)
    return CheckedPhoto(image, face, quality * (1 - YAW_COST * turned))


def _only_face(faces: list[Face], image: RGB) -> Face | Reason:
    """Return the main face, unless another one is nearly as large; `faces` are sorted, largest first."""
    # A face that the photo's edge cuts off is a neighbour: in 13 of 14 such photos the label is the other's.
    whole = [face for face in faces if _is_inside(face.landmarks, image)] or faces
    has_rival = any(face.area > RIVAL_AREA * whole[0].area for face in whole[1:])
    return "several faces" if has_rival else whole[0]


def _nearest(faces: list[Face], box: tuple[float, float, float, float]) -> Face | Reason:
    """Return the face whose centre is nearest to that of `box`, if it lies in the box."""
    _, _, width, height = box
    distances = [np.abs(_centre(face.box) - _centre(box)) / (width / 2, height / 2) for face in faces]
    best = min(range(len(faces)), key=lambda place: float(distances[place].max()))
    return faces[best] if distances[best].max() <= 1 else "no face"


def _centre(box: tuple[float, float, float, float]) -> NDArray[np.float64]:
    x, y, width, height = box
    return np.array([x + width / 2, y + height / 2])


def _is_inside(landmarks: NDArray[np.float32], image: RGB) -> bool:
    height, width = image.shape[:2]
    return bool((landmarks >= 0).all() and (landmarks < [width, height]).all())
