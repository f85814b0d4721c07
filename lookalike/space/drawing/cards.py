"""Pictures that the page draws: frames around faces, and a card for a name without a photo."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lookalike.errors import LookalikeError
from lookalike.faces.face import RGB, Face
from lookalike.images import read_image
from lookalike.names import clean_name
from lookalike.space.drawing.facts import Facts, fact_line
from lookalike.space.drawing.fonts import Font, drawable, find_font, fit, initials, shown_name
from lookalike.space.texts import LANGUAGE, english

Colour = tuple[int, int, int]  # red, green, blue, 0..255
Box = tuple[int, int, int, int]  # left, top, right, bottom

DISPLAY_SIDE = 1280  # pixels of the longer side: sharp on a phone's screen and on a laptop's half
CARD_SIDE = 384  # pixels: twice the width of the largest thumbnail on a common screen
CARD_MARGIN = 28
LINE_HEIGHT = 1.4  # of the font's size; that of an Arabic font is twice as much and leaves gaps
FACT_SIZES = (24, 21, 18)  # pixels
NO_FACTS: Facts = MappingProxyType({})
JPEG_QUALITY = 88  # no visible artefacts at display size, a fifth of the size of PNG

WHITE: Colour = (255, 255, 255)
INK: Colour = (17, 24, 39)
ACCENT: Colour = (13, 148, 136)  # the teal of the theme
TEAL: Colour = (15, 118, 110)  # darker, for letters
PAPER: Colour = (248, 247, 244)
QUIET: Colour = (86, 92, 100)

# Calm pairs for a gradient; white text has a contrast of at least 4.5 on every one of them.
PALETTE: tuple[tuple[Colour, Colour], ...] = (
    ((15, 118, 110), (22, 78, 99)),
    ((3, 105, 161), (49, 46, 129)),
    ((67, 56, 202), (76, 29, 149)),
    ((126, 34, 206), (80, 7, 90)),
    ((157, 23, 77), (88, 28, 135)),
    ((190, 24, 60), (112, 26, 60)),
    ((180, 66, 10), (127, 29, 29)),
    ((133, 77, 14), (90, 45, 20)),
    ((63, 98, 18), (20, 83, 45)),
    ((71, 85, 105), (30, 41, 59)),
)


def shrink(image: RGB) -> RGB:
    """Return the photo with its longer side at most DISPLAY_SIDE pixels."""
    height, width = image.shape[:2]
    scale = DISPLAY_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def draw_faces(image: RGB, faces: Sequence[Face], used: int, *, width: int | None = None) -> RGB:
    """Return the photo, shrunk for display, with a frame around each face and an accent on face `used`.

    The boxes are in pixels of a photo `width` pixels wide, by default of `image`. Several faces are numbered
    from 1.
    """
    shown = shrink(image)
    scale = shown.shape[1] / (width or image.shape[1])
    picture = Image.fromarray(shown)
    pen = ImageDraw.Draw(picture)
    line = max(3, round(max(picture.size) / 220))  # pixels: visible where a phone shows the picture small
    order = [place for place in range(len(faces)) if place != used] + [used]  # the used one on top
    for place in order:
        box = _box(faces[place], scale, picture.size)
        _frame(pen, box, line, ACCENT if place == used else None)
        if len(faces) > 1:
            _badge(pen, box, str(place + 1), line, ACCENT if place == used else INK)
    return np.asarray(picture, np.uint8)


def encode(image: RGB) -> bytes:
    """Return the picture as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def picture_of(name: str, photo: bytes | None, about: Facts = NO_FACTS) -> bytes:
    """Return the square in the middle of a gallery's photo as JPEG, or the person's card if there is no
    readable photo.

    The photo is encoded again, so that only its pixels reach a visitor: strangers may have made the gallery.
    """
    if photo is not None:
        try:
            return encode(_middle(shrink(read_image(photo))))
        except LookalikeError:  # one broken thumbnail must not cost the whole answer
            pass
    return _encoded_card(name, tuple(about.items()), LANGUAGE.get())


def _middle(image: RGB) -> RGB:
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


@lru_cache(maxsize=1024)  # cards of 10 KB; drawing one takes as long as finding a face
def _encoded_card(name: str, about: tuple[tuple[str, str | int], ...], language: str) -> bytes:
    return encode(name_card(name, dict(about)))


