"""The facts about a match in one line: who it is."""

from __future__ import annotations

from collections.abc import Mapping

from lookalike.space.drawing.fonts import shown_name

WITH_WORKS = ("film & TV", "music", "science & letters")  # fields whose people are known for works
Facts = Mapping[str, str | int]  # see `lookalike.finder.Match.about`


def fact_line(about: Facts) -> str:
    """Return what is known: "Film & TV · United States · born 1975 · known for Titanic", "" for nothing."""
    field, country, known_for = (
        shown_name(str(about.get(key, ""))) for key in ("field", "country", "known_for")
    )
    born = f"born {about['born']}" if "born" in about else ""
    if field in WITH_WORKS and known_for[:1].isupper():  # a title, not "singer of Try Again"
        known_for = f"known for {known_for}"
    return " · ".join(part for part in (field[:1].upper() + field[1:], country, born, known_for) if part)
