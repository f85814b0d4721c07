"""The picture to share: two faces, how alike they are, an invitation, and a QR code of the page's address."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import segno
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lookalike.faces.face import RGB
from lookalike.space.drawing.cards import INK, PAPER, QUIET, TEAL, WHITE
from lookalike.space.drawing.fonts import Font, fit

WIDTH = 1080  # pixels of every picture
MARGIN, GAP = 40, 20
LARGEST_TILE, LEAST_TILE = 490, 240  # pixels of a face at most, and at least
STRETCH = 1.28  # that a face may be enlarged: a card of 384 pixels fills a tile; more looks soft
LINE_HEIGHT = 1.25  # of the font's size
CREDIT_SIZES, ADDRESS_SIZES = (24, 20), (40, 34, 28, 22)  # pixels
QUIET_ZONE = 2  # modules of white round a QR code; the white box adds more


@dataclass(frozen=True)
class Words:
    """What the picture says, in letters that the fonts have. `credit` is what a photo's licence asks for."""

    claim: str
    ask: str
    url: str
    credit: str = ""


@dataclass(frozen=True)
class Layout:
    """Where the parts are, in pixels from the top; texts are round the given height."""

    height: int
    tiles: int
    claim: int
    credit: int
    band: int
    code: int
    code_side: int
    claim_sizes: tuple[int, ...]
    ask_sizes: tuple[int, ...]


SQUARE = Layout(1080, 44, 644, 778, 846, 868, 190, (78, 66, 54, 44), (70, 56, 44))
# Apps cover the top and the bottom of a story.
STORY = Layout(1920, 290, 960, 1180, 1290, 1350, 330, (104, 88, 72, 54), (92, 76, 58))


def share_picture(own: RGB, match: RGB, words: Words, layout: Layout) -> RGB:
    """Return the picture, (layout.height, WIDTH, 3); texts that are too long are shortened."""
    sheet = Image.new("RGB", (WIDTH, layout.height), PAPER)
    pen = ImageDraw.Draw(sheet)
    _paste_faces(sheet, (own, match), layout.tiles)
    inside = WIDTH - 2 * MARGIN
    claim = fit(words.claim, inside, sizes=layout.claim_sizes, bold=True)
    _write(pen, (WIDTH // 2, layout.claim), claim, INK)
    if words.credit:
        _write(pen, (WIDTH // 2, layout.credit), fit(words.credit, inside, sizes=CREDIT_SIZES), QUIET)
    pen.rectangle((0, layout.band, WIDTH, layout.height), fill=TEAL)
    _invite(sheet, words, layout)
    return np.asarray(sheet, np.uint8)


def _paste_faces(sheet: Image.Image, faces: tuple[RGB, RGB], top: int) -> None:
    """Paste both faces side by side at one scale, which the smaller picture allows."""
    sharp = round(STRETCH * min(min(face.shape[:2]) for face in faces))
    tile = max(LEAST_TILE, min(LARGEST_TILE, sharp))
    left, top = (WIDTH - GAP) // 2 - tile, top + (LARGEST_TILE - tile) // 2
    for place, face in enumerate(faces):
        sheet.paste(Image.fromarray(_square(face, tile)), (left + place * (GAP + tile), top), _rounded(tile))


def _invite(sheet: Image.Image, words: Words, layout: Layout) -> None:
    """Put the QR code on the band, and beside it the question and the address."""
    top, side = layout.code, layout.code_side
    modules = qr_code(words.url)
    scale = side // len(modules)  # whole pixels a module: readers need even ones
    code = Image.fromarray(np.kron(modules, np.ones((scale, scale), np.uint8)))
    inset = (side - code.width) // 2
    sheet.paste(WHITE, (MARGIN, top, MARGIN + side, top + side), _rounded(side))
    sheet.paste(code, (MARGIN + inset, top + inset))
    pen, left = ImageDraw.Draw(sheet), MARGIN + side + MARGIN
    width, middle = WIDTH - left - MARGIN, top + side // 2
    ask = fit(words.ask, width, sizes=layout.ask_sizes, bold=True)
    _write(pen, (left, middle - side // 6), ask, WHITE, "lm")
    address = fit(words.url.split("://")[-1], width, sizes=ADDRESS_SIZES)
    _write(pen, (left, middle + side // 4), address, WHITE, "lm")


def qr_code(url: str) -> NDArray[np.uint8]:
    """Return a QR code with its quiet zone, (side, side) uint8: one pixel a module, 0 is dark."""
    rows = segno.make_qr(url).matrix_iter(border=QUIET_ZONE)
    return np.where(np.array([list(row) for row in rows], np.uint8) > 0, 0, 255).astype(np.uint8)


def _write(
    pen: ImageDraw.ImageDraw,
    place: tuple[int, int],
    fitted: tuple[Font, list[str]],
    colour: tuple[int, int, int],
    anchor: str = "mm",
) -> None:
    """Write lines so that a point is in their middle, or with "lm" in the middle of their left edge."""
    font, lines = fitted
    step = LINE_HEIGHT * getattr(font, "size", 20)
    for number, line in enumerate(lines):
        height = place[1] + (number - (len(lines) - 1) / 2) * step
        pen.text((place[0], height), line, colour, font, anchor=anchor)


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
