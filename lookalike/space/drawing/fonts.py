"""Names for pictures: the letters that the fonts have, the size that fits, and the initials."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont

from lookalike.names import clean_name
from lookalike.space.gradio_internals import font_file
from lookalike.space.texts import english, text

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

MAX_LETTERS = 80  # the longest celebrity's name has half as many
NAME_LINES = 2  # a third line would touch the initials
NAME_SIZES = (38, 33, 28, 24)  # pixels, tried from large to small until the name fits

# Debian's fonts-noto-core and fonts-noto-cjk, for names and texts in scripts that the page's font lacks
NOTO = [
    *((f"NotoSans{script}", ".ttf") for script in ("Arabic", "Devanagari", "Hebrew", "Georgian", "Thai")),
    *((f"NotoSans{script}", ".ttf") for script in ("Armenian", "Bengali", "Malayalam", "Gujarati", "Tamil")),
    ("NotoSansCJK", ".ttc"),
]

# Letters that decompose into nothing, for fonts that lack them
PLAIN = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "ß": "ss", "ı": "i", "’": "'"}
    | {"æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th"}
)


def shown_name(name: str) -> str:
    """Return a gallery's name for display, without control characters, at most MAX_LETTERS long."""
    name = clean_name(name)
    return name if len(name) <= MAX_LETTERS else f"{name[:MAX_LETTERS]}…"


def initials(name: str) -> str:
    """Return the first letters of the first and the last word: "Ada King Lovelace" -> "AL"."""
    firsts = [next((letter for letter in word if letter.isalnum()), "") for word in name.split()]
    letters = [first.upper()[0] for first in firsts if first] or ["?"]
    return letters[0] + letters[-1] if len(letters) > 1 else letters[0]


def drawable(name: str) -> str:
    """Return the name in letters that the fonts have, without accents if necessary, else empty."""
    name = shown_name(name)
    plain = unicodedata.normalize("NFKD", name).translate(PLAIN)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return next((text for text in (name, plain) if text and _is_drawable(text)), "")


def drawable_text(key: str, **values: object) -> str:
    """Return a text of the page in letters that the fonts have: in English if they lack its language's."""
    words = text(key, **values)
    if _is_drawable(words):
        return words
    with english():
        return text(key, **values)


def fit(
    name: str,
    width: int,
    *,
    sizes: Sequence[int] = NAME_SIZES,
    lines: int = NAME_LINES,
    bold: bool = False,
) -> tuple[Font, list[str]]:
    """Return the largest font in which the name is at most `width` pixels wide, and its lines.

    Lines that do not fit in the smallest font are shortened.
    """
    for size in sizes:
        font = find_font(bold=bold, size=size, text=name)
        wrapped = _wrap(name, font, width)
        if len(wrapped) <= lines and all(font.getlength(line) <= width for line in wrapped):
            return font, wrapped
    kept = wrapped[:lines]
    return font, [_cut(line, font, width, more=len(wrapped) > lines and line is kept[-1]) for line in kept]


def _wrap(name: str, font: Font, width: int) -> list[str]:
    lines = [""]
    for word in name.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _cut(line: str, font: Font, width: int, *, more: bool) -> str:
    if not more and font.getlength(line) <= width:
        return line
    while line and font.getlength(f"{line}…") > width:
        line = line[:-1]
    return f"{line.rstrip()}…"


def find_font(*, bold: bool, size: int, text: str = "") -> Font:
    """Return the first font that has all letters of `text`, by default the page's; without any, Pillow's."""
    return _font(_family(text), bold, size)


def _family(text: str) -> int:
    """Return the first of `_families` that has all letters, 0 if none has."""
    places = range(len(_families()))
    return next((place for place in places if all(_has_glyph(place, letter) for letter in text)), 0)


@cache
def _families() -> tuple[tuple[Path, Path], ...]:
    """Return the files of each font, regular and bold: the page's own, and those of Debian that are there."""
    own = font_file(bold=False), font_file(bold=True)
    named = [
        (folder / f"{name}-Regular{end}", folder / f"{name}-Bold{end}")
        for folder in _folders()
        for name, end in NOTO
    ]
    return own, *(pair for pair in named if all(file.is_file() for file in pair))


def _folders() -> list[Path]:
    """Return where a system and its user keep fonts, as Debian's packages lay them out."""
    roots = [Path("/usr/share/fonts"), Path.home() / ".local" / "share" / "fonts"]
    return [root / kind / "noto" for root in roots for kind in ("truetype", "opentype")]


@cache
def _font(family: int, bold: bool, size: int) -> Font:
    try:
        return ImageFont.truetype(_families()[family][bold], size)
    except OSError:  # another gradio, or a Pillow whose FreeType reads no WOFF2
        return ImageFont.load_default(size)


@lru_cache(20_000)  # letters of all scripts in a gallery
def _has_glyph(family: int, letter: str) -> bool:
    """Return whether both weights have this letter, and not just the box for a missing one."""
    if letter == " ":
        return True
    return all(
        bytes(font.getmask(letter)) != bytes(font.getmask("\U0010fffd"))  # private use: never there
        for font in (_font(family, True, 24), _font(family, False, 24))
    )


def _is_drawable(text: str) -> bool:
    return any(all(_has_glyph(place, letter) for letter in text) for place in range(len(_families())))
