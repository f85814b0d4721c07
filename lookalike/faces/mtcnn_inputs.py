"""The pictures that MTCNN's networks are shown: pyramids, patches and turned photos.

Coordinates are edges: 0 is a picture's left or upper edge, so a pixel's centre lies at a half.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.face import RGB

Floats = NDArray[np.floating]
Halvings = list[RGB]  # a photo, then pictures half as wide and high as the one before
Size = tuple[int, int]  # width, height

PYRAMID_STEP = 0.709  # the paper's: each level has half the area of the one before
SHORTEST_LEVEL = 8  # pixels; there P-Net's 12 see a face half as tall again as the photo
MARGIN = 4  # pixels round a level: a third of a window may lie outside the photo, where a face is cut off
GREY = (127, 127, 127)  # what surrounds a photo: the middle of the range, where the networks see nothing
DARK, LIT = 128, 220  # the brightest pixels of a dark photo, at half the light of a common one, and of that
DARK_SAMPLES = 64  # rows and columns that are looked at to tell
TURNED_SIDE = 416  # pixels, the root of 480x360: a photo is turned at no larger size


def brighten(image: RGB) -> RGB:
    """Return a photo taken in the dark as if there had been enough light, any other as it is.

    MTCNN was trained on well-lit photos: at an eighth of the light it finds a third of the faces.
    """
    step = max(1, min(image.shape[:2]) // DARK_SAMPLES)
    brightest = float(np.percentile(image[::step, ::step].max(axis=2), 99))  # the last 1 % may be lamps
    if brightest >= DARK:
        return image
    return np.asarray(cv2.convertScaleAbs(image, alpha=LIT / max(brightest, 1.0)), np.uint8)


def halve(image: RGB) -> Halvings:
    """Return the photo and its halvings by 2x2, so that a bilinear resize of one of them skips no pixel."""
    pictures = [image]
    while min(pictures[-1].shape[:2]) >= 2:
        height, width = (side // 2 for side in pictures[-1].shape[:2])
        whole = pictures[-1][: 2 * height, : 2 * width]  # an odd last row or column is left out
        pictures.append(
            np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        )
    return pictures


def pyramid_sizes(width: int, height: int, scale: float) -> list[Size]:
    """Return the levels' sizes, from `scale` of the photo's down to the last that a face can fill."""
    sizes = []
    while min(width, height) * scale >= SHORTEST_LEVEL:
        sizes.append((round(width * scale), round(height * scale)))
        scale *= PYRAMID_STEP
    return sizes


def pack(photo: Halvings, sizes: Sequence[Size]) -> tuple[RGB, NDArray[np.int64]]:
    """Return all levels on one grey canvas, (H, W, 3) uint8, and their (levels, 2) upper left corners there.

    They stand on shelves as wide as the first level, each on the first shelf with room: as they come by
    falling size, none is taller than its shelf. Between two of them is one margin.
    """
    corners: list[Size] = []
    shelves: list[Size] = []  # the left and upper edge of the room that is left
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


def patches(photo: Halvings, squares: Floats, side: int, angles: Floats) -> NDArray[np.uint8]:
    """Return (n, 3) squares (left, top, side) of the photo as (n, side, side, 3) uint8, grey outside the
    photo.

    Each is turned clockwise round its middle by its angle in radians before it is cut out.
    """
    indices = np.clip(np.floor(-np.log2(side / squares[:, 2])), 0, len(photo) - 1).astype(int)
    halved = 2.0**indices
    steps = squares[:, 2] / side / halved  # pixels of the halved picture for one of the patch
    across = steps[:, None, None] * rotation(angles).transpose(2, 0, 1)  # (n, 2, 2)
    middles = (squares[:, :2] + squares[:, 2:] / 2) / halved[:, None]
    shifts = middles - across @ [side / 2, side / 2]
    matrices = np.concatenate([across, (shifts + across.sum(axis=2) / 2 - 0.5)[:, :, None]], axis=2)
    cut = zip(indices, matrices, strict=True)
    return np.stack([_warp(photo[i], matrix, (side, side), cv2.WARP_INVERSE_MAP) for i, matrix in cut])


def turn(photo: Halvings, degrees: float) -> tuple[Halvings, Floats]:
    """Return the photo turned clockwise on grey, and the (2, 3) matrix from there back to the photo."""
    if not degrees:
        return photo, np.eye(2, 3)
    size = np.array(photo[0].shape[1::-1])
    scale = min(1.0, TURNED_SIDE / float(np.sqrt(size.prod())))
    there = scale * rotation(np.deg2rad(degrees))
    width, height = (int(side) for side in np.ceil(np.abs(there) @ size))
    shift = (np.array([width, height]) - there @ size) / 2
    index = _halving(photo, scale)
    turned = _warp(photo[index], _at_centres(there * 2**index, shift), (width, height))
    back = np.linalg.inv(there)
    return halve(turned), np.c_[back, -back @ shift]


def rotation(angle: float | Floats) -> Floats:
    """Return the (2, 2) matrix that turns (x, y) by so many radians, clockwise as y points down; (2, 2, n)
    for n angles.
    """
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _halving(photo: Halvings, scale: float) -> int:
    """Return the index of the smallest halving that is at least `scale` of the photo."""
    return int(np.clip(np.floor(-np.log2(scale)), 0, len(photo) - 1))


def _at_centres(turn: Floats, shift: Floats) -> Floats:
    """Return the (2, 3) matrix between pixel centres, as OpenCV counts, for one between edges."""
    return np.column_stack([turn, shift + turn.sum(axis=1) / 2 - 0.5])


def _warp(image: RGB, matrix: Floats, size: Size, flag: int = 0) -> RGB:
    warped = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR | flag, borderMode=cv2.BORDER_CONSTANT, borderValue=GREY
    )
    return np.asarray(warped, np.uint8)
