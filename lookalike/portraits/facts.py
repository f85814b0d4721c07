"""Whether what Wikidata says about somebody fits the facts of the gallery's person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lookalike.names import person_key
from lookalike.portraits.answers import Entity

BIRTH_TOLERANCE = 1  # years: sources differ

# Words in the English names of occupations, by the fields of a table of people.
FIELD_WORDS = {
    "business": "businessperson entrepreneur executive investor banker financier industrialist economist",
    "fashion & media": "model fashion designer presenter journalist influencer youtuber blogger personality "
    "socialite announcer host streamer",
    "film & TV": "actor actress film television director screenwriter comedian filmmaker presenter stage tv",
    "music": "singer musician rapper composer songwriter guitarist pianist drummer bassist jockey vocalist "
    "conductor violinist idol music record",
    "politics": "politician diplomat statesperson activist president minister officer jurist lawyer judge",
    "royalty": "monarch aristocrat sovereign ruler queen king prince princess royal noble",
    "science & letters": "scientist physicist chemist biologist mathematician writer author novelist poet "
    "philosopher researcher engineer astronaut physician historian economist journalist screenwriter",
    "sports": "player athlete boxer cricketer footballer swimmer driver wrestler skater cyclist gymnast "
    "golfer racer skier runner jockey sprinter coach fighter artist competitor",
}
WORDS = {field: frozenset(words.split()) for field, words in FIELD_WORDS.items()}


def contradiction(entity: Entity, labels: Mapping[str, str], facts: Mapping[str, str | int]) -> str:
    """Return why `entity` is not the person of these facts, "" if it may be.

    `labels` gives the names of occupations and countries. The year of birth or the gender decide alone. Field
    and country must both differ: singers act, and people move.
    """
    if not entity.human:
        return "not a person"
    born = facts.get("born")
    if isinstance(born, int) and entity.born and abs(born - entity.born) > BIRTH_TOLERANCE:
        return f"born in {entity.born}, not in {born}"
    gender = facts.get("gender")
    if gender and entity.gender and gender != entity.gender:
        return f"a {entity.gender}"
    occupations = [labels[each] for each in entity.occupations if labels.get(each)]
    countries = [labels[each] for each in entity.countries if labels.get(each)]
    if _other_field(occupations, facts.get("field")) and _other_country(countries, facts.get("country")):
        return f"{occupations[0]} from {countries[0]}"
    return ""


def _other_field(occupations: Iterable[str], field: object) -> bool:
    words = {word for each in occupations for word in re.findall(r"\w+", each.casefold())}
    fields = {name for name, known in WORDS.items() if words & known}
    return isinstance(field, str) and field in WORDS and bool(fields) and field not in fields


def _other_country(countries: Iterable[str], country: object) -> bool:
    """Return whether no name of a country fits; "United States" fits "United States of America"."""
    names = [person_key(each) for each in countries]
    wanted = person_key(country) if isinstance(country, str) else ""
    return bool(names and wanted) and not any(wanted in name or name in wanted for name in names)
