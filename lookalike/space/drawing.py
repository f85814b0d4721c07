"""Pictures that the page draws itself: the face that was used, and a card for a name without a photo."""

from __future__ import annotations

import hashlib
import importlib.util
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lookalike.errors import LookalikeError
from lookalike.faces import RGB, Face
from lookalike.images import read_image
from lookalike.sources import clean_name

Colour = tuple[int, int, int]  # red, green, blue, 0..255
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

DISPLAY_SIDE = 1280  # pixels of the longer side: sharp on a phone's screen and on a laptop's half
CARD_SIDE = 384  # pixels: twice the width of the largest thumbnail on a common screen
CARD_MARGIN = 28
NAME_LINES = 2  # a third line would touch the initials
NAME_SIZES = (38, 33, 28, 24)  # tried from large to small until the name fits

WHITE: Colour = (255, 255, 255)
INK: Colour = (17, 24, 39)
ACCENT: Colour = (13, 148, 136)  # the theme's teal

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

# Letters that decompose into nothing, for fonts that lack them
PLAIN = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "Æ": "Ae",
                       "œ": "oe", "Œ": "Oe", "ı": "i", "þ": "th", "Þ": "Th", "ð": "d", "’": "'"})  # fmt: skip


def shrink(image: RGB) -> RGB:
    """Return the photo with its longer side at most DISPLAY_SIDE pixels."""
    height, width = image.shape[:2]
    scale = DISPLAY_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def draw_faces(image: RGB, faces: Sequence[Face], used: int, *, width: int | None = None) -> RGB:
    """Return the photo, shrunk for display, with a frame around each face; the one that was used stands out.

    The boxes are in pixels of a photo `width` pixels wide, by default of `image`. Several faces are numbered from 1.
    """
    shown = shrink(image)
    scale = shown.shape[1] / (width or image.shape[1])
    picture = Image.fromarray(shown)
    pen = ImageDraw.Draw(picture)
    line = max(
        3, round(max(picture.size) / 220)
    )  # pixels: still visible when a phone shows the picture small
    order = [place for place in range(len(faces)) if place != used] + [used]  # the used one on top
    for place in order:
        box = _box(faces[place], scale, picture.size)
        _frame(pen, box, line, ACCENT if place == used else None)
        if len(faces) > 1:
            _badge(pen, box, str(place + 1), line, ACCENT if place == used else INK)
    return np.asarray(picture, np.uint8)


def picture_of(name: str, photo: bytes | None) -> RGB:
    """Return a gallery's photo as RGB, or the name's card where there is none that can be read."""
    if photo is not None:
        try:
            return shrink(read_image(photo))
        except LookalikeError:  # a broken thumbnail is no reason to show no answer
            pass
    return name_card(name)


@lru_cache(maxsize=512)  # cards of 0.4 MB; a gallery's most frequent answers are a few hundred names
def name_card(name: str) -> RGB:
    """Return a (CARD_SIDE, CARD_SIDE, 3) card: a calm gradient that belongs to the name, its initials, and the name.

    A name in a script that the fonts lack gets a silhouette instead; the page writes the name below in any case.
    """
    picture = Image.fromarray(_gradient(*colours(name)))
    pen = ImageDraw.Draw(picture)
    text = drawable(name)
    if text:
        middle = CARD_SIDE / 2
        pen.text(
            (middle, CARD_SIDE * 0.40),
            initials(text),
            font=_font(bold=True, size=148),
            fill=WHITE,
            anchor="mm",
        )
        font, lines = _fit(text)
        place, spacing = (middle, CARD_SIDE * 0.80), 12  # pixels between the lines of a long name
        pen.multiline_text(place, "\n".join(lines), WHITE, font, anchor="mm", align="center", spacing=spacing)
    else:
        _silhouette(pen)
    return np.asarray(picture, np.uint8)


def colours(name: str) -> tuple[Colour, Colour]:
    """Return the gradient of a name, always the same one."""
    return PALETTE[hashlib.sha256(clean_name(name).encode("utf-8", "replace")).digest()[0] % len(PALETTE)]


def initials(name: str) -> str:
    """Return the first letters of the first and the last word: "Ada King Lovelace" -> "AL"."""
    firsts = [next((letter for letter in word if letter.isalnum()), "") for word in name.split()]
    letters = [first.upper()[0] for first in firsts if first] or ["?"]
    return letters[0] + letters[-1] if len(letters) > 1 else letters[0]


def drawable(name: str) -> str:
    """Return the name as the fonts can draw it, without accents where they lack them; empty where they cannot."""
    name = clean_name(name)
    plain = unicodedata.normalize("NFKD", name).translate(PLAIN)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return next((text for text in (name, plain) if text and all(map(_has_glyph, text))), "")


