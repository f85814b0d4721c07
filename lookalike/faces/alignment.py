"""Crops of faces for a model: warped to ArcFace's template, or the box rotated until the eyes are level."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.face import RGB, Face, Points

# ArcFace's five points in a 112x112 crop, Deng et al. 2019 (https://arxiv.org/abs/1801.07698)
TEMPLATE_SIZE = 112
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def align(image: RGB, face: Face, size: int = TEMPLATE_SIZE) -> RGB:
    """Return the face warped to ArcFace's template, (size, size, 3) uint8 RGB, black outside the photo.

    The warp is the similarity transform (rotation, scale, translation) that brings the five landmarks closest
    to the template, Umeyama 1991 (https://doi.org/10.1109/34.88573). It samples the original pixels once.
    """
    return warp(image, umeyama(face.landmarks, TEMPLATE * (size / TEMPLATE_SIZE)), (size, size))


def level_box(image: RGB, face: Face, size: tuple[int, int]) -> RGB:
    """Return the face's box, rotated until the eyes are level: (height, width, 3) uint8 RGB for `size`, which
    is (width, height).

    The box keeps its aspect ratio and is centred on black. DeepFace gives such crops to the models that were
    not trained on a five-point template.
    """
    x, y, width, height = face.box
    (left, right), centre = face.landmarks[:2], np.array([x + width / 2, y + height / 2])
    angle = np.arctan2(right[1] - left[1], right[0] - left[0])
    scale = min(size[0] / width, size[1] / height)
    rotation = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    shift = np.array(size) / 2 - rotation @ centre
    crop = warp(image, np.c_[rotation, shift], size)
    margins = (np.array(size) - scale * np.array([width, height])) / 2
    left_edge, top_edge = np.ceil(margins).astype(int)
    padded = np.zeros_like(crop)
    inside = np.s_[top_edge : size[1] - top_edge, left_edge : size[0] - left_edge]
    padded[inside] = crop[inside]
    return padded


def warp(
    image: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    size: tuple[int, int],
    *,
    border: int = cv2.BORDER_CONSTANT,
) -> NDArray[np.uint8]:
    """Return an (H, W, 3) or (H, W) photo warped by a (2, 3) matrix to a crop of `size`, (width, height).

    Where one pixel of the crop covers several of the photo, the photo is shrunk first. `border` is OpenCV's
    way to fill what is outside the photo, by default black.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[0, 1]))
    matrix, part = _needed_part(image, matrix, size)
    factor = round(0.75 / scale) if scale > 0 else 1  # below 0.5, bilinear sampling skips pixels
    if factor > 1:
        height, width = part.shape[0] // factor, part.shape[1] // factor
        if height and width:
            part = cv2.resize(
                part[: height * factor, : width * factor], (width, height), interpolation=cv2.INTER_AREA
            )
            # pixel centres: x = factor * u + (factor - 1) / 2
            matrix = np.c_[
                matrix[:, :2] * factor, matrix[:, 2] + matrix[:, :2].sum(axis=1) * (factor - 1) / 2
            ]
    return np.asarray(cv2.warpAffine(part, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border), np.uint8)


def umeyama(points: Points, target: Points) -> NDArray[np.float64]:
    """Return the (2, 3) similarity transform that maps (n, 2) `points` to (n, 2) `target` with least
    squares.
    """
    points, target = np.asarray(points, np.float64), np.asarray(target, np.float64)
    centred, centred_target = points - points.mean(axis=0), target - target.mean(axis=0)
    # In 2-D, rotation and scale are one complex factor: the least-squares projection of b on a.
    a = centred[:, 0] + 1j * centred[:, 1]
    b = centred_target[:, 0] + 1j * centred_target[:, 1]
    energy = float((np.abs(a) ** 2).sum())
    factor = (np.conj(a) * b).sum() / energy if energy > 0 else 1 + 0j
    rotation = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.c_[rotation, target.mean(axis=0) - rotation @ points.mean(axis=0)]


def _needed_part(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return the part of the photo that the crop shows, and the matrix from there: the rest costs no time."""
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], [size[0], size[1]]], np.float64)
    try:
        visible = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    except np.linalg.LinAlgError:  # all five landmarks in one point
        return matrix, image
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(visible.min(axis=0)) - 2, 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(visible.max(axis=0)) + 2, [left + 1, top + 1], [width, height]).astype(
        int
    )
    shifted = np.c_[matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ np.array([left, top])]
    return shifted, np.ascontiguousarray(image[top:bottom, left:right])
