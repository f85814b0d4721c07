"""The progress of a build: counted, and written once a second for the page that waits for the gallery."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lookalike.building.processing import BATCH
from lookalike.gallery.work_folder import Progress, write_progress

SECONDS = 1.0  # between writes
SAMPLES = 30  # the speed is that of the last half minute: photos from earlier builds pass at once


class ProgressLog:
    """Counts the records of a build into `output` and writes how far it is, `total` being all of them."""

    def __init__(
        self, output: Path, total: int | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._output, self._total, self._clock = output, total, clock
        self._records, self._due = 0, clock() + SECONDS
        self._samples: deque[tuple[float, int]] = deque(maxlen=SAMPLES)

    def update(self) -> None:
        """Count a record. Records arrive by the batch, so only whole batches are written."""
        self._records += 1
        now = self._clock()
        if self._records % BATCH == 0 and now >= self._due:
            self._due = now + SECONDS
            self._samples.append((now, self._records))
            self._write(Progress(self._records, self._total, self._seconds_left()))

    def finish(self, *, complete: bool) -> None:
        """Note that the gallery is written, and whether it has the whole source."""
        self._write(Progress(self._records, self._total, 0.0, complete))

    def _seconds_left(self) -> float | None:
        (then, before), (now, records) = self._samples[0], self._samples[-1]
        if self._total is None or records == before:
            return None
        return round((now - then) * (self._total - records) / (records - before), 1)

    def _write(self, progress: Progress) -> None:
        with suppress(OSError):  # a full disk ends the build with a sentence of its own
            write_progress(self._output, progress)
