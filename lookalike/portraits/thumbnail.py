"""Thumbnails of portraits: the face with some room around it, its eyes level."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from lookalike.faces.face import RGB, Face

SIDE = 320  # pixels; the page shows pictures up to 384 wide; about 15 KB
ROOM = 1.6  # times the face's longer side, as in a gallery's thumbnails: hair and chin stay in view
QUALITY = 82  # WebP; artefacts do not show at this size


def level_thumbnail(image: RGB, face: Face) -> bytes:
    """Return the square around a face of an (H, W, 3) RGB photo as WebP, at most SIDE pixels a side.

    The photo is rotated around the face until the eyes are level; the square is then shifted to lie inside
    the photo, and cut where the photo is smaller. Nothing is enlarged.
    """
    x, y, width, height = face.box
    centre = x + width / 2, y + height / 2
    across, down = face.landmarks[1] - face.landmarks[0]
    rotation = cv2.getRotationMatrix2D(centre, float(np.degrees(np.arctan2(down, across))), 1.0)
    size = image.shape[1], image.shape[0]
    level = cv2.warpAffine(image, rotation, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    side = round(min(ROOM * max(width, height), *size))
    left, top = (
        round(min(max(middle - side / 2, 0), limit - side))
        for middle, limit in zip(centre, size, strict=True)
    )
    picture = Image.fromarray(np.asarray(level[top : top + side, left : left + side], np.uint8))
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=QUALITY)
    return file.getvalue()