def name_card(name: str, about: Facts = NO_FACTS) -> RGB:
    """Return a (CARD_SIDE, CARD_SIDE, 3) card: initials, name and facts on a gradient.

    If the fonts lack the name's script, the card shows a silhouette; the caption has the name anyway.
    """
    picture = Image.fromarray(_gradient(*colours(name)))
    pen = ImageDraw.Draw(picture)
    text = drawable(name)
    if text:
        facts = _small_lines(about)
        upper, lower = (0.30, 0.62) if facts else (0.40, 0.80)
        corner = (CARD_SIDE / 2, CARD_SIDE * upper)
        pen.text(corner, initials(text), WHITE, find_font(bold=True, size=148, text=text), anchor="mm")
        font, lines = fit(text, CARD_SIDE - 2 * CARD_MARGIN)
        _centred(pen, lower, [(font, line) for line in lines])
        _centred(pen, 0.84, facts)
    else:
        _silhouette(pen)
    return np.asarray(picture, np.uint8)


def _small_lines(about: Facts) -> list[tuple[Font, str]]:
    """Return the name in its own script, where the fonts have it, and the facts, each line with its font."""
    native = str(about.get("native", ""))
    parts = [native if drawable(native) == native else "", _drawable_facts(about)]
    width = CARD_SIDE - 2 * CARD_MARGIN
    fitting = [fit(part, width, sizes=FACT_SIZES) for part in parts if part]
    return [(font, line) for font, lines in fitting for line in lines]


def _drawable_facts(about: Facts) -> str:
    """Return the facts in the visitor's language, or in English if the fonts lack its letters."""
    line = fact_line(about)
    if drawable(line) == shown_name(line):
        return line
    with english():
        return drawable(fact_line(about))


def _centred(pen: ImageDraw.ImageDraw, height: float, lines: Sequence[tuple[Font, str]]) -> None:
    """Draw the lines around a height, a share of the card's."""
    step = LINE_HEIGHT * max((getattr(font, "size", 20) for font, _ in lines), default=0)
    top = CARD_SIDE * height - step * (len(lines) - 1) / 2
    for place, (font, line) in enumerate(lines):
        pen.text((CARD_SIDE / 2, top + place * step), line, WHITE, font, anchor="mm")


def colours(name: str) -> tuple[Colour, Colour]:
    """Return the two colours of a name's gradient, which depend on the name alone."""
    return PALETTE[hashlib.sha256(clean_name(name).encode("utf-8", "replace")).digest()[0] % len(PALETTE)]


def _gradient(start: Colour, end: Colour) -> NDArray[np.uint8]:
    """Return a square with a gradient from the upper left corner to the lower right one."""
    ramp = np.linspace(0, 0.5, CARD_SIDE)
    share = (ramp[:, None] + ramp[None, :])[:, :, None]  # (side, 1) + (1, side) -> (side, side, 1), 0..1
    return np.asarray((1 - share) * np.array(start) + share * np.array(end) + 0.5, np.uint8)


def _silhouette(pen: ImageDraw.ImageDraw) -> None:
    middle, unit = CARD_SIDE / 2, CARD_SIDE / 16
    pen.ellipse((middle - 2.6 * unit, 3 * unit, middle + 2.6 * unit, 8.6 * unit), fill=WHITE)
    shoulders = (middle - 4.6 * unit, 9.6 * unit, middle + 4.6 * unit, 20 * unit)
    pen.rounded_rectangle(shoulders, 4.6 * unit, fill=WHITE)


def _box(face: Face, scale: float, size: tuple[int, int]) -> Box:
    """Return the face's corners (left, top, right, bottom) on the shrunk photo, inside it."""
    x, y, width, height = (value * scale for value in face.box)
    left, right = (min(max(0, round(place)), size[0] - 1) for place in (x, x + width))
    top, bottom = (min(max(0, round(place)), size[1] - 1) for place in (y, y + height))
    return left, top, right, bottom


def _frame(pen: ImageDraw.ImageDraw, box: Box, line: int, colour: Colour | None) -> None:
    """Draw a white frame with a dark edge, visible on any photo; with a colour, wider and with that core."""
    left, top, right, bottom = box
    radius = min(right - left, bottom - top) // 10
    layers: list[tuple[Colour, int]] = [(INK, line), (WHITE, line - 1)]
    if colour is not None:
        layers = [(INK, 2 * line + 2), (WHITE, 2 * line + 1), (colour, 2 * line - 1)]
    for fill, width in layers:
        inset = (layers[0][1] - width) // 2
        far = max(left + inset, right - inset), max(top + inset, bottom - inset)
        pen.rounded_rectangle((left + inset, top + inset, *far), max(0, radius - inset), None, fill, width)


def _badge(pen: ImageDraw.ImageDraw, box: Box, text: str, line: int, colour: Colour) -> None:
    """Draw a number in a disc at the frame's upper left corner."""
    font = find_font(bold=True, size=6 * line)
    half = max(4.2 * line, font.getlength(text) / 2 + 1.5 * line)
    centre = (max(box[0], half), max(box[1], half))
    corners = (centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half)
    pen.ellipse(corners, fill=colour, outline=WHITE, width=max(2, line // 2))
    pen.text(centre, text, font=font, fill=WHITE, anchor="mm")
