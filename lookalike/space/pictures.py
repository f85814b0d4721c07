"""The picture of a match: the gallery's photo, else a verified portrait, else a card; and its credit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lookalike.finder import Match
from lookalike.gallery.credit import Credit
from lookalike.gallery.gallery import Gallery
from lookalike.space.drawing.cards import picture_of
from lookalike.space.finders import Finders


@dataclass(frozen=True)
class Picture:
    """A picture, JPEG, and its credit, None where none is needed or known. A card is no photo."""

    jpeg: bytes = field(repr=False)
    credit: Credit | None = None
    is_card: bool = False


def picture_for(match: Match, finders: Finders) -> Picture:
    """Return the picture of a match. It does not wait: a portrait that is not here yet is fetched later."""
    return _picture(match.name, match.photo, match.about, match.credit, finders)


def picture_of_row(row: int, gallery: Gallery, finders: Finders) -> tuple[str, Picture]:
    """Return the name and the picture of a row of the gallery, as `picture_for` does."""
    name = gallery.table["name"][row].as_py()
    return name, _picture(name, gallery.photo(row), gallery.about(row), gallery.credit(row), finders)


def _picture(
    name: str, photo: bytes | None, about: Mapping[str, str | int], credit: Credit | None, finders: Finders
) -> Picture:
    if photo is None and finders.portrait is not None:
        portrait = finders.portrait(name)
        if portrait is not None:
            fields = (portrait.credit, portrait.licence, portrait.source, portrait.licence_url)
            return Picture(picture_of(name, portrait.image, about), Credit(*fields))
    return Picture(picture_of(name, photo, about), credit if photo is not None else None, photo is None)
