"""The facts about a match in one line: who it is."""

from __future__ import annotations

from collections.abc import Mapping

from lookalike.space.drawing.fonts import shown_name

Facts = Mapping[str, str | int]  # see `lookalike.finder.Match.about`


def fact_parts(about: Facts) -> list[str]:
    """Return what is known: "Film & TV", "United States", "born 1975", "known for Titanic"."""
    field, country, known_for = (
        shown_name(str(about.get(key, ""))) for key in ("field", "country", "known_for")
    )
    born = f"born {about['born']}" if "born" in about else ""
    if (
        known_for and not known_for[0].islower()
    ):  # in lower case it is a sentence's end: "singer of Try Again"
        known_for = f"known for {known_for}"
    return [part for part in (field[:1].upper() + field[1:], country, born, known_for) if part]


def fact_line(about: Facts) -> str:
    """Return the facts with dots between them, "" where nothing is known."""
    return " · ".join(fact_parts(about))
