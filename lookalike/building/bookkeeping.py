"""What is remembered of a source's records, part by part, in whatever order they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lookalike.building.options import Options
from lookalike.names import person_key
from lookalike.sources.opening import Part, Record, Source
from lookalike.sources.records import Numbers


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as it is remembered: without its photo. `digest` is None where the photo was not looked at,
    because the record had no place in the gallery that was built.
    """

    name: str
    origin: str
    category: str | None
    digest: bytes | None
    fault: str
    age: int | None
    gender: str | None

    @classmethod
    def of(cls, record: Record, digest: bytes | None) -> Seen:
        """Return what is remembered of a record."""
        about = (record.name, record.origin, record.category, digest, record.fault, record.age, record.gender)
        return cls(*about)


def why_dropped(record: Record | Seen, options: Options) -> str:
    """Return why a record's photo need not be looked at, nothing where it must be."""
    key = person_key(record.name)
    return "no name" if not key else "excluded" if key in options.excluded else record.fault


@dataclass
class _Gathered:
    """The records of one part by their row; `length` is how many there are, None until that is known."""

    part: Part
    rows: dict[int, Seen] = field(default_factory=dict)
    length: int | None = None
    told: bool = False

    @property
    def records(self) -> list[Seen]:
        return [self.rows[row] for row in sorted(self.rows)]


class Gathering:
    """The records of a source as they come in, of several parts at once."""

    def __init__(self, source: Source) -> None:
        self._limit = source.limit
        self._parts = [_Gathered(part) for part in source.parts]

    def add(self, part: int, row: int, seen: Seen) -> None:
        """Take a record in its place, whose photo is in the ledger if it was to be looked at."""
        self._parts[part].rows[row] = seen

    def end(self, part: int, length: int) -> None:
        """Take to know how many records a part has; it need not have been looked at to its end."""
        self._parts[part].length = length

    def recall(self, known: Callable[[str], Sequence[Seen] | None]) -> int:
        """Take all records of the parts that were read to their end before; return how many records."""
        count = 0
        for place, gathered in enumerate(self._parts):
            records = known(gathered.part.key)
            if records is not None:
                rows = dict(enumerate(records))
                self._parts[place] = _Gathered(gathered.part, rows, len(rows), told=True)
                count += len(rows)
        return count

    def length(self, part: int) -> int | None:
        """Return how many records a part has, None where that is not known yet."""
        return self._parts[part].length

    def finished(self) -> list[tuple[str, list[Seen]]]:
        """Return the keys and records of parts with a key that are complete since this was last asked."""
        done = [
            gathered
            for gathered in self._parts
            if gathered.part.key and not gathered.told and gathered.length == len(gathered.rows)
        ]
        for gathered in done:
            gathered.told = True
        return [(gathered.part.key, gathered.records) for gathered in done]

    def records(self) -> list[Seen]:
        """Return all records in the source's order, numbered where a part's series asks for it."""
        numbers = Numbers()
        records = [
            replace(seen, origin=numbers.next_of(gathered.part)) if gathered.part.series else seen
            for gathered in self._parts
            for seen in gathered.records
        ]
        return records[: self._limit]
