"""The ledger's writer: a thread of its own, so that models need not wait for the disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from lookalike.building.bookkeeping import Seen
from lookalike.building.ledger import Entry, Ledger

PART_RECORDS = 2048  # of a part of the ledger: some 14 MB of thumbnails in memory at most
PART_SECONDS = 5.0  # what a power cut costs at most

Finished = tuple[str, list[Seen]]  # a part of a source: its key, its records


class Writer:
    """Writes entries to the ledger, part by part, and then which parts of the source are finished by them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pool = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None
        self._waiting: list[Entry] = []
        self._finished: list[Finished] = []
        self._due = 0.0  # the first batch is written at once: a full disk shows before the work

    def add(self, entries: Sequence[Entry], finished: Sequence[Finished]) -> None:
        """Take entries, and what is finished by them and those before; raise what went wrong before."""
        self._waiting += entries
        self._finished += finished
        due = time.monotonic() >= self._due or len(self._waiting) >= PART_RECORDS
        if due and (self._waiting or self._finished):
            self._write()

    def close(self) -> None:
        """Write what is left, and wait until it is written."""
        try:
            if self._waiting or self._finished:
                self._write()
            if self._written:
                self._written.result()
        finally:
            self._pool.shutdown()

    def _write(self) -> None:
        if self._written:
            self._written.result()
        self._written = self._pool.submit(_write, self._ledger, self._waiting, self._finished)
        self._waiting, self._finished = [], []
        self._due = time.monotonic() + PART_SECONDS


def _write(ledger: Ledger, entries: Sequence[Entry], finished: Sequence[Finished]) -> None:
    if entries:
        ledger.add(entries)
    for key, records in finished:
        ledger.finish(key, records)
