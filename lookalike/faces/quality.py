"""Measures of a detected face: its size, its yaw, its sharpness; and what makes a face hard to read."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.alignment import align
from lookalike.faces.face import RGB, Face

# A face beyond one of these is hard to read: `compact` names half of such people correctly, or fewer, in
# degraded photos of four Hollywood actors, among 1,080 names. docs/models.md has the figures.
SMALL = 8  # pixels, see `face_size`
DARK = 16  # of 255; in a dark face 95 of 100 pixels are darker
OVEREXPOSED = 0.7  # share of the pixels that are WHITE or brighter
WHITE = 250  # of 255
BLURRED = 0.085  # see `sharpness`

LARGE_PHOTO = 2_000_000  # pixels; in a smaller photo, a face too small to be found is hard to read anyway


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
    gray = _without_hair(aligned).astype(np.float32)
    fine = gray - cv2.GaussianBlur(gray, (0, 0), 2.0)
    return float(fine.std() / max(float(gray.std()), 1e-3))


def reading_problem(image: RGB, face: Face) -> str:
    """Return why the face is hard to read: "too small", "too dark", "overexposed" or "blurred"; "" if it is
    not.
    """
    if face_size(face) < SMALL:
        return "too small"
    aligned = align(image, face)
    problem = _exposure_problem(_without_hair(aligned))
    return problem or ("blurred" if sharpness_of(aligned) < BLURRED else "")


def no_face_advice(image: RGB) -> str:
    """Return what helps if no face was found in an (H, W, 3) uint8 RGB photo, as the end of a sentence."""
    step = max(1, min(image.shape[:2]) // 256)
    sample = np.ascontiguousarray(image[::step, ::step])
    if problem := _exposure_problem(cv2.cvtColor(sample, cv2.COLOR_RGB2GRAY)):
        return f"it is {problem}. Try one that shows the face in good light."
    if image.shape[0] * image.shape[1] >= LARGE_PHOTO:
        return "if the face is small in it, crop the photo around the face."
    return "try one that shows the face from the front, in good light."


def _without_hair(aligned: RGB) -> NDArray[np.uint8]:
    """Return the middle of a (112, 112, 3) aligned face in gray, (80, 72), without hair and background."""
    return np.asarray(cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY)[20:100, 20:92], np.uint8)


def _exposure_problem(gray: NDArray[np.integer]) -> str:
    if float((gray >= DARK).mean()) < 0.05:
        return "too dark"
    return "overexposed" if float((gray >= WHITE).mean()) > OVEREXPOSED else ""
