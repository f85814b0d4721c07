"""What a build keeps of a source's records, part by part, in whatever order they arrive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lookalike.building.options import Options
from lookalike.names import person_key
from lookalike.sources.opening import Part, Record, Source
from lookalike.sources.records import Facts, Numbers


@dataclass(frozen=True, slots=True)
class RecordInfo:
    """A record without its photo. `digest` is the photo's, None where the photo was skipped."""

    name: str
    origin: str
    category: str | None
    digest: bytes | None
    fault: str
    age: int | None
    gender: str | None
    facts: Facts | None = None

    @classmethod
    def of(cls, record: Record, digest: bytes | None) -> RecordInfo:
        """Return what to keep of a record."""
        photo = (record.name, record.origin, record.category, digest, record.fault)
        return cls(*photo, record.age, record.gender, record.facts)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> RecordInfo:
        """Return what `dataclasses.asdict` made into a dict."""
        facts = fields.get("facts")
        return cls(**{**fields, "facts": Facts(**facts) if facts else None})


def skip_reason(record: Record | RecordInfo, options: Options) -> str:
    """Return why a record's photo need not be processed, empty where it must be."""
    key = person_key(record.name)
    if not key:
        return "no name"
    if key in options.excluded:
        return "excluded"
    if options.listed_only and options.people.find(record.name) is None:
        return "not listed"
    return record.fault


@dataclass
class _PartLog:
    """The records of one part by row; `length` is how many it has, None until that is known."""

    part: Part
    rows: dict[int, RecordInfo] = field(default_factory=dict)
    length: int | None = None
    reported: bool = False

    @property
    def records(self) -> list[RecordInfo]:
        return [self.rows[row] for row in sorted(self.rows)]


class RecordLog:
    """The records of a source, collected from several parts at once."""

    def __init__(self, source: Source) -> None:
        self._limit = source.limit
        self._parts = [_PartLog(part) for part in source.parts]

    def add(self, part: int, row: int, record: RecordInfo) -> None:
        """Add a record. Its photo's entry is in the ledger, or on its way there."""
        self._parts[part].rows[row] = record

    def set_length(self, part: int, length: int) -> None:
        """Set how many records a part has; some of them may still arrive."""
        self._parts[part].length = length

    def restore(self, known: Callable[[str], Sequence[RecordInfo] | None]) -> int:
        """Add the records of the parts that an earlier build completed; return how many these are, at most as
        many as the source's limit.

        `known` returns the records of a part by its key, None where the part must be read.
        """
        count = 0
        for place, log in enumerate(self._parts):
            records = known(log.part.key)
            if records is not None:
                rows = dict(enumerate(records))
                self._parts[place] = _PartLog(log.part, rows, len(rows), reported=True)
                count += len(rows)
        return count if self._limit is None else min(count, self._limit)

    def length(self, part: int) -> int | None:
        """Return how many records a part has, None where that is not known yet."""
        return self._parts[part].length

    def newly_complete(self) -> list[tuple[str, list[RecordInfo]]]:
        """Return key and records of each part that has a key and became complete since the last call."""
        complete = [
            log for log in self._parts if log.part.key and not log.reported and log.length == len(log.rows)
        ]
        for log in complete:
            log.reported = True
        return [(log.part.key, log.records) for log in complete]

    def records(self) -> list[RecordInfo]:
        """Return all records in the source's order, numbered where their part belongs to a series."""
        numbers = Numbers()
        records = [
            replace(record, origin=numbers.next_of(log.part)) if log.part.series else record
            for log in self._parts
            for record in log.records
        ]
        return records[: self._limit]
