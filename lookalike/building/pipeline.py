"""Build a gallery from records: process each photo, select the photos of each name, assemble the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.building.account import KEPT, Counts, Rejection, Spelling, other_spellings
from lookalike.building.assembly import assemble
from lookalike.building.ledger import Entry, Ledger
from lookalike.building.local_engine import collect
from lookalike.building.options import Options
from lookalike.building.record_log import RecordInfo, skip_reason
from lookalike.building.selection import Candidate, LeftOut, select
from lookalike.errors import SourceError
from lookalike.faces.face import Detector
from lookalike.gallery.gallery import Gallery
from lookalike.models.embedder import Embedder
from lookalike.names import person_key
from lookalike.sources.opening import Source


class Engine(Protocol):
    """Processes all photos of a source: `collect` on this machine, `RayEngine` on a cluster."""

    def __call__(
        self,
        source: Source,
        *,
        ledger: Ledger,
        detector: Detector,
        embedder: Embedder,
        options: Options,
        progress: Callable[[], object],
    ) -> list[RecordInfo]:
        """Return the records in order, with an entry in the ledger for each photo that was not skipped."""
        ...


@dataclass(frozen=True, eq=False)
class Built:
    """A new gallery, and the account of the source's records.

    `spellings` are those that were taken for another spelling of a name.
    """

    gallery: Gallery
    counts: Counts
    rejections: tuple[Rejection, ...]
    spellings: tuple[Spelling, ...] = ()


def build(
    source: Source,
    *,
    ledger: Ledger,
    detector: Detector,
    embedder: Embedder,
    options: Options,
    engine: Engine = collect,
    progress: Callable[[], object] = lambda: None,
) -> Built:
    """Return a gallery of the source's faces. `progress` is called once a record.

    Photos that have an entry in the ledger are not processed again. Records are streamed: memory holds names,
    origins and embeddings, about 1 KB a face, and the thumbnails of the kept ones. Raises SourceError where
    no face is left, OSError when the disk is full, and what the records raise; finished work is then in the
    ledger.
    """
    records = engine(
        source, ledger=ledger, detector=detector, embedder=embedder, options=options, progress=progress
    )
    candidates, outcomes = _candidates(records, ledger, options)
    selection = select(candidates, photos_per_name=options.photos_per_name, min_photos=options.min_photos)
    for candidate, reason in selection.left_out:
        outcomes[candidate.place] = _in_words(reason, options)
    counts = Counts.of(outcomes)
    if not selection.kept:
        raise SourceError(
            f"No face of the {counts.total:,} records can be kept; try another source or other options. "
            f"({counts})"
        )
    gallery = assemble(
        selection.kept, counts, ledger=ledger, detector=detector, embedder=embedder, options=options
    )
    rejections = [
        Rejection(record.origin, outcome)
        for record, outcome in zip(records, outcomes, strict=True)
        if outcome != KEPT
    ]
    spellings = (Spelling(face.name, records[face.place].name, face.origin) for face in candidates)
    return Built(gallery, counts, tuple(rejections), other_spellings(spellings))


def _candidates(
    records: Sequence[RecordInfo], ledger: Ledger, options: Options
) -> tuple[list[Candidate], list[str]]:
    """Return the faces that passed the gate, and an outcome for every record, so far "kept" for these.

    A person with several spellings gets the name in the table of people, or else the first one. Of equal
    photos under one name the first is used.
    """
    outcomes: list[str] = [skip_reason(record, options) or KEPT for record in records]
    processed = [(place, records[place].digest or b"") for place, why in enumerate(outcomes) if why == KEPT]
    entries = ledger.entries([digest for _, digest in processed])
    spellings: dict[str, str] = {}
    met: set[tuple[str, bytes]] = set()
    candidates = []
    for (place, digest), entry in zip(processed, entries, strict=True):
        record = records[place]
        person = options.people.find(record.name)
        key = person_key(person.name if person else record.name)
        if entry.embedding is None:
            outcomes[place] = entry.reason or ""
        elif (key, digest) in met:
            outcomes[place] = "duplicate"
        else:
            met.add((key, digest))
            name = person.name if person else spellings.setdefault(key, record.name)
            candidates.append(_candidate(name, entry.embedding, entry, record, place))
    return candidates, outcomes


def _candidate(
    name: str, embedding: NDArray[np.float32], entry: Entry, record: RecordInfo, place: int
) -> Candidate:
    return Candidate(
        name=name,
        embedding=embedding,
        quality=entry.quality,
        confidence=entry.confidence,
        origin=record.origin,
        category=record.category,
        digest=entry.digest,
        place=place,
        age=record.age,
        gender=record.gender,
        facts=record.facts,
    )


def _in_words(reason: LeftOut, options: Options) -> str:
    words = {
        "beyond": f"beyond {options.photos_per_name:,} a name",
        "too few": f"of names with fewer than {options.min_photos:,}",
    }
    return words.get(reason, reason)
