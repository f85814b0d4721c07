"""The facts about a match in one line: who it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lookalike.space.drawing.fonts import shown_name
from lookalike.space.texts import table, text

WITH_WORKS = ("film & TV", "music", "science & letters")  # fields whose people are known for works
Facts = Mapping[str, str | int]  # see `lookalike.finder.Match.about`


def fact_line(about: Facts) -> str:
    """Return what is known: "Film & TV · United States · born 1975 · known for Titanic", "" for nothing."""
    field, country, known_for = (
        shown_name(str(about.get(key, ""))) for key in ("field", "country", "known_for")
    )
    born = text("answer_born", year=about["born"]) if "born" in about else ""
    if field in WITH_WORKS and known_for[:1].isupper():  # a title, not "singer of Try Again"
        known_for = text("answer_known_for", works=known_for)
    return " · ".join(part for part in (fact("field", field), country, born, known_for) if part)


def fact(kind: str, value: str) -> str:
    """Return a field, gender or region of a gallery in the visitor's language where it has a name there."""
    key = f"chip_{kind}_{'_'.join(re.findall('[a-z]+', value.lower()))}"
    return text(key) if key in table("en") else shown_name(value[:1].upper() + value[1:])
