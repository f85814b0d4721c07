"""The picture of a match: the gallery's photo, else a verified portrait, else a card; and its credit."""

from __future__ import annotations

from dataclasses import dataclass, field

from lookalike.finder import Match
from lookalike.gallery.credit import Credit
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
    if match.photo is None and finders.portrait is not None:
        portrait = finders.portrait(match.name)
        if portrait is not None:
            fields = (portrait.credit, portrait.licence, portrait.source, portrait.licence_url)
            return Picture(picture_of(match.name, portrait.image, match.about), Credit(*fields))
    credit = match.credit if match.photo is not None else None
    return Picture(picture_of(match.name, match.photo, match.about), credit, match.photo is None)
