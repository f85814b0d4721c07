"""Thumbnails: the face with some room around it, small enough to keep thousands of them."""

from __future__ import annotations

import io

from PIL import Image

from lookalike.faces.face import RGB, Face

SIDE = 160  # pixels; sharp in a grid of five on a phone, about 6 KB
ROOM = 1.6  # times the face's longer side: hair and chin stay in view
QUALITY = 80  # WebP; artefacts do not show at this size


def thumbnail(image: RGB, face: Face) -> bytes:
    """Return the face of an (H, W, 3) RGB photo as WebP, at most SIDE pixels a side, without metadata.

    The square around the face is shifted to lie inside the photo, and cut where the photo is smaller. Nothing
    is enlarged.
    """
    x, y, width, height = face.box
    side = ROOM * max(width, height)
    left, right = _interval(x + width / 2, side, image.shape[1])
    top, bottom = _interval(y + height / 2, side, image.shape[0])
    picture = Image.fromarray(image[top:bottom, left:right])
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=QUALITY)
    return file.getvalue()


def _interval(centre: float, side: float, limit: int) -> tuple[int, int]:
    """Return start and end, within 0..limit, of `side` pixels around `centre`; at least one pixel."""
    length = max(1, min(round(side), limit))
    start = min(max(round(centre - length / 2), 0), limit - length)
    return start, start + length
