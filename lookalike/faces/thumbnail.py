"""Cut a face out of a photo as the page shows it: eyes level, every face at the same size and place.

So a visitor and a celebrity can be compared at a glance, however their photos were cropped.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.faces.alignment import warp
from lookalike.faces.face import RGB, Face

SIDE = 320  # pixels of a thumbnail; the page shows a match up to 293 wide; about 8 KB
QUALITY = 80  # WebP; artefacts do not show at this size
# Times the distance of the eyes: hair and chin stay in view; 1.6 times the height of MTCNN's boxes
ROOM = 4.4
EYE_LEVEL = 0.43  # of the side, from the top: the face is in the middle
# From the eyes to the mouth it is at least as far in frontal view: the median of 360 faces is 1.06 times the
# distance of the eyes, the 5th percentile 0.90. In profile the eyes are close together, and this one counts.
MOUTH_SHARE = 0.75
FADE = 1 / 60  # of the side: how softly a photo ends where the square is larger
SMALL, BLUR = 24, 1.7  # pixels: in a copy of this size its colours are blurred so much where they continue


def cut_face(image: RGB, face: Face, side: int) -> RGB:
    """Return the square around a face of an (H, W, 3) photo, uint8, `side` pixels wide at most.

    Nothing is enlarged: the square is smaller where the photo has fewer pixels. Beyond the edges of the photo
    its colours are continued, blurred.
    """
    matrix, side = square_of(face, side)
    cut = warp(image, matrix, (side, side), border=cv2.BORDER_REPLICATE)
    if _is_inside(image, matrix, side):
        return cut
    photo = warp(np.full(image.shape[:2], 255, np.uint8), matrix, (side, side))
    edge = cv2.erode(photo, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT, borderValue=255)
    weight = cv2.GaussianBlur(edge, (0, 0), max(side * FADE, 0.5), borderType=cv2.BORDER_REPLICATE)
    share = weight[:, :, None].astype(np.float32) / 255  # (side, side) -> (side, side, 1), 0..1
    return np.asarray(share * cut + (1 - share) * _blurred(cut), np.uint8)


def square_of(face: Face, side: int) -> tuple[NDArray[np.float64], int]:
    """Return the (2, 3) matrix from a photo to the square that `cut_face` cuts, and its side in pixels."""
    size = _size(face)
    side = max(1, min(side, round(ROOM * size)))
    return _level(face, side / (ROOM * size), side), side


def thumbnail(image: RGB, face: Face) -> bytes:
    """Return the square around a face of an (H, W, 3) photo as WebP, SIDE pixels wide at most, without
    metadata.
    """
    file = io.BytesIO()
    Image.fromarray(cut_face(image, face, SIDE)).save(file, "WEBP", quality=QUALITY)
    return file.getvalue()


def _size(face: Face) -> float:
    """Return the distance of the eyes in pixels, at least 1, as it would be in frontal view."""
    left, right = face.landmarks[:2]
    down = face.landmarks[3:].mean(axis=0) - (left + right) / 2
    return max(float(np.linalg.norm(right - left)), MOUTH_SHARE * float(np.linalg.norm(down)), 1.0)


def _level(face: Face, scale: float, side: int) -> NDArray[np.float64]:
    """Return the (2, 3) matrix from photo to square, with the eyes level."""
    left, right = face.landmarks[:2].astype(np.float64)
    across, down = right - left
    angle = np.arctan2(down, across)
    rotation = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.c_[rotation, np.array([side / 2, EYE_LEVEL * side]) - rotation @ ((left + right) / 2)]


def _blurred(image: RGB) -> RGB:
    """Return a square picture blurred beyond recognition; in a small copy that costs next to nothing."""
    small = cv2.resize(image, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), BLUR)
    return np.asarray(cv2.resize(soft, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _is_inside(image: RGB, matrix: NDArray[np.float64], side: int) -> bool:
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]], np.float64)
    places = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T  # (4, 2) x (2, 2) -> (4, 2)
    return bool((places >= 0).all() and (places <= [image.shape[1], image.shape[0]]).all())
