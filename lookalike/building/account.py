"""The account of a build: what became of every record, as counts and as a list of the rejected ones."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lookalike.files import atomic_write

KEPT = "kept"
ALWAYS = (KEPT, "no face", "several faces", "too small", "unreadable", "excluded")  # reported even at 0
REJECTED_FILE = "rejected.csv"
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


def write_rejections(folder: Path, rejections: Sequence[Rejection]) -> None:
    """Write `rejected.csv` into `folder`, a line for each record that is not in the gallery."""
    with (
        atomic_write(folder / REJECTED_FILE) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        lines = csv.writer(file)
        lines.writerow(("record", "reason"))
        lines.writerows((as_text(rejection.record), rejection.reason) for rejection in rejections)


def as_text(cell: str) -> str:
    """Return a cell that no spreadsheet runs as a formula: one that begins like a formula gets an apostrophe.

    The names of a source's files become cells, and they may come from anybody.
    """
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
