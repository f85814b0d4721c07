"""Photos on a side or upside down are turned upright by their faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lookalike.faces.face import Face
from lookalike.faces.mtcnn import Mtcnn
from lookalike.faces.turning import detect_upright, roll
from tests.support.drawing import draw_face, draw_group, draw_landscape


@pytest.fixture(scope="module")
def detector() -> Mtcnn:
    return Mtcnn(threads=1)


class ListedDetector:
    """A detector that finds faces of listed confidences, one list for each photo that it is given."""

    name = "listed"

    def __init__(self, *confidences: float) -> None:
        self.confidences = list(confidences)

    def detect(self, image: np.ndarray) -> list[Face]:
        points = np.array([[10, 10], [20, 10], [15, 15], [11, 20], [19, 20]], np.float32)
        confidence = self.confidences.pop(0)
        return [Face((5, 5, 20, 20), points, confidence)] if confidence else []


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("seed", [0, 2, 3, 4])  # one drawn face in ten also looks like a face upside down
def test_a_turned_photo_is_returned_upright_with_its_face(detector: Mtcnn, seed: int, turns: int):
    picture = draw_face(seed)[:, 60:420]
    image, [face] = detect_upright(detector, np.ascontiguousarray(np.rot90(picture, turns)))
    assert np.array_equal(image, picture) and abs(roll(face)) < 20


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_small_face_in_a_large_turned_photo_is_found(detector: Mtcnn, turns: int):
    picture = draw_landscape(3200, 2400)
    picture[1500:1820, 900:1220] = draw_face(5, size=320)
    image, [face] = detect_upright(detector, np.ascontiguousarray(np.rot90(picture, turns)))
    assert np.array_equal(image, picture) and 900 < face.box[0] < 1220


@pytest.mark.parametrize("picture", [draw_face(3), draw_face(5, turn=30), draw_group(), draw_landscape()])
def test_an_upright_photo_keeps_its_answer(detector: Mtcnn, picture: np.ndarray):
    image, faces = detect_upright(detector, picture)
    assert image is picture
    assert [face.box for face in faces] == [face.box for face in detector.detect(picture)]


def test_a_face_that_is_certain_ends_the_search():
    detector = ListedDetector(0.99)
    assert len(detect_upright(detector, draw_face())[1]) == 1 and detector.confidences == []


def test_the_turn_with_the_best_face_is_kept():
    picture = draw_face()
    detector = ListedDetector(0.8, 0.0, 0.97, 0.9, 0.96)  # as it is, three turns, the best turn again
    image, [face] = detect_upright(detector, picture)
    assert np.array_equal(image, np.rot90(picture, 2)) and face.confidence == 0.96


def test_a_weak_face_stays_if_no_turn_is_better():
    picture = draw_face()
    image, [face] = detect_upright(ListedDetector(0.9, 0.0, 0.905, 0.0), picture)
    assert image is picture and face.confidence == 0.9


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_o_net_tells_whether_a_face_is_upright(detector: Mtcnn, degrees: int):
    picture = draw_face(3)
    [face] = detector.detect(picture)
    matrix = cv2.getRotationMatrix2D(
        (face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2), degrees, 1
    )
    points = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    turned = Face(face.box, points.astype(np.float32), face.confidence)
    assert detector.is_upright(picture, turned) == (degrees == 0)
