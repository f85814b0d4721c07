"""Crops of faces: ArcFace's template and the eye-levelled box."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lookalike.faces.alignment import TEMPLATE, align, level_box, umeyama
from lookalike.faces.face import Face, largest_first


def gradient(height: int, width: int) -> np.ndarray:
    """Red grows to the right, green downwards, so a pixel's colour encodes its place."""
    rows, columns = np.mgrid[:height, :width]
    return np.dstack([columns * 255 // width, rows * 255 // height, np.zeros((height, width))]).astype(
        np.uint8
    )


def face_with(image_points: np.ndarray, **box: float) -> Face:
    return Face(
        (box.get("x", 0), box.get("y", 0), box.get("w", 10), box.get("h", 10)),
        image_points.astype(np.float32),
        1.0,
    )


def test_a_similarity_transform_is_recovered_from_points():
    rotation = 1.7 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    points = np.array([[0, 0], [10, 0], [3, 8], [7, 2], [5, 5]])
    assert np.allclose(umeyama(points, points @ rotation.T + [5, -3]), np.c_[rotation, [5, -3]])


def test_the_transform_never_mirrors():
    matrix = umeyama(TEMPLATE, TEMPLATE * [-1, 1])
    assert np.linalg.det(matrix[:, :2]) > 0


def test_a_face_on_the_template_stays_unchanged():
    image = gradient(112, 112)
    assert np.abs(align(image, face_with(TEMPLATE)).astype(int) - image).max() <= 1


@pytest.mark.parametrize("size", [64, 112, 224])
@pytest.mark.parametrize("angle", [0, 30, 180])
def test_landmarks_land_on_the_template_for_any_rotation_and_scale(size: int, angle: int):
    image = np.zeros((900, 900, 3), np.uint8)
    matrix = cv2.getRotationMatrix2D((56, 56), angle, 3.0) + np.array([0, 0, 400])
    points = TEMPLATE @ matrix[:, :2].T + matrix[:, 2]
    for x, y in points:
        cv2.circle(image, (round(x), round(y)), 6, (255, 255, 255), -1)
    crop = align(image, face_with(points), size)
    for x, y in TEMPLATE * size / 112:
        assert crop[round(y), round(x)].min() > 128


def test_shrinking_a_large_face_averages_its_pixels():
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[:, ::2] = 255  # bilinear sampling alone would return all black or all white columns
    crop = align(stripes, face_with(TEMPLATE * 8 + 100))
    assert abs(float(crop[20:-20, 20:-20].mean()) - 127.5) < 3 and crop[20:-20, 20:-20].std() < 10


def test_shrinking_keeps_pixels_in_place():
    image = gradient(900, 900)
    crop = align(image, face_with(TEMPLATE * 8))  # the crop is the photo's first 896 pixels, an eighth
    expected = gradient(900, 900)[3:896:8, 3:896:8]
    assert np.abs(crop[4:-4, 4:-4].astype(int) - expected[4:-4, 4:-4]).max() <= 2


def test_a_face_at_the_edge_is_black_outside_the_photo():
    crop = align(np.full((60, 60, 3), 200, np.uint8), face_with(TEMPLATE - 56))
    assert crop[10, 10].tolist() == [0, 0, 0] and crop[90, 90].tolist() == [200, 200, 200]


def test_five_landmarks_in_one_point_do_not_crash():
    assert align(gradient(50, 50), face_with(np.full((5, 2), 25.0))).shape == (112, 112, 3)


def test_the_level_box_keeps_its_aspect_ratio_on_black():
    image = np.full((200, 200, 3), 180, np.uint8)
    face = Face(
        (60, 40, 50, 100), np.array([[70, 80], [100, 80], [85, 95], [75, 120], [95, 120]], np.float32), 1.0
    )
    crop = level_box(image, face, (80, 80))
    assert crop.shape == (80, 80, 3)
    columns = np.flatnonzero(crop[40, :, 0])
    assert (columns[0], columns[-1]) == (20, 59) and crop[1, 40, 0] == 180


def test_the_level_box_makes_the_eyes_level():
    image = np.zeros((300, 300, 3), np.uint8)
    left, right = (110, 120), (170, 160)
    for eye in (left, right):
        cv2.circle(image, eye, 5, (255, 255, 255), -1)
    face = Face(
        (80, 80, 130, 150), np.array([left, right, (140, 170), (120, 200), (160, 200)], np.float32), 1.0
    )
    crop = level_box(image, face, (224, 224))[:, :, 0]
    heights = [np.flatnonzero(half.max(axis=1) > 128).mean() for half in (crop[:, :112], crop[:, 112:])]
    assert abs(heights[0] - heights[1]) < 2


def test_the_largest_face_comes_first():
    faces = [Face((0, 0, size, size), TEMPLATE.astype(np.float32), 1.0) for size in (5, 20, 10)]
    assert [face.box[2] for face in largest_first(faces)] == [20, 10, 5]
