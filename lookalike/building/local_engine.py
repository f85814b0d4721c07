"""Collect what a gallery needs, on this machine: threads decode, check and crop photos, others embed batches
of faces, and one writes the ledger, all at the same time.

The result depends only on the records and their order, not on the timing of threads or on where an earlier
build stopped: batches begin at the same records every time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from lookalike.building.gate import Reason
from lookalike.building.ledger import Entry, Ledger, LedgerWriter
from lookalike.building.options import Options
from lookalike.building.processing import BATCH, CroppedFace, embed, process
from lookalike.building.record_log import RecordInfo, RecordLog, skip_reason
from lookalike.faces.face import Detector
from lookalike.models.embedder import Embedder
from lookalike.sources.opening import Record, Source
from lookalike.sources.records import digest_of

AHEAD = 64  # photos decoded ahead of the model: two batches, some tens of megabytes
SPARE_BATCHES = 2  # besides those in the model: one waiting, one being written

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, eq=False)
class _Task:
    """A record with its place among all records, and its row in its part; `known` where its photo need not
    be processed.
    """

    place: int
    part: int
    row: int
    record: Record
    info: RecordInfo
    known: bool


_Processed = tuple[_Task, CroppedFace | Reason | None]


def collect(
    source: Source,
    *,
    ledger: Ledger,
    detector: Detector,
    embedder: Embedder,
    options: Options,
    progress: Callable[[], object],
) -> list[RecordInfo]:
    """Return the records in order, with an entry in the ledger for each photo that was not skipped.

    However this ends, finished work is in the ledger: the next build repeats at most a few batches.
    """
    log, writer = RecordLog(source), LedgerWriter(ledger)
    for _ in range(log.restore(lambda key: ledger.finished(key, options))):
        progress()

    def process_task(task: _Task) -> _Processed:
        if task.known:
            return task, None
        return task, process(task.record, detector, embedder.model, thumbnails=options.thumbnails)

    def embed_batch(batch: list[_Processed]) -> tuple[list[_Processed], list[Entry]]:
        return batch, embed([(task.info.digest or b"", face) for task, face in batch if face], embedder)

    threads, tasks = options.threads, _tasks(source, log, ledger, options)
    processed = in_order(process_task, tasks, threads=threads, ahead=AHEAD)
    batches = in_order(embed_batch, _batches(processed), threads=threads, ahead=threads + SPARE_BATCHES)
    try:
        for batch, entries in batches:
            for task, _ in batch:
                log.add(task.part, task.row, task.info)
                progress()
            writer.add(entries, log.newly_complete())
        writer.add([], log.newly_complete())
    finally:
        batches.close()
        processed.close()
        writer.close()
    return log.records()


def _batches(processed: Iterable[_Processed]) -> Iterator[list[_Processed]]:
    """Yield the records of each BATCH places; the last, incomplete batch only if the source did not fail."""
    batch: list[_Processed] = []
    for item in processed:
        place = item[0].place
        if batch and batch[0][0].place // BATCH != place // BATCH:  # the part in between was restored
            yield batch
            batch = []
        batch.append(item)
        if (place + 1) % BATCH == 0:
            yield batch
            batch = []
    yield batch


def _tasks(source: Source, log: RecordLog, ledger: Ledger, options: Options) -> Iterator[_Task]:
    """Yield a task for each record of the parts that were not restored; of equal photos only the first is
    processed.
    """
    met: set[bytes] = set()
    place = 0
    for number, part in enumerate(source.parts):
        length = log.length(number)
        if length is not None:
            place += length
            continue
        row = 0
        for row, record in enumerate(part.records(), start=1):
            if source.limit is not None and place >= source.limit:
                return
            digest = None if skip_reason(record, options) else digest_of(record)
            known = digest is None or digest in met or digest in ledger
            met.add(digest or b"")
            yield _Task(place, number, row - 1, record, RecordInfo.of(record, digest), known)
            place += 1
        log.set_length(number, row)


def in_order(
    function: Callable[[In], Out], items: Iterable[In], *, threads: int, ahead: int
) -> Generator[Out, None, None]:
    """Map `function` over `items` in threads and yield the results in order, at most `ahead` of them waiting.

    An error that `items` raises arrives after the results of all earlier items.
    """
    waiting: deque[Callable[[], Out]] = deque()
    pool = ThreadPoolExecutor(threads)
    left, error_of_items = iter(items), None
    try:
        while error_of_items is None:
            try:
                waiting.append(pool.submit(function, next(left)).result)
            except StopIteration:
                break
            except Exception as error:  # whatever a source raises
                error_of_items = error
            if len(waiting) >= ahead:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()
        if error_of_items:
            raise error_of_items
    finally:
        pool.shutdown(cancel_futures=True)  # so that Ctrl-C does not wait for the queue
