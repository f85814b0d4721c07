"""Faces drawn by code, so that the tests need no photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.uint8]  # (H, W, 3)
Colour = tuple[int, int, int]

SIDE = 480  # pixels of the canvas that a face is drawn on; lengths below are in these pixels
BACKGROUND: Colour = (150, 165, 175)
SKINS: tuple[Colour, ...] = ((236, 200, 178), (222, 178, 148), (196, 148, 114), (150, 104, 76), (104, 70, 52))
HAIRS: tuple[Colour, ...] = ((34, 26, 24), (74, 48, 32), (122, 82, 48), (186, 150, 96), (150, 146, 144))
IRISES: tuple[Colour, ...] = ((70, 45, 28), (88, 110, 70), (80, 116, 150), (96, 84, 64))


@dataclass(frozen=True)
class Person:
    """The features of a drawn person."""

    skin: Colour
    hair: Colour
    brows: tuple[float, float, float]
    iris: Colour
    shirt: Colour
    width: int  # half the face's
    height: int  # half the face's
    eyes: int  # from the middle to an eye
    nose: int  # from the eyes to the nose's tip
    mouth: int  # half the mouth's width
    brow: int  # its thickness
    fringe: int  # how far the hair comes down the forehead
    volume: int  # of the hair beyond the head


def person(seed: int, *, skin: Colour | None = None, hair: Colour | None = None) -> Person:
    """Return the person of a seed, with another skin or hair colour if given."""
    random = np.random.default_rng(seed)

    def between(low: int, high: int) -> int:
        return int(random.integers(low, high + 1))

    chosen_skin, chosen_hair = SKINS[between(0, len(SKINS) - 1)], HAIRS[between(0, len(HAIRS) - 1)]
    skin, hair = skin or chosen_skin, hair or chosen_hair
    return Person(
        skin=skin,
        hair=hair,
        brows=_darker(min(skin, hair, key=sum), 0.6),
        iris=IRISES[between(0, len(IRISES) - 1)],
        shirt=(between(30, 200), between(30, 200), between(30, 200)),
        width=between(98, 118),
        height=between(136, 154),
        eyes=between(42, 51),
        nose=between(52, 66),
        mouth=between(34, 48),
        brow=between(5, 10),
        fringe=between(0, 26),
        volume=between(12, 34),
    )


def draw_face(
    seed: int = 0,
    *,
    size: int = SIDE,
    skin: Colour | None = None,
    hair: Colour | None = None,
    turn: float = 0,
) -> RGB:
    """Return the person of a seed in frontal view, (size, size, 3) uint8 RGB.

    The face is in the middle, about 0.45 of the size wide and 0.6 high. `turn` rotates it counter-clockwise,
    in degrees.
    """
    who = person(seed, skin=skin, hair=hair)
    sheet = np.full((SIDE, SIDE, 3), BACKGROUND, np.uint8)
    _draw_head(sheet, who)
    for side in (-1, 1):
        _draw_eye(sheet, who, 240 + side * who.eyes)
    _draw_nose_and_mouth(sheet, who)
    noise = np.random.default_rng(seed).normal(0, 4, sheet.shape)
    sheet = np.clip(cv2.GaussianBlur(sheet, (0, 0), 1.5) + noise, 0, 255).astype(np.uint8)
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), turn, 1)
    sheet = cv2.warpAffine(sheet, matrix, (SIDE, SIDE), borderValue=BACKGROUND)
    return np.asarray(cv2.resize(sheet, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def draw_group(sizes: Sequence[int] = (320, 260, 220)) -> RGB:
    """Return people side by side, each drawn at its size, (largest size, sum of sizes, 3) uint8 RGB."""
    faces = [draw_face(seed, size=size) for seed, size in enumerate(sizes)]
    tallest = max(sizes)
    return np.hstack(
        [
            cv2.copyMakeBorder(face, tallest - len(face), 0, 0, 0, cv2.BORDER_CONSTANT, value=BACKGROUND)
            for face in faces
        ]
    )


def draw_landscape(width: int = 640, height: int = 480) -> RGB:
    """Return sky, sun, hills and trees without a face, (height, width, 3) uint8 RGB."""
    sheet = np.empty((height, width, 3), np.uint8)
    sheet[:] = np.linspace((110, 160, 220), (220, 230, 235), height)[:, None]
    cv2.circle(sheet, (width * 4 // 5, height // 5), height // 14, (250, 235, 170), -1)
    across = np.arange(width)
    for low, colour in ((0.55, (120, 150, 130)), (0.68, (90, 130, 80)), (0.82, (70, 105, 55))):
        edge = height * (low + 0.06 * np.sin(across / width * 7 + low * 20))
        sheet[np.arange(height)[:, None] > edge] = colour
    for x in range(width // 12, width, width // 9):
        cv2.rectangle(sheet, (x - 4, height * 3 // 4), (x + 4, height * 9 // 10), (80, 60, 40), -1)
        cv2.circle(sheet, (x, height * 7 // 10), height // 16, (50, 90, 45), -1)
    return np.asarray(cv2.GaussianBlur(sheet, (0, 0), 1), np.uint8)


def _draw_head(sheet: RGB, who: Person) -> None:
    """Shoulders, neck, hair, ears, and the face's skin, darker towards its edge; then the fringe."""
    neck = _darker(who.skin, 0.82)
    cv2.ellipse(sheet, (240, 500), (190, 90), 0, 0, 360, who.shirt, -1)
    cv2.rectangle(sheet, (195, 340), (285, 430), neck, -1)
    cv2.ellipse(sheet, (240, 215), (who.width + who.volume, who.height + who.volume), 0, 0, 360, who.hair, -1)
    for side in (-1, 1):
        cv2.ellipse(sheet, (240 + side * who.width, 245), (14, 30), 0, 0, 360, neck, -1)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    distance = ((columns - 240) / who.width) ** 2 + ((rows - 240) / who.height) ** 2
    shade = (1 - 0.28 * np.minimum(distance, 1) ** 2)[:, :, None]
    face = distance <= 1
    sheet[face] = (np.array(who.skin) * shade)[face].astype(np.uint8)
    sheet[face & (rows < 240 - who.height + 38 + who.fringe)] = who.hair


