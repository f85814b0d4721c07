"""Perturbations of a photo: blur, noise, compression and others, each at several strengths.

Evaluation measures how results change under them; training uses some of them as augmentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np

from lookalike.faces.face import RGB

Change = Callable[[RGB], RGB]

EDGE = 160  # pixels; a photo's longer side before a change, so that a strength means the same for all photos


def changes() -> Iterator[tuple[str, str, Change]]:
    """Yield group, strength in words and the change itself; within a group the mildest first."""
    yield "colour", "removed", grey
    yield from (("light", f"{share:.0%}", partial(darken, share=share)) for share in (0.5, 0.25, 0.12))
    yield from (("blur", f"{sigma} px", partial(blur, sigma=sigma)) for sigma in (1, 2, 3, 4))
    yield from (("size", f"{edge} px", partial(shrink, edge=edge)) for edge in (80, 48, 32, 24))
    yield from (("JPEG quality", str(quality), partial(jpeg, quality=quality)) for quality in (40, 20, 10, 5))
    yield from (("noise", f"σ {sigma}", partial(noise, sigma=sigma)) for sigma in (10, 25))
    yield from (("rotation", f"{angle}°", partial(rotate, angle=angle)) for angle in (10, 20, 30, 45))
    yield from (
        ("half a face", f"{side} hidden", partial(hide, side=side)) for side in ("left", "right", "lower")
    )


def at_edge(image: RGB) -> RGB:
    """Return the photo with a longer side of EDGE pixels."""
    scale = EDGE / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )


def grey(image: RGB) -> RGB:
    """Return the photo in grey, still with three channels."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)


def darken(image: RGB, *, share: float) -> RGB:
    """Return the photo with its brightness multiplied by `share`, 0..1."""
    return (image * share).astype(np.uint8)


def blur(image: RGB, *, sigma: float) -> RGB:
    """Return the photo blurred by a Gaussian with a standard deviation of `sigma` pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def shrink(image: RGB, *, edge: int) -> RGB:
    """Return the photo scaled down to a longer side of `edge` pixels and back up."""
    scale = edge / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def jpeg(image: RGB, *, quality: int) -> RGB:
    """Return the photo after JPEG compression, quality 1 to 100."""
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1])


def noise(image: RGB, *, sigma: float, rng: np.random.Generator | None = None) -> RGB:
    """Return the photo with Gaussian noise of standard deviation `sigma` (of 255); the same noise each time
    unless `rng` is given.
    """
    grain = (rng or np.random.default_rng(0)).normal(0, sigma, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def rotate(image: RGB, *, angle: float) -> RGB:
    """Return the photo rotated by `angle` degrees, on a larger canvas so that nothing is cut off."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, tall = round(height * sine + width * cosine), round(height * cosine + width * sine)
    matrix[:, 2] += (wide - width) / 2, (tall - height) / 2
    return np.asarray(cv2.warpAffine(image, matrix, (wide, tall)), np.uint8)


def hide(image: RGB, *, side: str) -> RGB:
    """Return the photo with its left, right or lower half black."""
    height, width = image.shape[:2]
    hidden = image.copy()
    part = {
        "left": (slice(None), slice(0, width // 2)),
        "right": (slice(None), slice(width // 2, None)),
        "lower": (slice(height // 2, None), slice(None)),
    }[side]
    hidden[part] = 0
    return hidden
