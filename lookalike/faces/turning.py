"""Photos that lie on a side or upside down, without the EXIF orientation that would say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from lookalike.faces.face import RGB, Detector, Face

# The confidence of MTCNN in an upright face: 0.998 in the median, 0.95 or more in 95 of 100 photos.
CERTAIN = 0.995  # a face found with it is upright; of 36 faces found upside down, one was
WEAK = 0.95  # below it, the photo is searched at every quarter turn
MAX_ROLL = 45  # degrees; a face that is rotated further is nearer to another quarter turn
ROLL_COST = 0.2  # taken from the confidence of such a face; more than two confidences differ
ADVANTAGE = 0.01  # in confidence that a turned photo needs over the photo as it is
SEARCH_SIDE = 832  # pixels, the square root of 960x720: the photo is shrunk to it before it is turned


@runtime_checkable
class TurnCheck(Protocol):
    """A detector that can tell quickly whether a face that it found is upright."""

    def is_upright(self, image: RGB, face: Face) -> bool:
        """Return False if the face looks more like a face after a quarter turn or two."""
        ...


def detect_upright(detector: Detector, image: RGB) -> tuple[RGB, list[Face]]:
    """Return an (H, W, 3) uint8 RGB photo, turned upright by its largest face, and its faces, largest first.

    The photo is searched at the three other quarter turns if nothing is found, or if the largest face is
    weak, rotated by more than MAX_ROLL, or seems to be turned. The turn with the best face is kept. A photo
    with a certain face takes no longer than `detector.detect`.
    """
    faces = detector.detect(image)
    if faces and not _is_doubtful(detector, image, faces[0]):
        return image, faces
    scale = min(1.0, SEARCH_SIDE / float(np.sqrt(image.shape[0] * image.shape[1])))
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    ratings = {turns: _rating(detector.detect(_turned(small, turns))) for turns in (1, 2, 3)}
    turns = max(ratings, key=lambda turns: ratings[turns])
    if ratings[turns] <= _rating(faces) + ADVANTAGE:
        return image, faces
    turned = _turned(image, turns)
    found = detector.detect(turned)
    if found and not _is_doubtful(detector, turned, found[0]):
        return turned, found
    return image, faces


def roll(face: Face) -> float:
    """Return the angle of the line from the left to the right eye in degrees, clockwise, -180..180."""
    across, down = face.landmarks[1] - face.landmarks[0]
    return float(np.degrees(np.arctan2(down, across)))


def _is_doubtful(detector: Detector, image: RGB, face: Face) -> bool:
    if abs(roll(face)) > MAX_ROLL:
        return True
    if isinstance(detector, TurnCheck):
        return face.confidence < CERTAIN and not detector.is_upright(image, face)
    return face.confidence < WEAK


def _rating(faces: Sequence[Face]) -> float:
    """Return how certain the largest face is, 0..1; less if it is not upright."""
    if not faces:
        return 0.0
    return faces[0].confidence - (ROLL_COST if abs(roll(faces[0])) > MAX_ROLL else 0.0)


def _turned(image: RGB, turns: int) -> RGB:
    """Return the photo after that many quarter turns counter-clockwise."""
    return np.ascontiguousarray(np.rot90(image, turns))