def _draw_eye(sheet: RGB, who: Person, x: int) -> None:
    """Socket, white, iris, pupil, highlight, upper lid and brow round (x, 222)."""
    y = 222
    _shade(sheet, (x, y - 2), (34, 22), 0.78)
    cv2.ellipse(sheet, (x, y), (21, 10), 0, 0, 360, (238, 234, 230), -1)
    cv2.circle(sheet, (x, y), 9, who.iris, -1)
    cv2.circle(sheet, (x, y), 4, (12, 10, 10), -1)
    cv2.circle(sheet, (x + 3, y - 3), 2, (255, 255, 255), -1)
    cv2.ellipse(sheet, (x, y), (22, 11), 0, 180, 360, (40, 26, 24), 4)
    cv2.ellipse(sheet, (x, y - 18), (30, 12), 0, 195, 345, who.brows, who.brow)


def _draw_nose_and_mouth(sheet: RGB, who: Person) -> None:
    tip = 222 + who.nose
    _shade(sheet, (240, tip + 4), (26, 14), 0.8)
    _shade(sheet, (228, tip - 30), (7, 32), 0.9)
    for side in (-1, 1):
        cv2.ellipse(sheet, (240 + side * 11, tip + 5), (5, 3), 0, 0, 360, _darker(who.skin, 0.4), -1)
    mouth = tip + 40
    upper, lower = (np.array(who.skin) * (0.74, 0.52, 0.54), np.array(who.skin) * (0.84, 0.6, 0.6))
    cv2.ellipse(sheet, (240, mouth), (who.mouth, 9), 0, 180, 360, upper.tolist(), -1)
    cv2.ellipse(sheet, (240, mouth), (who.mouth, 13), 0, 0, 180, lower.tolist(), -1)
    cv2.line(sheet, (240 - who.mouth, mouth), (240 + who.mouth, mouth), _darker(who.skin, 0.35), 3)
    _shade(sheet, (240, mouth + 26), (28, 8), 0.88)


def _shade(sheet: RGB, centre: tuple[int, int], axes: tuple[int, int], strength: float) -> None:
    """Darken a soft ellipse, to `strength` of the brightness in its middle."""
    spot = np.zeros((SIDE, SIDE), np.float32)
    cv2.ellipse(spot, centre, axes, 0, 0, 360, 1, -1)
    spot = cv2.GaussianBlur(spot, (0, 0), min(axes) / 2)
    sheet[:] = (sheet * (1 - (1 - strength) * spot[:, :, None])).astype(np.uint8)


def _darker(colour: Colour, share: float) -> tuple[float, float, float]:
    red, green, blue = (channel * share for channel in colour)
    return red, green, blue
