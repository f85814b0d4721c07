"""HTML about the people of a photo: who resembles whom, and a picture of everyone's match."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lookalike.space.drawing.closer_html import kept
from lookalike.space.drawing.html import data_url, word


def resemblances(faces: Sequence[bytes], percents: NDArray[np.float64]) -> str:
    """Return a table with a row and a column for each face, JPEGs, at least two.

    `percents` is (n, n), 0..100 and symmetric. The deeper a cell's colour, the more alike its two faces are.
    """
    heads = [_head(number, face) for number, face in enumerate(faces, 1)]
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads)
    rows = "".join(
        f'<tr><th scope="row">{head}</th>{"".join(_cell(place, *each) for each in enumerate(row))}</tr>'
        for place, (head, row) in enumerate(zip(heads, percents, strict=True))
    )
    return (
        f'<div class="friends" tabindex="0" role="region" aria-label="{word("friends_table")}">'
        f"<table><thead><tr><td></td>{columns}</tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p class="words">{_closest(percents)}</p>'
    )


def _head(number: int, face: bytes) -> str:
    name = word("chip_face", number=str(number))
    return f'<img src="{data_url(face)}" alt="{name}"><span aria-hidden="true">{number}</span>'


def _cell(row: int, column: int, percent: float) -> str:
    if row == column:
        return '<td class="self"></td>'
    return f'<td style="--percent:{percent:.0f}">{percent:.0f} %</td>'


def _closest(percents: NDArray[np.float64]) -> str:
    """Return a sentence about the two faces that are most alike."""
    others = percents - 1000 * np.eye(len(percents))  # nobody is compared with themselves
    one, other = sorted(np.unravel_index(int(np.argmax(others)), others.shape))
    faces = {"first": one, "second": other}
    names = {key: word("chip_face", number=str(place + 1)) for key, place in faces.items()}
    return word("friends_closest", **names, percent=f"{percents[one, other]:.0f}")


def collage(picture: bytes) -> str:
    """Return the picture of everyone's match, a JPEG, with a link that downloads it."""
    image = f'<img src="{data_url(picture)}" alt="{word("friends_collage")}">'
    return kept(image, "our-look-alikes.jpg", "button_download")
