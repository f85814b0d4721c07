"""A table of people: facts that are joined to the names of a source.

A CSV file with the columns name, native, field, gender, country, born and known_for, and maybe aliases: other
spellings of the name, separated by "|", so that photos under any of them belong to one person.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import MissingFileError, SourceError
from lookalike.names import clean_name, person_key
from lookalike.sources.facts import FACT_COLUMNS
from lookalike.sources.records import Facts

log = logging.getLogger(__name__)

COLUMNS = ("name", *FACT_COLUMNS)
FIELDS = (
    "business",
    "fashion & media",
    "film & TV",
    "music",
    "politics",
    "royalty",
    "science & letters",
    "sports",
)
GENDERS = ("woman", "man", "")
BIRTH_YEARS = range(-1000, 2100)


@dataclass(frozen=True)
class Person:
    """A person's name, as the table spells it, and the facts about them."""

    name: str
    facts: Facts


@dataclass(frozen=True)
class People:
    """People by person key (see `lookalike.names`), under their names and all aliases."""

    by_key: Mapping[str, Person]

    def find(self, name: str) -> Person | None:
        """Return the person of this name or alias, None where the table has none."""
        return self.by_key.get(person_key(name))

    def __len__(self) -> int:
        return len({person.name for person in self.by_key.values()})


NOBODY = People({})


def read_people(path: Path) -> People:
    """Read a table of people, separated by commas or semicolons, in UTF-8 or else Windows-1252.

    Raises MissingFileError where the file cannot be read, and SourceError, which names the line, for a
    missing column, an unknown field or gender, a year that is none, or a name or alias that is there twice.
    """
    by_key: dict[str, Person] = {}
    for line, row in _rows(path):
        person = _person(path, line, row)
        spellings = [person.name, *row.get("aliases", "").split("|")]
        for key in dict.fromkeys(person_key(spelling) for spelling in spellings if spelling.strip()):
            if key in by_key:
                raise SourceError(
                    f"{path}, line {line}: {person.name} is there twice; remove one of the lines."
                )
            by_key[key] = person
    if not by_key:
        raise SourceError(f"{path} lists nobody; it needs a line for each person.")
    return People(by_key)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each line's number and its cells by column."""
    text = _text(path)
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    header = [column.strip().lower() for column in reader.fieldnames or ()]
    if missing := [column for column in COLUMNS if column not in header]:
        raise SourceError(f"{path} lacks the columns {', '.join(missing)}; its first line must name them.")
    reader.fieldnames = header
    for row in reader:
        cells = {column: (value or "").strip() for column, value in row.items() if isinstance(column, str)}
        if any(cells.values()):
            yield reader.line_num, cells


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingFileError(f"There is no table of people at {path}, or it cannot be read.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        log.warning("%s is not UTF-8; it is read as Windows-1252, so check the accents", path)
        return data.decode("cp1252", "replace")


def _person(path: Path, line: int, row: Mapping[str, str]) -> Person:
    name = clean_name(row["name"])
    if not person_key(name):
        raise SourceError(f"{path}, line {line} has no name; give one or remove the line.")
    for column, allowed in (("field", (*FIELDS, "")), ("gender", GENDERS)):
        if row[column] not in allowed:
            choices = ", ".join(filter(None, allowed))
            raise SourceError(
                f"{path}, line {line}: '{row[column][:40]}' is no {column}; use one of {choices}, or nothing."
            )
    born = row["born"]
    if born and not (born.lstrip("-").isdecimal() and int(born) in BIRTH_YEARS):
        raise SourceError(
            f"{path}, line {line}: '{born[:20]}' is no year of birth; give four digits, or nothing."
        )
    texts = {column: clean_name(row[column]) or None for column in FACT_COLUMNS if column != "born"}
    return Person(name, Facts(born=int(born) if born else None, **texts))
