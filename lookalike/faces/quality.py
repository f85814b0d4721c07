"""Measures of a detected face: its size, its yaw, and its sharpness."""

from __future__ import annotations

import cv2
import numpy as np

from lookalike.faces.alignment import align
from lookalike.faces.face import RGB, Face


def face_size(face: Face) -> float:
    """Return the distance in pixels between the eyes, or from the eyes to the mouth, whichever is longer.

    The second is the longer one in profile, where the eyes are close together.
    """
    eyes, mouth = face.landmarks[:2], face.landmarks[3:]
    return float(
        max(np.linalg.norm(eyes[1] - eyes[0]), np.linalg.norm(mouth.mean(axis=0) - eyes.mean(axis=0)))
    )


def yaw(face: Face) -> float:
    """Return how far the head is turned to the side: 0 in frontal view, about 0.5 in three-quarter view.

    It is the distance from the midpoint of the eyes to the nose along the line of the eyes, in eye distances.
    """
    left, right, nose = face.landmarks[:3]
    eyes = right - left
    return float(abs((nose - (left + right) / 2) @ eyes) / max(float(eyes @ eyes), 1e-6))


def sharpness(image: RGB, face: Face) -> float:
    """Return the share, 0..1, of a face's contrast in fine detail; the median of the Bollywood photos is
    0.25.

    Fine detail is what a Gaussian blur of two pixels removes from a 112-pixel crop. Contrast is the standard
    deviation of the gray values.
    """
    return sharpness_of(align(image, face))


def sharpness_of(aligned: RGB) -> float:
    """Return the sharpness of a face that is aligned already, (112, 112, 3) uint8 RGB; see `sharpness`."""
    gray = cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY)[20:100, 20:92].astype(np.float32)
    fine = gray - cv2.GaussianBlur(gray, (0, 0), 2.0)
    return float(fine.std() / max(float(gray.std()), 1e-3))
