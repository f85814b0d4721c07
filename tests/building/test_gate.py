from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from lookalike.building.gate import MIN_FACE_SIZE, MIN_SHARPNESS, CheckedPhoto, check_photo
from lookalike.faces.detectors import load_detector
from lookalike.faces.face import Face, largest_first
from lookalike.faces.quality import face_size, sharpness, yaw
from tests.support.drawing import draw_face
from tests.support.fakes import a_face, speckled


class Finds:
    """A detector that finds the given faces in every photo."""

    name = "finds"

    def __init__(self, *faces: Face) -> None:
        self.faces = largest_first(faces)

    def detect(self, image: np.ndarray) -> list[Face]:
        return self.faces


def encoded(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def photo(width: int = 200, height: int = 200) -> bytes:
    file = io.BytesIO()
    Image.fromarray(speckled((200, 0, 0), width, height)).save(file, "PNG")
    return file.getvalue()


def test_one_face_is_accepted_with_its_photo():
    face = a_face(50, 50, 100, 100)
    checked = check_photo(photo(), Finds(face))
    assert isinstance(checked, CheckedPhoto)
    assert checked.face is face
    assert checked.image.shape == (200, 200, 3)


def test_a_photo_without_a_face_is_refused():
    assert check_photo(photo(), Finds()) == "no face"


@pytest.mark.parametrize("junk", [b"", b"<html>", photo()[:40]])
def test_what_is_not_a_photo_is_unreadable(junk: bytes):
    assert check_photo(junk, Finds(a_face(0, 0, 100, 100))) == "unreadable"


def test_a_face_out_of_focus_is_blurred():
    sharp = draw_face(3)
    face = load_detector().detect(sharp)[0]
    blurred = cv2.GaussianBlur(sharp, (0, 0), 20)  # of a face 220 pixels wide
    assert sharpness(sharp, face) > 2 * MIN_SHARPNESS
    assert check_photo(encoded(sharp), Finds(face)) != "blurred"
    assert check_photo(encoded(blurred), Finds(face)) == "blurred"


def test_a_profile_is_turned_away_and_quality_falls_before():
    def facing(nose: float) -> CheckedPhoto | str:
        face = a_face(50, 50, 100, 100)
        face.landmarks[2, 0] += nose * 40  # the eyes are 40 pixels apart
        assert yaw(face) == pytest.approx(nose)
        return check_photo(photo(), Finds(face))

    front, half = facing(0), facing(0.5)
    assert isinstance(front, CheckedPhoto) and isinstance(half, CheckedPhoto) and front.quality > half.quality
    assert facing(0.7) == "turned away"


def test_the_face_in_the_box_of_the_source_is_taken_among_several():
    faces = a_face(0, 0, 100, 100), a_face(120, 120, 70, 70)
    checked = check_photo(photo(), Finds(*faces), box=(125, 125, 60, 60))
    assert isinstance(checked, CheckedPhoto) and checked.face is faces[1]
    assert check_photo(photo(), Finds(*faces), box=(120, 0, 40, 40)) == "no face"


@pytest.mark.parametrize(("side", "verdict"), [(60, "several faces"), (50, "accepted")])
def test_a_second_face_counts_when_it_has_over_a_third_of_the_area(side: int, verdict: str):
    checked = check_photo(photo(), Finds(a_face(0, 0, 100, 100), a_face(120, 120, side, side)))
    assert checked == verdict or (verdict == "accepted" and isinstance(checked, CheckedPhoto))


def test_a_neighbour_whom_the_edge_cuts_off_does_not_count_even_if_larger():
    whole = a_face(20, 20, 100, 100)
    checked = check_photo(photo(), Finds(whole, a_face(140, 20, 120, 120)))
    assert isinstance(checked, CheckedPhoto) and checked.face is whole


def test_a_lone_face_that_the_edge_cuts_off_is_accepted():
    assert isinstance(check_photo(photo(), Finds(a_face(-50, 50, 100, 100))), CheckedPhoto)


def test_a_face_of_few_pixels_is_too_small():
    assert check_photo(photo(), Finds(a_face(50, 50, 30, 30))) == "too small"
    assert check_photo(photo(10, 10), Finds(a_face(0, 0, 200, 200))) == "too small"


def test_the_size_of_a_profile_is_from_eyes_to_mouth():
    face = Face((0, 0, 50, 50), np.array([[20, 10], [20, 10], [22, 20], [20, 35], [20, 35]], np.float32), 0.9)
    assert face_size(face) == 25 > MIN_FACE_SIZE
