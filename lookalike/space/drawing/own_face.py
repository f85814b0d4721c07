"""Pictures of the visitor's face: the portrait beside a match and the heat map; and credits."""

from __future__ import annotations

from urllib.parse import urlsplit

import cv2
import numpy as np

from lookalike.faces.alignment import align
from lookalike.faces.face import RGB, Face
from lookalike.faces.thumbnail import cut_face
from lookalike.gallery.credit import Credit
from lookalike.models.explain import Heat
from lookalike.space.drawing.cards import CARD_SIDE
from lookalike.space.drawing.fonts import drawable, drawable_text

HEAT_OPACITY = 0.7  # where the heat map is hottest; the face still shows through
HEAT_BLUR = 14  # pixels; hides the edges of the patches


def portrait(image: RGB, face: Face, *, width: int) -> RGB:
    """Return the square around a face, CARD_SIDE pixels wide at most, cut like a gallery's thumbnails.

    The face is in pixels of a photo `width` pixels wide; `image` may be a smaller copy of it.
    """
    return cut_face(image, scaled(face, image.shape[1] / width), CARD_SIDE)


def heat_portrait(image: RGB, face: Face, heat: Heat) -> RGB:
    """Return the aligned face, (CARD_SIDE, CARD_SIDE, 3), with the parts that matter most in warm colours.

    The face is in pixels of `image`.
    """
    crop = align(image, face, CARD_SIDE)
    large = cv2.resize(heat, (CARD_SIDE, CARD_SIDE), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(np.clip(large, 0, None), (0, 0), HEAT_BLUR)
    share = soft / max(float(soft.max()), 1e-6)
    colours = cv2.applyColorMap(np.asarray(share * 255, np.uint8), cv2.COLORMAP_INFERNO)[:, :, ::-1]
    weight = (HEAT_OPACITY * share)[:, :, None]  # (side, side) -> (side, side, 1)
    return np.asarray(crop * (1 - weight) + colours * weight, np.uint8)


def scaled(face: Face, scale: float) -> Face:
    """Return the face in pixels of a photo that is `scale` times as large."""
    x, y, width, height = (value * scale for value in face.box)
    return Face((x, y, width, height), np.asarray(face.landmarks * scale, np.float32), face.confidence)


def credit_line(credit: Credit) -> str:
    """Return the credit of a photo for the picture to share, in letters that the fonts have."""
    author = drawable(credit.author) or drawable_text("credit_see_source")
    licence = drawable(credit.licence)
    parts = (author, licence, drawable(urlsplit(credit.source).netloc), drawable_text("credit_cropped"))
    line = drawable_text("credit_photo", credit=", ".join(parts))
    return f"{line}. {drawable_text('credit_this_too', licence=licence)}" if credit.shares_alike else line
