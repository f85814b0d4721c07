"""What makes a face hard to read, and what helps if no face was found."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lookalike.faces.mtcnn import Mtcnn
from lookalike.faces.quality import face_size, no_face_advice, reading_problem
from tests.support.drawing import draw_face, draw_landscape

FACE = draw_face(3)


@pytest.fixture(scope="module")
def detector() -> Mtcnn:
    return Mtcnn(threads=1)


def problem(detector: Mtcnn, image: np.ndarray) -> str:
    [face] = detector.detect(image)
    return reading_problem(image, face)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("size", [480, 112])
def test_a_clear_face_is_not_hard_to_read(detector: Mtcnn, seed: int, size: int):
    assert problem(detector, draw_face(seed, size=size)) == ""


def test_half_the_light_is_not_too_dark(detector: Mtcnn):
    assert problem(detector, FACE // 2) == ""


@pytest.mark.parametrize("share", [0.06, 0.045])
def test_a_face_with_little_light_is_too_dark(detector: Mtcnn, share: float):
    assert problem(detector, (FACE * share).astype(np.uint8)) == "too dark"


@pytest.mark.parametrize("seed", [1, 3])
def test_a_face_that_is_mostly_white_is_overexposed(detector: Mtcnn, seed: int):
    pale = draw_face(seed, skin=(250, 245, 240)).astype(float)
    assert problem(detector, np.clip(pale * 2, 0, 255).astype(np.uint8)) == "overexposed"


def test_a_blurred_face_is_hard_to_read(detector: Mtcnn):
    assert problem(detector, cv2.GaussianBlur(FACE, (0, 0), 14)) == "blurred"


def test_a_tiny_face_is_too_small(detector: Mtcnn):
    tiny = draw_face(3, size=36)
    [face] = detector.detect(tiny)
    assert face_size(face) < 8 and reading_problem(tiny, face) == "too small"


@pytest.mark.parametrize(
    ("photo", "advice"),
    [
        (draw_landscape() // 32, "it is too dark. Try one that shows the face in good light."),
        (
            np.full((480, 640, 3), 255, np.uint8),
            "it is overexposed. Try one that shows the face in good light.",
        ),
        (draw_landscape(2000, 1500), "if the face is small in it, crop the photo around the face."),
        (draw_landscape(), "try one that shows the face from the front, in good light."),
        (np.zeros((1, 1, 3), np.uint8), "it is too dark. Try one that shows the face in good light."),
    ],
)
def test_the_advice_fits_the_photo_without_a_face(photo: np.ndarray, advice: str):
    assert no_face_advice(photo) == advice
