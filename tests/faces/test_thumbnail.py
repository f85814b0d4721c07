"""Thumbnails: every face at one place and one size, eyes level, never enlarged."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from lookalike.faces.detectors import load_detector
from lookalike.faces.face import Face
from lookalike.faces.thumbnail import EYE_LEVEL, ROOM, SIDE, cut_face, thumbnail
from tests.support.drawing import draw_face
from tests.support.fakes import a_face

BACKGROUND = (150, 165, 175)


def eyes_in(cut: np.ndarray) -> np.ndarray:
    """Return where the detector finds the eyes, as shares of the side: (2, 2), x and y."""
    (face,) = load_detector().detect(cut)
    return face.landmarks[:2] / len(cut)


def largest(image: np.ndarray) -> Face:
    return load_detector().detect(image)[0]


@pytest.mark.parametrize("turn", [-25, 0, 25])
@pytest.mark.parametrize("margin", [0, 300])
def test_the_eyes_are_level_and_in_the_same_place_whatever_the_crop(turn: int, margin: int):
    photo = draw_face(3, turn=turn)
    if margin:
        photo = cv2.copyMakeBorder(photo, margin, 0, margin, 40, cv2.BORDER_CONSTANT, value=BACKGROUND)
    eyes = eyes_in(cut_face(photo, largest(photo), 300))
    assert eyes[:, 1] == pytest.approx(EYE_LEVEL, abs=0.02)
    assert eyes.mean(axis=0)[0] == pytest.approx(0.5, abs=0.02)
    assert eyes[1, 0] - eyes[0, 0] == pytest.approx(1 / ROOM, abs=0.02)


def test_a_thumbnail_is_webp_without_metadata_and_no_larger_than_needed():
    photo = draw_face(3, size=900)
    with Image.open(io.BytesIO(thumbnail(photo, largest(photo)))) as picture:
        assert (picture.format, picture.size, dict(picture.getexif())) == ("WEBP", (SIDE, SIDE), {})


def test_nothing_is_enlarged():
    face = a_face(30, 30, 40, 40)  # its eyes are 16 pixels apart
    assert cut_face(np.zeros((100, 100, 3), np.uint8), face, 300).shape == (70, 70, 3)


def test_a_profile_is_not_cut_closer_than_a_face_in_front():
    front, profile = a_face(30, 30, 40, 40), a_face(30, 30, 40, 40)
    profile.landmarks[:2, 0] = 50, 52  # the eyes are 2 pixels apart, the mouth is 16 below them
    sides = [len(cut_face(np.zeros((200, 200, 3), np.uint8), face, 300)) for face in (front, profile)]
    assert sides == [70, 53]


def test_the_colours_go_on_beyond_the_edges_of_the_photo():
    photo = np.zeros((60, 60, 3), np.uint8)
    photo[:, :30], photo[:, 30:] = (200, 40, 40), (40, 40, 200)
    cut = cut_face(photo, a_face(0, 0, 60, 60), 300).astype(int)
    assert len(cut) == 106
    for row in (2, 50, -3):
        assert cut[row, 2, 0] > 150 > 90 > cut[row, 2, 2] and cut[row, -3, 2] > 150 > 90 > cut[row, -3, 0]


@pytest.mark.parametrize("box", [(-30, -30, 60, 60), (500, 500, 9, 9), (0, 0, 0, 0), (0, 0, 900, 900)])
def test_a_face_at_the_edge_or_beyond_it_is_cut_without_error(box: tuple[float, ...]):
    cut = cut_face(np.full((80, 100, 3), 255, np.uint8), a_face(*box), SIDE)
    assert cut.shape[0] == cut.shape[1] <= SIDE and cut.min() > 240
