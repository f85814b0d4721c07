"""The account of a build: what became of every record, as counts and as a list of the rejected ones."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lookalike.files import atomic_write
from lookalike.names import person_key

KEPT = "kept"
ALWAYS = (KEPT, "no face", "several faces", "too small", "unreadable", "excluded")  # reported even at 0
REJECTED_FILE = "rejected.csv"
SHOWN_NAMES = 5  # that are spelled in several ways; more do not fit on a screen
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Counts:
    """How many records had each outcome, in the order of the report; they sum to all records."""

    entries: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, outcomes: Iterable[str]) -> Counts:
        """Count outcomes, one a record."""
        counted = Counter(outcomes)
        others = sorted(counted.keys() - set(ALWAYS))
        return cls(tuple((outcome, counted[outcome]) for outcome in (*ALWAYS, *others)))

    def __getitem__(self, outcome: str) -> int:
        return dict(self.entries).get(outcome, 0)

    @property
    def total(self) -> int:
        """The number of records."""
        return sum(number for _, number in self.entries)

    def __str__(self) -> str:
        return " · ".join(f"{outcome} {number:,}" for outcome, number in self.entries)


@dataclass(frozen=True)
class Rejection:
    """A record that is not in the gallery, by its origin, and why."""

    record: str
    reason: str


@dataclass(frozen=True)
class Spelling:
    """Another spelling of a name in the gallery, and the origin of its first record."""

    name: str
    spelling: str
    record: str


def other_spellings(records: Iterable[Spelling]) -> tuple[Spelling, ...]:
    """Return the first record of each spelling that only `person_key` takes for the same name."""
    found: dict[tuple[str, str], Spelling] = {}
    for record in records:
        if record.spelling != record.name and person_key(record.spelling) == person_key(record.name):
            found.setdefault((record.name, record.spelling), record)
    return tuple(found.values())


def spellings_in_words(spellings: Sequence[Spelling]) -> str:
    """Return how many names are spelled in several ways, with some of them."""
    others: dict[str, list[str]] = {}
    for each in spellings:
        others.setdefault(each.name, []).append(each.spelling)
    shown = "; ".join(f"{name} ({', '.join(found)})" for name, found in [*others.items()][:SHOWN_NAMES])
    more = "" if len(others) <= SHOWN_NAMES else f"; and others, see {REJECTED_FILE}"
    count = "1 name is" if len(others) == 1 else f"{len(others):,} names are"
    return f"{count} spelled in several ways, which count as one person: {shown}{more}"


def write_rejections(
    folder: Path, rejections: Sequence[Rejection], spellings: Sequence[Spelling] = ()
) -> None:
    """Write `rejected.csv` into `folder`: a line for each record that is not in the gallery, then one for the
    first record of each other spelling of a name.
    """
    merged = [Rejection(each.record, f"{each.spelling} is kept as {each.name}") for each in spellings]
    with (
        atomic_write(folder / REJECTED_FILE) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        lines = csv.writer(file)
        lines.writerow(("record", "reason"))
        lines.writerows((as_text(each.record), as_text(each.reason)) for each in [*rejections, *merged])


def as_text(cell: str) -> str:
    """Return a cell that no spreadsheet runs as a formula: one that begins like a formula gets an apostrophe.

    The names of a source's files become cells, and they may come from anybody.
    """
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
