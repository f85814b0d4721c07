"""From records to what is known of each photo: decoded, judged and cropped in threads, embedded in batches,
written as it goes.

The result depends on the records and their order alone, never on which thread was faster or where an earlier
run stopped: batches begin at the same records every time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from lookalike.building.gate import Reason, judge
from lookalike.building.ledger import Entry, Ledger, digest_of
from lookalike.building.options import Options
from lookalike.building.thumbnails import thumbnail
from lookalike.embedders import Embedder, Model, crop_face
from lookalike.faces import RGB, Detector
from lookalike.sources import Record
from lookalike.splits import person_key

BATCH = 32  # records whose faces are embedded at once; more is no faster on a CPU
AHEAD = 64  # photos decoded ahead of the model: two batches, some tens of megabytes
PART_RECORDS = 2048  # of a part of the ledger: some 14 MB of thumbnails in memory at most
PART_SECONDS = 5.0  # what a power cut costs at most

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as it is remembered: without its photo. `digest` is None where `dropped` says why the photo
    need not be looked at.
    """

    name: str
    origin: str
    category: str | None
    digest: bytes | None
    dropped: str
    age: int | None
    gender: str | None


@dataclass(frozen=True, eq=False)
class _Task:
    """A record in its place; `known` where nothing need be found out about its photo."""

    place: int
    record: Record
    seen: Seen
    known: bool


@dataclass(frozen=True, eq=False)
class _Accepted:
    """A photo that passed the gate, with its crop for the model."""

    crop: RGB
    quality: float
    confidence: float
    photo: bytes | None


_Judged = tuple[_Task, _Accepted | Reason | None]


def collect(
    records: Iterable[Record],
    *,
    ledger: Ledger,
    detector: Detector,
    embedder: Embedder,
    options: Options,
    progress: Callable[[], object],
) -> list[Seen]:
    """Return the records in order, and leave in the ledger what is to be known of their photos.

    Whatever ends this early, what was done by then is in the ledger: a batch at most is done again.
    """
    seen: list[Seen] = []
    writer = _Writer(ledger)
    results = in_order(
        lambda task: (task, _judge(task, detector, embedder.model, options)),
        _tasks(records, ledger, options),
        threads=options.threads,
    )
    batch: list[_Judged] = []
    try:
        for task, verdict in results:
            batch.append((task, verdict))
            progress()
            if (task.place + 1) % BATCH == 0:
                writer.add(_entries(batch, embedder))
                seen.extend(task.seen for task, _ in batch)
                batch = []
        writer.add(_entries(batch, embedder))
        seen.extend(task.seen for task, _ in batch)
    finally:
        results.close()
        writer.close()
    return seen


def _tasks(records: Iterable[Record], ledger: Ledger, options: Options) -> Iterator[_Task]:
    """Yield a task a record; of equal photos only the first is looked at."""
    met: set[bytes] = set()
    for place, record in enumerate(records):
        dropped = _dropped(record, options)
        digest = None if dropped else digest_of(record)
        known = digest is None or digest in met or digest in ledger
        if not known and digest is not None:
            met.add(digest)
        about = (record.name, record.origin, record.category, digest, dropped, record.age, record.gender)
        yield _Task(place, record, Seen(*about), known)


def _dropped(record: Record, options: Options) -> str:
    """Return why a record need not be looked at, nothing where it must be."""
    key = person_key(record.name)
    return "no name" if not key else "excluded" if key in options.excluded else record.fault


def _judge(task: _Task, detector: Detector, model: Model, options: Options) -> _Accepted | Reason | None:
    if task.known:
        return None
    judged = judge(task.record.image, detector, box=task.record.box)
    if isinstance(judged, str):
        return judged
    image, face = judged.image, judged.face
    photo = thumbnail(image, face) if options.thumbnails else None
    return _Accepted(crop_face(model, image, face), judged.quality, face.confidence, photo)


def _entries(batch: list[_Judged], embedder: Embedder) -> list[Entry]:
    """Embed the accepted faces of a batch, and return an entry for each photo that was looked at."""
    accepted = [(task.seen.digest, face) for task, face in batch if isinstance(face, _Accepted)]
    entries = [
        Entry(task.seen.digest, reason)
        for task, reason in batch
        if isinstance(reason, str) and task.seen.digest is not None
    ]
    rows = embedder.embed_crops([face.crop for _, face in accepted])
    for (digest, face), row in zip(accepted, rows, strict=True):
        assert digest is not None
        entries.append(Entry(digest, None, face.quality, face.confidence, row, face.photo))
    return entries


class _Writer:
    """Writes entries to the ledger in a thread of its own, part by part."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pool = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None
        self._waiting: list[Entry] = []
        self._due = 0.0  # the first batch is written at once: a full disk shows before the work

    def add(self, entries: list[Entry]) -> None:
        """Take entries; raise what went wrong with those before."""
        self._waiting += entries
        if self._waiting and (time.monotonic() >= self._due or len(self._waiting) >= PART_RECORDS):
            self._write()

    def close(self) -> None:
        """Write what is left, and wait until it is written."""
        try:
            if self._waiting:
                self._write()
            if self._written:
                self._written.result()
        finally:
            self._pool.shutdown()

    def _write(self) -> None:
        if self._written:
            self._written.result()
        self._written = self._pool.submit(self._ledger.add, self._waiting)
        self._waiting = []
        self._due = time.monotonic() + PART_SECONDS


def in_order(
    function: Callable[[In], Out], items: Iterable[In], *, threads: int
) -> Generator[Out, None, None]:
    """Map in threads, the results in the items' order, at most AHEAD of them waiting.

    Trouble in the items comes after the results of all the items before it.
    """
    waiting: deque[Callable[[], Out]] = deque()
    pool = ThreadPoolExecutor(threads)
    left, trouble = iter(items), None
    try:
        while trouble is None:
            try:
                waiting.append(pool.submit(function, next(left)).result)
            except StopIteration:
                break
            except Exception as error:  # whatever a source raises
                trouble = error
            if len(waiting) >= AHEAD:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()
        if trouble:
            raise trouble
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C need not wait for what is queued
