"""From records to a gallery: find out about each photo, choose among each name's, put together."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.building.assembly import assemble
from lookalike.building.bookkeeping import Seen, why_dropped
from lookalike.building.collecting import collect
from lookalike.building.counts import KEPT, Counts
from lookalike.building.ledger import Entry, Ledger
from lookalike.building.options import Options
from lookalike.building.selection import Candidate, LeftOut, select
from lookalike.errors import SourceError
from lookalike.faces.face import Detector
from lookalike.gallery.gallery import Gallery
from lookalike.models.embedder import Embedder
from lookalike.names import person_key
from lookalike.sources.opening import Source

REJECTED_FILE = "rejected.csv"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # how one begins; a folder of photos may be called anything


class Engine(Protocol):
    """A way to look at all photos of a source: `collect` on this machine, `RayEngine` on a cluster."""

    def __call__(
        self,
        source: Source,
        *,
        ledger: Ledger,
        detector: Detector,
        embedder: Embedder,
        options: Options,
        progress: Callable[[], object],
    ) -> list[Seen]:
        """Return the records in order, and leave in the ledger what is to be known of their photos."""
        ...


@dataclass(frozen=True)
class Rejection:
    """A record that is not in the gallery, and why."""

    record: str
    reason: str


@dataclass(frozen=True, eq=False)
class Built:
    """A gallery, what became of every record, and the records that are not in it."""

    gallery: Gallery
    counts: Counts
    rejections: tuple[Rejection, ...]


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
    """Make a gallery of the source's faces; `progress` is called once a record.

    What the ledger knows already is not found out again. Records are streamed; held are names, origins and
    embeddings, about 1 KB a face, and the thumbnails of the kept ones. Raises SourceError when no face is
    left, OSError when the disk is full, and whatever the records raise; the ledger then has what was done.
    """
    seen = engine(
        source, ledger=ledger, detector=detector, embedder=embedder, options=options, progress=progress
    )
    candidates, verdicts = _candidates(seen, ledger, options)
    selection = select(candidates, photos_per_name=options.photos_per_name, min_photos=options.min_photos)
    for candidate, why in selection.left_out:
        verdicts[candidate.place] = _in_words(why, options)
    counts = Counts.of(verdicts)
    if not selection.kept:
        raise SourceError(
            f"No face of the {counts.total:,} records can be kept; try another source. ({counts})"
        )
    gallery = assemble(
        selection.kept, counts, ledger=ledger, detector=detector, embedder=embedder, options=options
    )
    rejections = [
        Rejection(record.origin, why) for record, why in zip(seen, verdicts, strict=True) if why != KEPT
    ]
    return Built(gallery, counts, tuple(rejections))


def _candidates(seen: Sequence[Seen], ledger: Ledger, options: Options) -> tuple[list[Candidate], list[str]]:
    """Return the faces that passed, and a verdict for every record, "kept" for these until they are not.

    A person under several spellings has the first one; of equal photos under one name the first stands.
    """
    verdicts: list[str] = [why_dropped(record, options) or KEPT for record in seen]
    looked_at = [(place, seen[place].digest or b"") for place, why in enumerate(verdicts) if why == KEPT]
    entries = ledger.entries([digest for _, digest in looked_at])
    spellings: dict[str, str] = {}
    met: set[tuple[str, bytes]] = set()
    candidates = []
    for (place, digest), entry in zip(looked_at, entries, strict=True):
        record, key = seen[place], person_key(seen[place].name)
        if entry.embedding is None:
            verdicts[place] = entry.reason or ""
        elif (key, digest) in met:
            verdicts[place] = "duplicate"
        else:
            met.add((key, digest))
            name = spellings.setdefault(key, record.name)
            candidates.append(_candidate(name, entry.embedding, entry, record, place))
    return candidates, verdicts


def _candidate(
    name: str, embedding: NDArray[np.float32], entry: Entry, record: Seen, place: int
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
    )


def _in_words(why: LeftOut, options: Options) -> str:
    words = {
        "beyond": f"beyond {options.photos_per_name:,} a name",
        "too few": f"of names with fewer than {options.min_photos:,}",
    }
    return words.get(why, why)


def as_text(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: what looks like one gets an apostrophe."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def write_rejections(folder: Path, rejections: Sequence[Rejection]) -> None:
    """Write a line for each record that is not in the gallery into `folder`, replacing an older file."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{REJECTED_FILE}.partial"
    with partial.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("record", "reason"))
        lines.writerows((as_text(rejection.record), rejection.reason) for rejection in rejections)
    os.replace(partial, folder / REJECTED_FILE)
