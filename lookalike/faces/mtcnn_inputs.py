"""The inputs of MTCNN's networks: image pyramids, patches, and rotated photos.

Coordinates are edges: 0 is a picture's left or upper edge, a pixel's centre is at a half.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.face import RGB

Floats = NDArray[np.floating]
Pyramid = list[RGB]  # a photo, then pictures each half as wide and high as the one before
Size = tuple[int, int]  # width, height

PYRAMID_STEP = 0.709  # the paper's: each level has half the area of the one before
SHORTEST_LEVEL = 8  # pixels; P-Net's window of 12 then shows a face 1.5 times as tall as the photo
MARGIN = 4  # pixels around a level: for cut-off faces a third of a window may lie outside the photo
GREY = (127, 127, 127)  # around a photo: the middle of the range, 0 for the networks
DARK, BRIGHT = 128, 220  # the brightest pixels of a dark photo and of a typical one
DARK_SAMPLES = 64  # rows and columns sampled to measure brightness
ROTATED_SIDE = 416  # pixels, the square root of 480x360: the largest size at which a photo is rotated


def brighten(image: RGB) -> RGB:
    """Return a dark photo brightened, any other unchanged.

    MTCNN was trained on well-lit photos. At an eighth of the light it finds a third of the faces.
    """
    step = max(1, min(image.shape[:2]) // DARK_SAMPLES)
    brightest = float(np.percentile(image[::step, ::step].max(axis=2), 99))  # ignore 1 %, which may be lamps
    if brightest >= DARK:
        return image
    return np.asarray(cv2.convertScaleAbs(image, alpha=BRIGHT / max(brightest, 1.0)), np.uint8)


def halvings(image: RGB) -> Pyramid:
    """Return the photo and its successive halvings, from which bilinear resizing skips no pixel."""
    pictures = [image]
    while min(pictures[-1].shape[:2]) >= 2:
        height, width = (side // 2 for side in pictures[-1].shape[:2])
        whole = pictures[-1][: 2 * height, : 2 * width]  # drops an odd last row or column
        pictures.append(
            np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        )
    return pictures


def pyramid_sizes(width: int, height: int, scale: float) -> list[Size]:
    """Return the sizes of the levels, from `scale` times the photo's down to the last that a face can
    fill.
    """
    sizes = []
    while min(width, height) * scale >= SHORTEST_LEVEL:
        sizes.append((round(width * scale), round(height * scale)))
        scale *= PYRAMID_STEP
    return sizes


def pack(photo: Pyramid, sizes: Sequence[Size]) -> tuple[RGB, NDArray[np.int64]]:
    """Place all levels on one gray canvas; return it, (H, W, 3) uint8, and their (levels, 2) upper left
    corners.

    The levels are placed in rows as wide as the first level, each in the first row with room (shelf packing).
    They come by falling size, so none is taller than its row. One margin separates two levels.
    """
    corners: list[Size] = []
    shelves: list[Size] = []  # the left and upper edge of the free space in each row
    right, bottom = sizes[0][0] + 2 * MARGIN, MARGIN
    for width, height in sizes:
        room = next(
            (i for i, (left, _) in enumerate(shelves) if left + width + MARGIN <= right), len(shelves)
        )
        if room == len(shelves):
            shelves.append((MARGIN, bottom))
            bottom += height + MARGIN
        left, top = shelves[room]
        corners.append((left, top))
        shelves[room] = (left + width + MARGIN, top)
    canvas = np.full((bottom, right, 3), GREY, np.uint8)
    for (left, top), (width, height) in zip(corners, sizes, strict=True):
        nearest = photo[_halving(photo, width / photo[0].shape[1])]
        level = cv2.resize(nearest, (width, height), interpolation=cv2.INTER_LINEAR)
        canvas[top : top + height, left : left + width] = level
    return canvas, np.array(corners, np.int64)


def patches(photo: Pyramid, squares: Floats, side: int, angles: Floats) -> NDArray[np.uint8]:
    """Cut (n, 3) squares (left, top, side) out of the photo; return (n, side, side, 3) uint8, gray outside
    it.

    Each square is rotated clockwise around its centre by its angle in radians.
    """
    indices = np.clip(np.floor(-np.log2(side / squares[:, 2])), 0, len(photo) - 1).astype(int)
    halved = 2.0**indices
    steps = squares[:, 2] / side / halved  # pixels of the halved picture per pixel of the patch
    across = steps[:, None, None] * rotation(angles).transpose(2, 0, 1)  # (n, 2, 2)
    middles = (squares[:, :2] + squares[:, 2:] / 2) / halved[:, None]
    shifts = middles - across @ [side / 2, side / 2]
    matrices = np.concatenate([across, (shifts + across.sum(axis=2) / 2 - 0.5)[:, :, None]], axis=2)
    cut = zip(indices, matrices, strict=True)
    return np.stack([_warp(photo[i], matrix, (side, side), cv2.WARP_INVERSE_MAP) for i, matrix in cut])


def rotate(photo: Pyramid, degrees: float) -> tuple[Pyramid, Floats]:
    """Return the photo rotated clockwise on gray, and the (2, 3) matrix from there back to the photo."""
    if not degrees:
        return photo, np.eye(2, 3)
    size = np.array(photo[0].shape[1::-1])
    scale = min(1.0, ROTATED_SIDE / float(np.sqrt(size.prod())))
    there = scale * rotation(np.deg2rad(degrees))
    width, height = (int(side) for side in np.ceil(np.abs(there) @ size))
    shift = (np.array([width, height]) - there @ size) / 2
    index = _halving(photo, scale)
    rotated = _warp(photo[index], _at_centres(there * 2**index, shift), (width, height))
    back = np.linalg.inv(there)
    return halvings(rotated), np.c_[back, -back @ shift]


def rotation(angle: float | Floats) -> Floats:
    """Return the (2, 2) matrix that rotates (x, y) by `angle` radians, clockwise because y points down.

    For n angles it is (2, 2, n).
    """
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _halving(photo: Pyramid, scale: float) -> int:
    """Return the index of the smallest halving that is at least `scale` of the photo."""
    return int(np.clip(np.floor(-np.log2(scale)), 0, len(photo) - 1))


def _at_centres(linear: Floats, shift: Floats) -> Floats:
    """Convert a transform between edge coordinates into the (2, 3) matrix between pixel centres, for
    OpenCV.
    """
    return np.column_stack([linear, shift + linear.sum(axis=1) / 2 - 0.5])


def _warp(image: RGB, matrix: Floats, size: Size, flag: int = 0) -> RGB:
    warped = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR | flag, borderMode=cv2.BORDER_CONSTANT, borderValue=GREY
    )
    return np.asarray(warped, np.uint8)
