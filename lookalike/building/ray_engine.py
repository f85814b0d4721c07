"""Collect what a gallery needs on a Ray cluster, with the stages of the local engine as Ray Data operators.

Each reader takes one part of the source. Checking and embedding take blocks of some megabytes, on any machine
with a free core. The results return to the machine of the command, which alone writes the ledger: the
machines need no shared disk, and either engine can resume the other's build. When a worker or a machine dies,
Ray repeats its blocks elsewhere.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.building.interruption import HOW_TO_RESUME
from lookalike.building.ledger import Entry, Ledger, LedgerWriter
from lookalike.building.options import Options
from lookalike.building.processing import BATCH
from lookalike.building.ray_stages import (
    END,
    KNOWN,
    Embed,
    Row,
    check_photos,
    entry_of,
    info_of,
    read_part,
)
from lookalike.building.record_log import RecordInfo, RecordLog
from lookalike.errors import EngineError, LookalikeError, MissingExtraError
from lookalike.faces.face import Detector
from lookalike.models.embedder import Embedder, Model
from lookalike.sources.opening import Source

BLOCK_BYTES = 4_000_000  # some hundred photos: little to repeat when a worker dies, and blocks for every core
READER_CORES = 0.25  # a reader mostly waits for a disk or the network
CHECK_CORES = 0.75  # two cores with reader and embedder; with an embedder's 1, Ray would fuse the two stages
PASSED_ON = ("DEEPFACE_BACKEND_ENGINE", "HF_ENDPOINT", "HF_HUB_DISABLE_XET")  # each machine has its own token
PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class RayEngine:
    """Collects on Ray. `make_detector` and `make_embedder` are called in every worker.

    `address` is that of a cluster, None to start one on this machine. `gpus` is the number of GPUs, or the
    fraction of one, that each embedder reserves.
    """

    make_detector: Callable[[], Detector]
    make_embedder: Callable[[], Embedder]
    address: str | None = None
    gpus: float = 0.0

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
        """Return the records in order, with an entry in the ledger for each photo that was not skipped.

        Raises MissingExtraError without Ray, EngineError where the cluster cannot be reached or fails, and
        what the source raises; finished work is then in the ledger.
        """
        log = RecordLog(source)
        for _ in range(log.restore(lambda key: ledger.finished(key, options))):
            progress()
        to_read = [part for part in range(len(source.parts)) if log.length(part) is None]
        if not to_read:  # everything is known, and no cluster is needed
            return log.records()
        with _connected(self.address):
            writer = LedgerWriter(ledger)
            try:
                for rows in self._process(source, to_read, ledger, embedder.model, options):
                    writer.add(_add_rows(rows, log, ledger, progress), log.newly_complete())
                writer.add([], log.newly_complete())
            finally:
                writer.close()
        return log.records()

    def _process(
        self,
        source: Source,
        to_read: list[int],
        ledger: Ledger,
        model: Model,
        options: Options,
    ) -> Iterator[list[Row]]:
        """Yield lists of rows with the schema EMBEDDED for the records of these parts, in any order."""
        import ray

        _configure()
        reading = {"known": ray.put(ledger.digests), "options": options, "limit": source.limit}
        checking = {"make_detector": self.make_detector, "model": model, "thumbnails": options.thumbnails}
        readers = [
            {"part": part, "reader": ray.cloudpickle.dumps(source.parts[part].records)} for part in to_read
        ]
        records = ray.data.from_items(readers, override_num_blocks=len(readers)).flat_map(
            read_part, fn_kwargs=reading, num_cpus=READER_CORES
        )
        checked = records.map_batches(
            check_photos,
            batch_size=BATCH,
            batch_format="pyarrow",
            fn_kwargs=checking,
            num_cpus=CHECK_CORES,
        )
        embedded = checked.map_batches(
            Embed,
            batch_size=BATCH,
            batch_format="pyarrow",
            fn_constructor_kwargs={"make_embedder": self.make_embedder},
            concurrency=(1, self._max_embedders()),
            num_gpus=self.gpus or None,
        )
        for table in embedded.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield table.to_pylist()

    def _max_embedders(self) -> int:
        """Return the largest useful pool; Ray starts fewer embedders where the model is fast."""
        import ray

        resources = ray.cluster_resources()
        count = resources.get("GPU", 0) / self.gpus if self.gpus else resources.get("CPU", 1) - 1
        return max(1, int(count))


def _add_rows(rows: list[Row], log: RecordLog, ledger: Ledger, progress: Callable[[], object]) -> list[Entry]:
    """Add the records of these rows to the log; return the entries of photos that the ledger lacks."""
    entries = []
    for row in rows:
        if row["state"] == END:
            log.set_length(row["part"], row["row"])
            continue
        log.add(row["part"], row["row"], info_of(row))
        progress()
        if row["state"] != KNOWN and row["digest"] not in ledger:  # two parts may have the same photo
            entries.append(entry_of(row))
    return entries


@contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """Connect to a cluster, or start one here, while the block runs; keep a connection that existed before.

    Ray's errors become LookalikeErrors.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report its use to its makers
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(
            "The engine 'ray' needs Ray: pip install -r requirements-ray.txt; "
            "or leave --engine out, and every core of this machine is used."
        ) from error
    connected = ray.is_initialized()
    try:
        if not connected:
            _connect(address)
        yield
    except ray.exceptions.RayError as error:
        raise _original(error) or EngineError(f"Ray failed ({_reason(error)}). {HOW_TO_RESUME}") from error
    finally:
        if not connected:
            ray.shutdown()


def _connect(address: str | None) -> None:
    """Start a cluster, or connect to one that has this project's requirements and send it the project."""
    import ray

    cores = None if address else max(2, os.cpu_count() or 1)  # one for an embedder, one for the other stages
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    project = {"py_modules": [str(PACKAGE)], "env_vars": passed_on} if address else None
    try:
        ray.init(
            address=address or "local",
            num_cpus=cores,
            runtime_env=project,
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level="error",
        )
    except Exception as error:  # ConnectionError, or a bare Exception if the machine is too busy
        raise EngineError(
            f"Ray could not be reached at {address or 'this machine'} ({_reason(error)}); give --ray-address "
            "what `ray start --head` printed, or leave --engine out."
        ) from error


def _configure() -> None:
    import ray

    context = ray.data.DataContext.get_current()
    context.target_max_block_size = BLOCK_BYTES
    context.enable_progress_bars = False  # the command has its own
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # lower levels would break the command's bar


def _original(error: BaseException) -> LookalikeError | None:
    """Return the LookalikeError that a worker raised, None where it was another error.

    Ray wraps it in errors of its own, which pretend to be of the same class, and adds lines to its message.
    """
    import ray

    causes: list[Any] = [error]
    while causes:
        cause = causes.pop()
        if isinstance(cause, LookalikeError) and not isinstance(cause, ray.exceptions.RayError):
            return type(cause)(str(cause).splitlines()[0])
        causes += [
            below
            for below in (getattr(cause, "cause", None), cause.__cause__)
            if isinstance(below, Exception)
        ]
    return None


def _reason(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
