"""The account of a build: what became of every record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

KEPT = "kept"
ALWAYS = (KEPT, "no face", "several faces", "too small", "unreadable", "excluded")  # said even if none are


@dataclass(frozen=True)
class Counts:
    """What became of every record of a source, in the order in which it is told; the numbers add up."""

    entries: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, verdicts: Iterable[str]) -> Counts:
        """Count the verdicts, one a record."""
        counted = Counter(verdicts)
        others = sorted(counted.keys() - set(ALWAYS))
        return cls(tuple((what, counted[what]) for what in (*ALWAYS, *others)))

    def __getitem__(self, what: str) -> int:
        return dict(self.entries).get(what, 0)

    @property
    def total(self) -> int:
        """How many records there were."""
        return sum(number for _, number in self.entries)

    def __str__(self) -> str:
        return " · ".join(f"{what} {number:,}" for what, number in self.entries)
