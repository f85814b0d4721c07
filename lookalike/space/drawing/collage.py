"""One picture of several people, each beside their first match, to share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from lookalike.faces.face import RGB
from lookalike.space.drawing.cards import INK, PAPER, QUIET, TEAL, WHITE
from lookalike.space.drawing.fonts import find_font, fit

WIDTH, BAR = 1080, 70  # pixels of the picture and of the bar below it, as in the picture to share
CELL = (540, 420)  # two beside each other
TILE, GAP, CORNER = 235, 20, 18
NAME_SIZES, CREDIT_SIZES = (34, 30, 26), (15,)


@dataclass(frozen=True)
class Couple:
    """A person and their match, both square RGB uint8 (side, side, 3); the texts are drawable.

    `credit` is what the licence of the match's picture asks for, "" for nothing.
    """

    own: RGB
    match: RGB
    name: str
    percent: str
    credit: str = ""


def collage(couples: Sequence[Couple], title: str) -> RGB:
    """Return the couples in two columns above a bar with the title, (height, WIDTH, 3)."""
    rows = -(-len(couples) // 2)
    height = rows * CELL[1] + BAR
    sheet = Image.new("RGB", (WIDTH, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, couple in enumerate(couples):
        alone = place % 2 == 0 and place == len(couples) - 1
        left = (WIDTH - CELL[0]) // 2 if alone else place % 2 * CELL[0]
        _draw(sheet, pen, couple, (left, place // 2 * CELL[1]))
    pen.rectangle((0, height - BAR, WIDTH, height), fill=TEAL)
    font = find_font(bold=False, size=32, text=title)
    pen.text((WIDTH / 2, height - BAR / 2), title, WHITE, font, anchor="mm")
    return np.asarray(sheet, np.uint8)


def _draw(sheet: Image.Image, pen: ImageDraw.ImageDraw, couple: Couple, corner: tuple[int, int]) -> None:
    """Draw both faces, and below them the percentage, the name and the credit."""
    left, top = corner
    middle, room = left + CELL[0] / 2, CELL[0] - 2 * GAP
    first = left + (CELL[0] - 2 * TILE - GAP) // 2
    mask = Image.new("L", (TILE, TILE), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, TILE - 1, TILE - 1), CORNER, fill=255)
    for place, picture in enumerate((couple.own, couple.match)):
        tile = Image.fromarray(picture).resize((TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (first + place * (TILE + GAP), top + GAP), mask)
    pen.text((middle, top + 288), couple.percent, TEAL, find_font(bold=True, size=52), anchor="mm")
    texts = ((couple.name, NAME_SIZES, INK, 338, 34), (couple.credit, CREDIT_SIZES, QUIET, 390, 18))
    for text, sizes, colour, height, step in texts:
        font, lines = fit(text, room, sizes=sizes)
        start = top + height - step * (len(lines) - 1) / 2
        for number, line in enumerate(lines):
            pen.text((middle, start + number * step), line, colour, font, anchor="mm")
