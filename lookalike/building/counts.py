"""The account of a build: what became of every record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """What became of every record of a source; the numbers add up to `total`.

    `outliers` are photos that look mislabelled, `beyond` those over the most a name may have (`per_name`),
    and `too_few` the photos of names with fewer than `min_photos`.
    """

    kept: int = 0
    no_face: int = 0
    several_faces: int = 0
    too_small: int = 0
    unreadable: int = 0
    excluded: int = 0
    no_name: int = 0
    outliers: int = 0
    beyond: int = 0
    too_few: int = 0
    per_name: int = 10
    min_photos: int = 1

    @property
    def entries(self) -> tuple[tuple[str, int], ...]:
        """The numbers with what they are called; the last four only where there is something to say."""
        always = (
            ("kept", self.kept),
            ("no face", self.no_face),
            ("several faces", self.several_faces),
            ("too small", self.too_small),
            ("unreadable", self.unreadable),
            ("excluded", self.excluded),
        )
        sometimes = (
            ("no name", self.no_name),
            ("outliers", self.outliers),
            (f"beyond {self.per_name:,} a name", self.beyond),
            (f"of names with fewer than {self.min_photos:,}", self.too_few),
        )
        return always + tuple(entry for entry in sometimes if entry[1])

    @property
    def total(self) -> int:
        """How many records there were."""
        return sum(number for _, number in self.entries)

    def __str__(self) -> str:
        return " · ".join(f"{what} {number:,}" for what, number in self.entries)