def _gradient(start: Colour, end: Colour) -> NDArray[np.uint8]:
    """Return a square that runs from one corner's colour to the other's."""
    ramp = np.linspace(0, 0.5, CARD_SIDE)
    share = (ramp[:, None] + ramp[None, :])[:, :, None]  # (side, 1) + (1, side) -> (side, side, 1), 0..1
    return np.asarray((1 - share) * np.array(start) + share * np.array(end) + 0.5, np.uint8)


def _fit(name: str) -> tuple[Font, list[str]]:
    """Return the largest font in which the name fits the card, and its lines; too long a name is cut off."""
    for size in NAME_SIZES:
        font = _font(bold=False, size=size)
        lines = _wrap(name, font)
        if len(lines) <= NAME_LINES and all(font.getlength(line) <= _text_width() for line in lines):
            return font, lines
    kept = lines[:NAME_LINES]
    return font, [_cut(line, font, more=len(lines) > NAME_LINES and line is kept[-1]) for line in kept]


def _wrap(name: str, font: Font) -> list[str]:
    lines = [""]
    for word in name.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= _text_width() or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _cut(line: str, font: Font, *, more: bool) -> str:
    if not more and font.getlength(line) <= _text_width():
        return line
    while line and font.getlength(f"{line}…") > _text_width():
        line = line[:-1]
    return f"{line.rstrip()}…"


def _text_width() -> int:
    return CARD_SIDE - 2 * CARD_MARGIN


def _silhouette(pen: ImageDraw.ImageDraw) -> None:
    middle, unit = CARD_SIDE / 2, CARD_SIDE / 16
    pen.ellipse((middle - 2.6 * unit, 3 * unit, middle + 2.6 * unit, 8.6 * unit), fill=WHITE)
    pen.rounded_rectangle(
        (middle - 4.6 * unit, 9.6 * unit, middle + 4.6 * unit, 20 * unit), 4.6 * unit, fill=WHITE
    )


def _box(face: Face, scale: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the face's corners (left, top, right, bottom) on the shrunk photo, inside it and never empty."""
    x, y, width, height = (value * scale for value in face.box)
    left, top = min(max(0, round(x)), size[0] - 1), min(max(0, round(y)), size[1] - 1)
    right, bottom = (
        min(max(left, round(x + width)), size[0] - 1),
        min(max(top, round(y + height)), size[1] - 1),
    )
    return left, top, right, bottom


def _frame(
    pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], line: int, colour: Colour | None
) -> None:
    """Draw a white frame with a coloured core, or a thinner one, on a dark edge: readable on any photo."""
    left, top, right, bottom = box
    radius = min(right - left, bottom - top) // 10
    layers: list[tuple[Colour, int]] = [(INK, line), (WHITE, line - 1)]
    if colour is not None:
        layers = [(INK, 2 * line + 2), (WHITE, 2 * line + 1), (colour, 2 * line - 1)]
    for fill, width in layers:
        inset = (layers[0][1] - width) // 2
        inner = (
            left + inset,
            top + inset,
            max(left + inset, right - inset),
            max(top + inset, bottom - inset),
        )
        pen.rounded_rectangle(inner, max(0, radius - inset), outline=fill, width=width)


def _badge(
    pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], text: str, line: int, colour: Colour
) -> None:
    font = _font(bold=True, size=6 * line)
    half = max(4.2 * line, font.getlength(text) / 2 + 1.5 * line)
    centre = (max(box[0], half), max(box[1], half))
    corners = (centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half)
    pen.ellipse(corners, fill=colour, outline=WHITE, width=max(2, line // 2))
    pen.text(centre, text, font=font, fill=WHITE, anchor="mm")


@cache
def _font(*, bold: bool, size: int) -> Font:
    """Return the page's own font, which comes with gradio and has Latin, Greek and Cyrillic; else Pillow's, which has ASCII."""
    gradio = importlib.util.find_spec("gradio")
    if gradio is not None and gradio.origin:
        fonts = Path(gradio.origin).parent / "templates" / "frontend" / "static" / "fonts"
        try:
            return ImageFont.truetype(
                fonts / "IBMPlexSans" / f"IBMPlexSans-{'Bold' if bold else 'Regular'}.woff2", size
            )
        except OSError:  # another gradio, or a Pillow whose FreeType reads no WOFF2
            pass
    return ImageFont.load_default(size)


@cache
def _has_glyph(letter: str) -> bool:
    """Return whether both weights draw this letter as something else than the box that stands for a missing one."""
    if letter == " ":
        return True
    return all(
        bytes(font.getmask(letter)) != bytes(font.getmask("\U0010fffd"))  # private use: never there
        for font in (_font(bold=True, size=24), _font(bold=False, size=24))
    )
