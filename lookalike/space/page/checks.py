"""Checks of what a browser sends with a later request: it may send anything."""

from __future__ import annotations

from lookalike.errors import ImageError
from lookalike.finder import Match
from lookalike.images import RGB
from lookalike.space.messages import PHOTO_GONE, user_error
from lookalike.space.page.found import Found
from lookalike.space.texts import text


def checked_photo(plain: RGB | None, found: Found | None) -> tuple[RGB, Found]:
    """Return the photo and its faces; raise ImageError if one of them is gone."""
    if plain is None or found is None or not found.faces:
        raise ImageError(PHOTO_GONE)
    return plain, found


def checked_face(plain: RGB | None, found: Found | None, face: object) -> tuple[RGB, Found, int]:
    """Return the arguments; raise ImageError if the photo or the face is gone."""
    plain, found = checked_photo(plain, found)
    if not isinstance(face, int | float) or not 0 <= face < len(found.faces):
        raise ImageError(PHOTO_GONE)
    return plain, found, int(face)


def checked_match(found: Found, face: int, place: object) -> Match:
    """Return the match at a place, counted from 0; raise gr.Error if there is none."""
    matches = found.faces[face].matches
    if not isinstance(place, int | float) or not 0 <= place < len(matches):
        raise user_error(text("error_no_match"))
    return matches[int(place)]
