"""Random changes to aligned faces, for distillation.

`reframe` imitates another photo of the same face: other light, another detector. `blend` mixes two faces, and
`stretch` moves facial features. `degrade` imitates a worse camera.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.perturbations import blur, grey, jpeg, noise, shrink

Images = NDArray[np.uint8]  # (n, h, w, 3) RGB

FLIP = 0.5
MAX_SHIFT = 3.0  # pixels; two detectors' landmarks on one face differ by 1 to 3 at this size
MAX_ROTATION = 6.0  # degrees
MAX_ZOOM = 0.07  # fraction of the size
STRETCH = 0.5  # fraction of faces whose features move a little, each in its own way
MAX_STRETCH = 2.5  # pixels, the standard deviation at a knot
BLEND = (0.3, 0.7)  # weight of the first face; beyond these the other one is hardly visible
SEAM = (3.0, 20.0)  # pixels over which one face fades into the other
MISALIGN = 0.5  # fraction of degraded faces that are aligned as by another detector
GREY = 0.2
CAST = 0.2  # fraction of faces with a colour cast, as under a lamp
SMALL = 0.15  # fraction of faces with a low resolution
MIN_SIDE, MAX_SIDE = 36, 90  # pixels of such a face; under 36 the teacher itself cannot tell people apart
BLUR = 0.1
JPEG = 0.15
NOISE = 0.1
HIDE = 0.1  # fraction of faces with a hidden patch


def reframe(rng: np.random.Generator, images: Images) -> Images:
    """Return flipped, slightly moved and relit copies of `images`."""
    return np.stack([_relight(rng, _move(rng, _flip(rng, image))) for image in images])


def blend(rng: np.random.Generator, images: Images, partners: Images) -> Images:
    """Return mixtures of `images` and `partners`, both (n, h, w, 3). Half of them are averages (mixup, Zhang
    et al. 2018, https://arxiv.org/abs/1710.09412), half are joined along a soft seam.
    """
    return np.stack([_blend(rng, image, other) for image, other in zip(images, partners, strict=True)])


def stretch(rng: np.random.Generator, images: Images) -> Images:
    """Return copies of `images`, some of them smoothly deformed so that they look like other people."""
    return np.stack([_stretch(rng, image) if rng.random() < STRETCH else image for image in images])


def degrade(rng: np.random.Generator, images: Images) -> Images:
    """Return copies of `images` as from a worse camera, at a low resolution or with a patch hidden."""
    steps = (
        (MISALIGN, _misalign),
        (GREY, lambda rng, image: grey(image)),
        (CAST, _cast),
        (SMALL, lambda rng, image: shrink(image, edge=int(rng.integers(MIN_SIDE, MAX_SIDE)))),
        (BLUR, _blur),
        (NOISE, lambda rng, image: noise(image, sigma=rng.uniform(3, 14), rng=rng)),
        (JPEG, lambda rng, image: jpeg(image, quality=int(rng.integers(15, 70)))),
        (HIDE, _hide),
    )
    degraded = []
    for image in images:
        for chance, step in steps:
            if rng.random() < chance:
                image = step(rng, image)
        degraded.append(image)
    return np.stack(degraded)


def _flip(rng: np.random.Generator, image: Images) -> Images:
    return np.ascontiguousarray(image[:, ::-1]) if rng.random() < FLIP else image


def _misalign(rng: np.random.Generator, image: Images) -> Images:
    return _move(rng, image, strength=0.5)


def _move(rng: np.random.Generator, image: Images, strength: float = 1.0) -> Images:
    size = image.shape[0]
    centre = (size / 2, size / 2)
    matrix = cv2.getRotationMatrix2D(
        centre,
        strength * rng.uniform(-MAX_ROTATION, MAX_ROTATION),
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
        weight = rng.uniform(*BLEND)
        return np.asarray(cv2.addWeighted(image, weight, other, 1 - weight, 0), np.uint8)
    size = image.shape[0]
    down, across = np.mgrid[0:size, 0:size].astype(np.float32) - (size - 1) / 2
    angle = rng.uniform(0, 2 * np.pi)
    distance = across * np.cos(angle) + down * np.sin(angle) - rng.uniform(-size / 6, size / 6)
    weight = 1 / (1 + np.exp(-distance / rng.uniform(*SEAM)))[..., None]  # (h, w, 1)
    return (image * weight + other * (1 - weight)).astype(np.uint8)


def _stretch(rng: np.random.Generator, image: Images) -> Images:
    size, knots = image.shape[0], int(rng.integers(3, 6))
    moves = rng.normal(0, rng.uniform(0.5, MAX_STRETCH), (2, knots, knots)).astype(np.float32)
    right, up = (cv2.resize(move, (size, size), interpolation=cv2.INTER_CUBIC) for move in moves)
    down, across = np.mgrid[0:size, 0:size].astype(np.float32)
    return np.asarray(
        cv2.remap(image, across + right, down + up, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    )


def _cast(rng: np.random.Generator, image: Images) -> Images:
    return np.clip(image * rng.uniform(0.8, 1.2, 3), 0, 255).astype(np.uint8)


def _blur(rng: np.random.Generator, image: Images) -> Images:
    """Blur by a wrong focus or, in half of the cases, by a moving camera."""
    if rng.random() < 0.5:
        return blur(image, sigma=rng.uniform(0.6, 2.2))
    length = int(rng.integers(3, 9))
    kernel = np.zeros((length, length), np.float32)
    start, end = rng.integers(0, length, 2), rng.integers(0, length, 2)
    cv2.line(kernel, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _hide(rng: np.random.Generator, image: Images) -> Images:
    """Random erasing, Zhong et al. 2020 (https://arxiv.org/abs/1708.04896)."""
    size = image.shape[0]
    height, width = rng.integers(size // 8, size // 2, 2)
    top, left = rng.integers(0, size - height), rng.integers(0, size - width)
    hidden = image.copy()
    hidden[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return hidden
