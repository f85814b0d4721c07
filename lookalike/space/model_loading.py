"""Other models of a gallery, each loaded in a background thread when somebody first asks for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from lookalike.errors import LookalikeError, UnknownModelError
from lookalike.finder import Lookalikes

log = logging.getLogger(__name__)

WAIT_SECONDS = 3.0  # that a request waits after loading began: enough for a small model on the disk
RETRY_SECONDS = 300.0  # after a failure: the weights of a large model are half a gigabyte


class ModelLoader:
    """Loads the finder of each model once, one at a time. Safe to use from several threads.

    `load` returns the finder of a model; `default` is the model that an error suggests instead. Loading may
    download weights for minutes, so a request waits `wait` seconds at most. After a failure the model is
    refused for `retry` seconds by `clock`.
    """

    def __init__(
        self,
        load: Callable[[str], Lookalikes],
        *,
        default: str,
        wait: float = WAIT_SECONDS,
        retry: float = RETRY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load, self._default, self._wait, self._retry, self._clock = load, default, wait, retry, clock
        self._jobs: dict[str, _Job] = {}
        self._lock, self._one_at_a_time = threading.Lock(), threading.Lock()

    def start(self, model: str) -> _Job:
        """Begin to load a model in the background, unless that was done before."""
        with self._lock:
            job = self._jobs.get(model)
            if job is None or (job.failed is not None and self._clock() - job.failed >= self._retry):
                job = self._jobs[model] = _Job(time.monotonic() + self._wait)
                work = threading.Thread(
                    target=self._run, args=(model, job), name=f"load-{model}", daemon=True
                )
                work.start()
        return job

    def get(self, model: str) -> Lookalikes:
        """Return the finder; raise UnknownModelError while it is being loaded, or if it could not be."""
        job = self.start(model)
        job.done.wait(max(0.0, job.deadline - time.monotonic()))
        if job.finder is not None:
            return job.finder
        if job.failed is None:
            raise UnknownModelError(
                f"The model {model} is being loaded; try again in a minute, or choose {self._default}."
            )
        raise UnknownModelError(f"The model {model} could not be loaded; choose {self._default}.")

    def _run(self, model: str, job: _Job) -> None:
        try:
            with self._one_at_a_time:
                finder = self._load(model)
                finder.warm_up()
            job.finder = finder
        except (LookalikeError, OSError, MemoryError) as error:  # only for the log: it may name folders
            log.warning("the model %s could not be loaded: %s", model, error)
        except Exception:
            log.exception("the model %s could not be loaded", model)
        finally:
            if job.finder is None:
                job.failed = self._clock()
            job.done.set()


class _Job:
    """One attempt to load a model: its finder or the time of its failure, and how long requests wait."""

    def __init__(self, deadline: float) -> None:
        self.done = threading.Event()
        self.deadline = deadline
        self.finder: Lookalikes | None = None
        self.failed: float | None = None
