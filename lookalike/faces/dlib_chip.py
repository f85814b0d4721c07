"""The crop that dlib's recognition network was trained with: its "face chip", from our five landmarks.

dlib places the chip by the corners of the eyes and the base of the nose (`get_face_chip`, padding 0.25:
http://dlib.net/python/#dlib_pybind11.get_face_chip). We have the centres of the eyes and the tip of the nose.
"""

from __future__ import annotations

import numpy as np

from lookalike.faces.alignment import umeyama, warp
from lookalike.faces.face import RGB, Face

CHIP_SIZE = 150
# Eyes and nose tip in dlib's chips: medians of MTCNN's landmarks in 322 of them
CHIP = np.array([[46.59, 44.52], [100.86, 44.51], [73.17, 77.27]])
# The nose counts a third of an eye: the tip moves with the head. Median cosine to the embeddings of dlib's
# own chips, both centred: 0.987; 0.979 if it counts as much as an eye, 0.978 without it.
COUNTS = (3, 3, 1)


def dlib_chip(image: RGB, face: Face, size: int = CHIP_SIZE) -> RGB:
    """Return the face warped to dlib's chip, (size, size, 3) uint8 RGB, black outside the photo."""
    points, target = face.landmarks[:3], CHIP * (size / CHIP_SIZE)
    matrix = umeyama(np.repeat(points, COUNTS, axis=0), np.repeat(target, COUNTS, axis=0))
    return warp(image, matrix, (size, size))
