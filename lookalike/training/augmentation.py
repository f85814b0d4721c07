"""What a face may look like tomorrow: random changes to aligned faces.

`reframe` is the next photo of the same face under another lamp, found by another detector; `blend` is a face
that nobody has; `degrade` is a worse camera.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]  # (n, h, w, 3) RGB

FLIP = 0.5
MAX_SHIFT = 3.0  # pixels; two detectors' landmarks on one face differ by 1 to 3 at this size
MAX_TURN = 6.0  # degrees
MAX_ZOOM = 0.07  # share of the size
STRETCH = 0.5  # share of faces whose features move a little, each its own way
MAX_STRETCH = 2.5  # pixels, the standard deviation at a knot
BLEND = (0.3, 0.7)  # how much of a face is left in a blend; outside it is only a ghost on the other
SEAM = (3.0, 20.0)  # pixels over which one face passes into the other
OTHER_DETECTOR = 0.5  # share of degraded faces that are aligned a little differently
GREY = 0.2
CAST = 0.2  # share of faces whose colours drift, as under a lamp
SMALL = 0.15  # share that was photographed small
MIN_SIDE, MAX_SIDE = (
    36,
    90,
)  # pixels of a small aligned face; under 36 the teacher itself no longer tells people apart
BLUR = 0.1
JPEG = 0.15
NOISE = 0.1
HIDE = 0.1  # share with a patch hidden


def reframe(rng: np.random.Generator, images: Images) -> Images:
    """Return flipped, slightly moved and relit copies of `images`."""
    return np.stack([_relight(rng, _move(rng, _flip(rng, image))) for image in images])


def blend(rng: np.random.Generator, images: Images, partners: Images) -> Images:
    """Return faces between `images` and `partners`, both (n, h, w, 3): half of them shine through each other
    (mixup, Zhang et al. 2018, https://arxiv.org/abs/1710.09412), half meet at a soft seam.
    """
    return np.stack([_blend(rng, image, other) for image, other in zip(images, partners, strict=True)])


def stretch(rng: np.random.Generator, images: Images) -> Images:
    """Return copies of `images`, a share of them with eyes, nose and mouth moved smoothly: other people."""
    return np.stack([_stretch(rng, image) if rng.random() < STRETCH else image for image in images])


def degrade(rng: np.random.Generator, images: Images) -> Images:
    """Return copies of `images` as a worse camera, a smaller photo or a hand before the face would give
    them.
    """
    steps = (
        (OTHER_DETECTOR, _misalign),
        (GREY, _grey),
        (CAST, _cast),
        (SMALL, _small),
        (BLUR, _blur),
        (NOISE, _noise),
        (JPEG, _jpeg),
        (HIDE, _hide),
    )
    worse = []
    for image in images:
        for chance, step in steps:
            if rng.random() < chance:
                image = step(rng, image)
        worse.append(image)
    return np.stack(worse)


def _flip(rng: np.random.Generator, image: Images) -> Images:
    return np.ascontiguousarray(image[:, ::-1]) if rng.random() < FLIP else image


def _misalign(rng: np.random.Generator, image: Images) -> Images:
    return _move(rng, image, strength=0.5)


def _move(rng: np.random.Generator, image: Images, strength: float = 1.0) -> Images:
    size = image.shape[0]
    centre = (size / 2, size / 2)
    matrix = cv2.getRotationMatrix2D(
        centre,
        strength * rng.uniform(-MAX_TURN, MAX_TURN),
        1 + strength * rng.uniform(-MAX_ZOOM, MAX_ZOOM),
    )
    matrix[:, 2] += strength * rng.uniform(-MAX_SHIFT, MAX_SHIFT, 2)
    return cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )


def _relight(rng: np.random.Generator, image: Images) -> Images:
    gamma = np.exp(rng.uniform(-0.4, 0.4))
    gain = rng.uniform(0.75, 1.2)
    table = np.clip(255 * gain * (np.arange(256) / 255) ** gamma, 0, 255).astype(np.uint8)
    return cv2.LUT(image, table)


def _blend(rng: np.random.Generator, image: Images, other: Images) -> Images:
    if rng.random() < 0.5:
        share = rng.uniform(*BLEND)
        return np.asarray(cv2.addWeighted(image, share, other, 1 - share, 0), np.uint8)
    size = image.shape[0]
    down, across = np.mgrid[0:size, 0:size].astype(np.float32) - (size - 1) / 2
    angle = rng.uniform(0, 2 * np.pi)
    distance = across * np.cos(angle) + down * np.sin(angle) - rng.uniform(-size / 6, size / 6)
    share = 1 / (1 + np.exp(-distance / rng.uniform(*SEAM)))[..., None]  # (h, w, 1)
    return (image * share + other * (1 - share)).astype(np.uint8)


def _stretch(rng: np.random.Generator, image: Images) -> Images:
    size, knots = image.shape[0], int(rng.integers(3, 6))
    moves = rng.normal(0, rng.uniform(0.5, MAX_STRETCH), (2, knots, knots)).astype(np.float32)
    right, up = (cv2.resize(move, (size, size), interpolation=cv2.INTER_CUBIC) for move in moves)
    down, across = np.mgrid[0:size, 0:size].astype(np.float32)
    return np.asarray(
        cv2.remap(image, across + right, down + up, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    )


def _grey(rng: np.random.Generator, image: Images) -> Images:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def _cast(rng: np.random.Generator, image: Images) -> Images:
    return np.clip(image * rng.uniform(0.8, 1.2, 3), 0, 255).astype(np.uint8)


def _small(rng: np.random.Generator, image: Images) -> Images:
    side = int(rng.integers(MIN_SIDE, MAX_SIDE))
    tiny = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(tiny, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _blur(rng: np.random.Generator, image: Images) -> Images:
    if rng.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 2.2))
    length = int(rng.integers(3, 9))  # a hand that shook
    kernel = np.zeros((length, length), np.float32)
    start, end = rng.integers(0, length, 2), rng.integers(0, length, 2)
    cv2.line(kernel, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _noise(rng: np.random.Generator, image: Images) -> Images:
    grain = rng.normal(0, rng.uniform(3, 14), image.shape).astype(np.float32)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def _jpeg(rng: np.random.Generator, image: Images) -> Images:
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 70))])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1])


def _hide(rng: np.random.Generator, image: Images) -> Images:
    """Random erasing, Zhong et al. 2020 (https://arxiv.org/abs/1708.04896)."""
    size = image.shape[0]
    height, width = rng.integers(size // 8, size // 2, 2)
    top, left = rng.integers(0, size - height), rng.integers(0, size - width)
    hidden = image.copy()
    hidden[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return hidden
