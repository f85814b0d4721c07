"""Faces to try the page with: people of the gallery whose pictures are here, or else drawn faces."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import islice
from typing import Any

from lookalike.space.drawing.fonts import shown_name
from lookalike.space.drawing.html import data_url, photo_credit
from lookalike.space.finders import Finders
from lookalike.space.labels import label
from lookalike.space.middleware.pictures import PREFIX
from lookalike.space.pictures import Picture, picture_of_row
from lookalike.space.texts import text

DRAWN = ("one", "two", "three")
CANDIDATES = 12  # rows that are looked at when somebody opens the page; a portrait may not be here yet


def drawn_examples() -> str:
    """Return the drawn faces below a line that names them, each a button, HTML."""
    buttons = "".join(_button(address_of(name), str(place), "") for place, name in enumerate(DRAWN, 1))
    return _below(label("page_examples"), buttons)


def example_values(finders: Finders) -> dict[str, Any]:
    """Return the properties of the examples when somebody opens the page: as many people of the gallery, with
    the credit of each picture; nothing, so that the drawn faces stay, if too few pictures are here.
    """
    known = list(islice(_known(finders), len(DRAWN)))
    if len(known) < len(DRAWN):
        return {}
    buttons = "".join(
        _button(data_url(picture.jpeg), escape(shown_name(name)), photo_credit(picture.credit))
        for name, picture in known
    )
    return {"value": _below(escape(text("example_known")), buttons)}


def address_of(name: str) -> str:
    """Return where a drawn face is, below the page's own address, whatever a proxy adds."""
    return f"{PREFIX.removeprefix('/')}{name}.jpg"


def _known(finders: Finders) -> Iterator[tuple[str, Picture]]:
    gallery = finders.served.gallery
    for row in range(0, len(gallery), max(1, len(gallery) // CANDIDATES)):
        name, picture = picture_of_row(row, gallery, finders)
        if not picture.is_card:
            yield name, picture


def _below(head: object, buttons: str) -> str:
    return f'<p id="examples-head">{head}</p><div class="examples">{buttons}</div>'


def _button(address: str, name: str, credit: str) -> str:
    return (
        f'<figure><button type="button" class="example" aria-label="{name}" aria-describedby="examples-head">'
        f'<img src="{address}" alt="" width="400" height="400"></button>{credit}</figure>'
    )
