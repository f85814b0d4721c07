"""A table of people: facts that are joined to the names of a source.

A CSV file with the columns name, native, field, gender, country, born and known_for, and maybe aliases: other
spellings of the name, separated by "|", so that photos under any of them belong to one person. And lists of
names alone.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import MissingFileError, SourceError
from lookalike.names import clean_name, person_key
from lookalike.sources.facts import FACT_COLUMNS
from lookalike.sources.records import Facts
from lookalike.sources.tables import Row, read_csv

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
YEAR = re.compile(r"-?\d{1,4}")
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
    """Read a table of people in any form of CSV that `lookalike.sources.tables` reads.

    Raises MissingFileError where the file cannot be read, and SourceError, which names the line, for a
    missing column, an unknown field or gender, a year that is none, or a name or alias that is there twice.
    """
    by_key: dict[str, Person] = {}
    for row in _rows(path):
        person = _person(path, row.line, row.cells)
        spellings = [person.name, *row.cells.get("aliases", "").split("|")]
        for key in dict.fromkeys(person_key(spelling) for spelling in spellings if spelling.strip()):
            if key in by_key:
                raise SourceError(
                    f"{path}, line {row.line}: {person.name} is there twice; remove one of the lines."
                )
            by_key[key] = person
    if not by_key:
        raise SourceError(f"{path} lists nobody; it needs a line for each person.")
    return People(by_key)


def read_names(path: Path) -> frozenset[str]:
    """Return the person keys of the names in a text file, one a line; what follows a # is a comment.

    Raises MissingFileError.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no file of names at {path}; give one name a line.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise MissingFileError(f"{path} cannot be read as UTF-8 text; give one name a line.") from error
    return frozenset(key for line in lines if (key := person_key(line.partition("#")[0])))


def _rows(path: Path) -> list[Row]:
    try:
        header, rows = read_csv(path)
    except OSError as error:
        raise MissingFileError(f"There is no table of people at {path}, or it cannot be read.") from error
    except csv.Error as error:
        raise SourceError(f"{path} is not a CSV that can be read ({error}); write it again.") from error
    if missing := [column for column in COLUMNS if column not in header]:
        raise SourceError(f"{path} lacks the columns {', '.join(missing)}; its first line must name them.")
    return rows


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
    if born and not (YEAR.fullmatch(born) and int(born) in BIRTH_YEARS):
        raise SourceError(
            f"{path}, line {line}: '{born[:20]}' is no year of birth; give four digits, or nothing."
        )
    texts = {column: clean_name(row[column]) or None for column in FACT_COLUMNS if column != "born"}
    return Person(name, Facts(born=int(born) if born else None, **texts))
