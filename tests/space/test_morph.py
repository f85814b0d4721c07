"""The morph of two faces: landmarks where they belong, both ends untouched, a small animated file."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from lookalike.faces.face import Face
from lookalike.space.drawing.animation import MAX_BYTES, SIDES, halfway, morph_gif
from lookalike.space.drawing.morph import LEAST_SIDE, SIDE, LevelFace, level_pair, morph, warped
from tests.support.drawing import draw_face

POINTS = np.array([[70, 90], [130, 90], [100, 125], [75, 150], [125, 150]], np.float32)
MOVED = POINTS + np.array([[-8, 4], [6, 4], [5, -9], [-4, 7], [4, 7]], np.float32)
DISC = 4  # pixels, its radius


def dotted(points: np.ndarray) -> LevelFace:
    """A grey face with a white disc at each landmark."""
    sheet = np.full((200, 200, 3), 90, np.uint8)
    for x, y in points:
        cv2.circle(sheet, (int(x), int(y)), DISC, (255, 255, 255), -1)
    return LevelFace(sheet, points)


def centres(image: np.ndarray) -> np.ndarray:
    """The centres of the discs, from top to bottom and left to right within a row."""
    _, _, _, places = cv2.connectedComponentsWithStats((image[:, :, 0] > 180).astype(np.uint8))
    rows = sorted(places[1:], key=lambda place: (round(place[1] / 20), place[0]))
    return np.array(rows)


def test_a_warp_brings_every_landmark_to_its_place_and_leaves_the_edges():
    shown = warped(dotted(POINTS), MOVED)
    assert centres(shown) == pytest.approx(MOVED, abs=1)
    for edge in (shown[0], shown[-1], shown[:, 0], shown[:, -1]):
        assert (edge == 90).all()


def test_a_warp_to_the_same_place_changes_nothing():
    face = LevelFace(draw_face(3, size=240), POINTS)
    assert np.abs(warped(face, POINTS).astype(int) - face.image).max() <= 1


def test_the_ends_of_a_morph_are_the_faces_and_its_middle_has_landmarks_halfway():
    first, second = dotted(POINTS), dotted(MOVED)
    start, middle, end = morph(first, second, [0, 0.5, 1])
    assert np.abs(start.astype(int) - first.image).max() <= 2
    assert np.abs(end.astype(int) - second.image).max() <= 2
    assert centres(middle) == pytest.approx((POINTS + MOVED) / 2, abs=1)
    assert {frame.shape for frame in (start, middle, end)} == {(200, 200, 3)}
    assert middle.dtype == np.uint8


def test_landmarks_in_one_place_do_not_break_the_morph():
    profile = POINTS.copy()
    profile[1], profile[4] = profile[0], profile[3]
    (middle,) = morph(dotted(profile), dotted(POINTS), [0.5])
    assert middle.shape == (200, 200, 3)


def face_of(size: int) -> tuple[np.ndarray, Face]:
    """A drawn face and where its landmarks are."""
    points = np.array([[193, 222], [287, 222], [240, 280], [200, 320], [280, 320]], np.float32) * size / 480
    return draw_face(3, size=size), Face((0, 0, size, size), points, 1.0)


@pytest.mark.parametrize(
    ("first", "second", "side"),
    [(2000, 2000, SIDE), (480, 2000, SIDE), (400, 2000, 345), (60, 2000, LEAST_SIDE)],
)
def test_two_faces_become_squares_of_one_size_with_the_eyes_at_one_height(first: int, second: int, side: int):
    pair = level_pair(face_of(first), face_of(second))
    assert [face.image.shape for face in pair] == [(side, side, 3)] * 2
    heights = [height for face in pair for height in face.points[:2, 1]]
    assert heights == pytest.approx([0.43 * side] * 4, abs=1.5)


def test_the_file_is_an_endless_animation_of_a_second_and_a_half_with_a_caption():
    pair = level_pair(face_of(900), face_of(700))
    drawn = Image.open(io.BytesIO(morph_gif(*pair, "71 % Ada Lovelace", "Photo: Somebody, CC BY 4.0")))
    seconds = 0.0
    for frame in range(drawn.n_frames):
        drawn.seek(frame)
        seconds += drawn.info["duration"] / 1000
    assert drawn.format == "GIF" and drawn.info["loop"] == 0 and seconds == pytest.approx(1.5)
    assert drawn.width == SIDES[0] and drawn.height > drawn.width
    drawn.seek(0)
    assert (np.asarray(drawn.convert("RGB"))[SIDES[0] + 2] > 200).all()  # the caption's paper


def test_a_file_of_noise_is_smaller_rather_than_too_large():
    noise = np.random.default_rng(0).integers(0, 256, (280, 280, 3), np.uint8)
    faces = (LevelFace(noise, POINTS), LevelFace(np.ascontiguousarray(noise[::-1]), POINTS))
    assert len(morph_gif(*faces, "71 % Ada")) <= MAX_BYTES


def test_the_picture_halfway_has_half_of_each():
    black, white = (LevelFace(np.full((240, 240, 3), value, np.uint8), POINTS) for value in (0, 200))
    assert (halfway(black, white) == 100).all()
