"""The morph as a GIF to download: from the visitor's face to the match and back, above a caption."""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from lookalike.faces.face import RGB
from lookalike.space.drawing.cards import PAPER, QUIET, TEAL
from lookalike.space.drawing.fonts import fit
from lookalike.space.drawing.morph import LevelFace, morph

MAX_BYTES = 1_000_000  # messengers take it, and a phone has it in a second or two
SIDES = (280, 240, 200, 160)  # pixels of the faces, tried until the file is small enough
BETWEEN = 8  # pictures between the two faces
FIRST_MS, BETWEEN_MS, LAST_MS = 300, 50, 400  # 1.5 s there and back
CAPTION_SIZES, CREDIT_SIZES = (22, 19, 16), (11,)  # pixels
CREDIT_LINES = 3
COLOURS = 256  # a GIF has no more


def morph_gif(first: LevelFace, second: LevelFace, caption: str, credit: str = "") -> bytes:
    """Return an endless GIF of at most MAX_BYTES: the first face turns into the second one and back.

    `credit` is what the licence of a photo asks for.
    """
    even = np.linspace(0, 1, BETWEEN + 2)
    frames = morph(first, second, list(even * even * (3 - 2 * even)))  # slow, fast, slow
    for side in SIDES:
        sheet = _caption(caption, credit, side)
        file = _gif([np.vstack([_resized(frame, side), sheet]) for frame in frames])
        if len(file) <= MAX_BYTES:
            break
    return file


def halfway(first: LevelFace, second: LevelFace) -> RGB:
    """Return the picture in the middle of the morph, (side, side, 3)."""
    return morph(first, second, [0.5])[0]


def _resized(frame: RGB, side: int) -> RGB:
    method = cv2.INTER_AREA if side < len(frame) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame, (side, side), interpolation=method), np.uint8)


def _gif(frames: Sequence[RGB]) -> bytes:
    """Return the frames there and back. All share one palette, so that no colour flickers."""
    some = np.hstack([frame[::2, ::2] for frame in (frames[0], frames[len(frames) // 2], frames[-1])])
    palette = Image.fromarray(some).quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
    there = [Image.fromarray(frame).quantize(palette=palette) for frame in frames]
    first, *others = [*there, *there[-2:0:-1]]
    between = [BETWEEN_MS] * BETWEEN
    file = io.BytesIO()
    first.save(
        file,
        "GIF",
        save_all=True,
        append_images=others,
        duration=[FIRST_MS, *between, LAST_MS, *between],
        loop=0,
    )
    return file.getvalue()


def _caption(caption: str, credit: str, width: int) -> RGB:
    """Return the strip below the faces, (height, width, 3)."""
    font, lines = fit(caption, width - 16, sizes=CAPTION_SIZES)
    small, credits = fit(credit, width - 16, sizes=CREDIT_SIZES, lines=CREDIT_LINES)
    height = 14 + 27 * len(lines) + (14 * len(credits) + 4 if credit else 0)
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, line in enumerate(lines):
        pen.text((width / 2, 20 + 27 * place), line, TEAL, font, anchor="mm")
    for place, line in enumerate(credits if credit else []):
        pen.text((width / 2, 18 + 27 * len(lines) + 14 * place), line, QUIET, small, anchor="mm")
    return np.asarray(sheet, np.uint8)
