"""Pictures of the visitor's face: the portrait beside a match, the heat map, and the picture to share."""

from __future__ import annotations

from urllib.parse import urlsplit

import cv2
import numpy as np
from PIL import Image, ImageDraw

from lookalike.faces.alignment import align
from lookalike.faces.face import RGB, Face
from lookalike.faces.thumbnail import cut_face
from lookalike.gallery.credit import Credit
from lookalike.models.explain import Heat
from lookalike.space.drawing.cards import CARD_SIDE, INK, WHITE
from lookalike.space.drawing.fonts import drawable, drawable_text, find_font, fit

HEAT_OPACITY = 0.7  # where the heat map is hottest; the face still shows through
HEAT_BLUR = 14  # pixels; hides the edges of the patches

SHARE_SIZE = (1080, 1080)  # messengers do not crop a square
SHARE_TILE, LEAST_TILE = 470, 240  # pixels of a face at most, and at least
STRETCH = 1.25  # that a face may be enlarged; more looks soft
CREDIT_SIZES = (24, 20)  # pixels
PAPER = (248, 247, 244)
QUIET = (86, 92, 100)
TEAL = (15, 118, 110)


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


def share_picture(own: RGB, match: RGB, name: str, percent: str, title: str, credit: str = "") -> RGB:
    """Return a square picture: both faces side by side, the name, the percentage, and the Space's name.

    `credit` is what the licence of the match's photo asks for; lines that are too long are shortened.
    """
    sheet = Image.new("RGB", SHARE_SIZE, PAPER)
    pen, middle = ImageDraw.Draw(sheet), SHARE_SIZE[0] / 2
    gap = (SHARE_SIZE[0] - 2 * SHARE_TILE) // 3
    sharp = round(STRETCH * min(*own.shape[:2], *match.shape[:2]))
    tile = max(LEAST_TILE, min(SHARE_TILE, sharp))  # both faces at one scale
    left, top = (SHARE_SIZE[0] - gap) // 2 - tile, 70 + (SHARE_TILE - tile) // 2
    for place, picture in enumerate((own, match)):
        corner = (left + place * (gap + tile), top)
        sheet.paste(Image.fromarray(_square(picture, tile)), corner, _rounded(tile))
    pen.text((middle, 660), percent, TEAL, find_font(bold=True, size=150), anchor="mm")
    alike = drawable_text("answer_alike")
    pen.text((middle, 772), alike, QUIET, find_font(bold=False, size=38, text=alike), anchor="mm")
    _, lines = fit(name, 600)
    pen.multiline_text(
        (middle, 865),
        "\n".join(lines),
        INK,
        find_font(bold=True, size=52, text=name),
        anchor="mm",
        align="center",
    )
    if credit:
        font, lines = fit(credit, SHARE_SIZE[0] - 2 * gap, sizes=CREDIT_SIZES)
        pen.multiline_text((middle, 965), "\n".join(lines), QUIET, font, anchor="mm", align="center")
    pen.rectangle((0, SHARE_SIZE[1] - 70, *SHARE_SIZE), fill=TEAL)
    pen.text(
        (middle, SHARE_SIZE[1] - 35), title, WHITE, find_font(bold=False, size=32, text=title), anchor="mm"
    )
    return np.asarray(sheet, np.uint8)


def credit_line(credit: Credit) -> str:
    """Return the credit of a photo for the picture to share, in letters that the fonts have."""
    author = drawable(credit.author) or drawable_text("credit_see_source")
    licence = drawable(credit.licence)
    parts = (author, licence, drawable(urlsplit(credit.source).netloc), drawable_text("credit_cropped"))
    line = drawable_text("credit_photo", credit=", ".join(parts))
    return f"{line}. {drawable_text('credit_this_too', licence=licence)}" if credit.shares_alike else line


def _square(picture: RGB, side: int) -> RGB:
    height, width = picture.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    method = cv2.INTER_AREA if edge > side else cv2.INTER_CUBIC
    cut = picture[top : top + edge, left : left + edge]
    return np.asarray(cv2.resize(cut, (side, side), interpolation=method), np.uint8)


def _rounded(side: int) -> Image.Image:
    mask = Image.new("L", (side, side), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, side - 1, side - 1), 24, fill=255)
    return mask
