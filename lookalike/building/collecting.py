"""From records to what is known of each photo: decoded, judged and cropped in threads, embedded in batches,
written as it goes, all at the same time.

The result depends on the records and their order alone, never on which thread was faster or where an earlier
run stopped: batches begin at the same records every time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from lookalike.building.bookkeeping import Gathering, Seen, why_dropped
from lookalike.building.gate import Reason
from lookalike.building.ledger import Entry, Ledger
from lookalike.building.options import Options
from lookalike.building.processing import Accepted, embed, look
from lookalike.building.writing import Writer
from lookalike.faces.face import Detector
from lookalike.models.embedder import Embedder
from lookalike.sources.opening import Record, Source
from lookalike.sources.records import digest_of

BATCH = 32  # records whose faces are embedded at once; more is no faster on a CPU
AHEAD = 64  # photos decoded ahead of the model: two batches, some tens of megabytes
SPARE_BATCHES = 2  # beside those in the model: one waiting, one being written

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, eq=False)
class _Task:
    """A record in its place among all, and its row in its part; `known` where its photo need not be looked
    at.
    """

    place: int
    part: int
    row: int
    record: Record
    seen: Seen
    known: bool


_Looked = tuple[_Task, Accepted | Reason | None]


def collect(
    source: Source,
    *,
    ledger: Ledger,
    detector: Detector,
    embedder: Embedder,
    options: Options,
    progress: Callable[[], object],
) -> list[Seen]:
    """Return the records in order, and leave in the ledger what is to be known of their photos.

    Whatever ends this early, what was done by then is in the ledger: some batches at most are done again.
    """
    gathering, writer = Gathering(source), Writer(ledger)
    for _ in range(gathering.recall(lambda key: ledger.finished(key, options))):
        progress()

    def looked_at(task: _Task) -> _Looked:
        found = (
            None if task.known else look(task.record, detector, embedder.model, thumbnails=options.thumbnails)
        )
        return task, found

    def embedded(batch: list[_Looked]) -> tuple[list[_Looked], list[Entry]]:
        return batch, embed([(task.seen.digest or b"", found) for task, found in batch if found], embedder)

    tasks = _tasks(source, gathering, ledger, options)
    looks = in_order(looked_at, tasks, threads=options.threads, ahead=AHEAD)
    ahead = options.threads + SPARE_BATCHES
    batches = in_order(embedded, _batches(looks), threads=options.threads, ahead=ahead)
    try:
        for batch, entries in batches:
            for task, _ in batch:
                gathering.add(task.part, task.row, task.seen)
                progress()
            writer.add(entries, gathering.finished())
        writer.add([], gathering.finished())
    finally:
        batches.close()
        looks.close()
        writer.close()
    return gathering.records()


def _batches(looks: Iterable[_Looked]) -> Iterator[list[_Looked]]:
    """Yield the records of each BATCH places; an end that trouble in the source cuts short is left out."""
    batch: list[_Looked] = []
    for looked in looks:
        place = looked[0].place
        if batch and batch[0][0].place // BATCH != place // BATCH:  # a part in between was recalled
            yield batch
            batch = []
        batch.append(looked)
        if (place + 1) % BATCH == 0:
            yield batch
            batch = []
    yield batch


def _tasks(source: Source, gathering: Gathering, ledger: Ledger, options: Options) -> Iterator[_Task]:
    """Yield a task a record, but none for parts that were read to their end before; of equal photos only the
    first is looked at.
    """
    met: set[bytes] = set()
    place = 0
    for number, part in enumerate(source.parts):
        length = gathering.length(number)
        if length is not None:  # it was recalled
            place += length
            continue
        row = 0
        for row, record in enumerate(part.records(), start=1):
            if source.limit is not None and place >= source.limit:
                return
            digest = None if why_dropped(record, options) else digest_of(record)
            known = digest is None or digest in met or digest in ledger
            met.add(digest or b"")
            yield _Task(place, number, row - 1, record, Seen.of(record, digest), known)
            place += 1
        gathering.end(number, row)


def in_order(
    function: Callable[[In], Out], items: Iterable[In], *, threads: int, ahead: int
) -> Generator[Out, None, None]:
    """Map in threads, the results in the items' order, at most `ahead` of them waiting.

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
            if len(waiting) >= ahead:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()
        if trouble:
            raise trouble
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C need not wait for what is queued
