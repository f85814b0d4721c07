"""The same stages on a Ray cluster: readers, judges and a pool of embedders, as operators of Ray Data.

Readers take a source's parts, one each; judges and embedders take what comes in blocks of some megabytes, on
whichever machine has a core free. What they find out comes back to the machine of the command, which alone
writes the ledger: no disk need be shared, and a build that stops goes on with either engine. A worker or a
machine that dies costs its blocks, which Ray has done again elsewhere.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.building.bookkeeping import Gathering, Seen
from lookalike.building.interruption import GO_ON
from lookalike.building.ledger import Entry, Ledger
from lookalike.building.options import Options
from lookalike.building.ray_stages import (
    END,
    KNOWN,
    Embed,
    Row,
    entry_of,
    judge_photos,
    read_part,
    seen_of,
)
from lookalike.building.writing import Writer
from lookalike.errors import EngineError, LookalikeError, MissingExtraError
from lookalike.faces.face import Detector
from lookalike.models.embedder import Embedder, Model
from lookalike.sources.opening import Source

BATCH = 32  # photos judged or embedded in one call
BLOCK_BYTES = 4_000_000  # some hundred photos: what a dead worker costs, and blocks enough for every core
READER_CORES = 0.25  # a reader mostly waits for a disk or the network
JUDGE_CORES = 0.75  # with reader and embedder two cores; not an embedder's, or Ray joins the two stages
PASSED_ON = ("DEEPFACE_BACKEND_ENGINE", "HF_ENDPOINT", "HF_HUB_DISABLE_XET")  # a token is each machine's own
PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class RayEngine:
    """Collects on Ray. `make_detector` and `make_embedder` are called in every worker; `address` is a
    cluster's, None for one on this machine; `gpus` is how many, or what share of one, each embedder holds.
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
    ) -> list[Seen]:
        """Return the records in order, and leave in the ledger what is to be known of their photos.

        Raises MissingExtraError without Ray, EngineError where the cluster cannot be reached or gives up, and
        what the source raises; what was done by then is in the ledger.
        """
        gathering = Gathering(source)
        for _ in range(gathering.recall(lambda key: ledger.finished(key, options))):
            progress()
        to_read = [part for part in range(len(source.parts)) if gathering.length(part) is None]
        if not to_read:  # all of it is known, and no cluster is needed
            return gathering.records()
        with _connected(self.address):
            writer = Writer(ledger)
            try:
                for rows in self._found(source, to_read, ledger, embedder.model, options):
                    writer.add(_take(rows, gathering, ledger, progress), gathering.finished())
                writer.add([], gathering.finished())
            finally:
                writer.close()
        return gathering.records()

    def _found(
        self,
        source: Source,
        to_read: list[int],
        ledger: Ledger,
        model: Model,
        options: Options,
    ) -> Iterator[list[Row]]:
        """Yield rows like EMBEDDED of these parts' records, some at a time as they come."""
        import ray

        _settle()
        reading = {"known": ray.put(ledger.digests), "options": options, "limit": source.limit}
        judging = {
            "make_detector": self.make_detector,
            "model": model,
            "thumbnails": options.thumbnails,
        }
        readers = [
            {"part": part, "reader": ray.cloudpickle.dumps(source.parts[part].records)} for part in to_read
        ]
        records = ray.data.from_items(readers, override_num_blocks=len(readers)).flat_map(
            read_part, fn_kwargs=reading, num_cpus=READER_CORES
        )
        judged = records.map_batches(
            judge_photos,
            batch_size=BATCH,
            batch_format="pyarrow",
            fn_kwargs=judging,
            num_cpus=JUDGE_CORES,
        )
        embedded = judged.map_batches(
            Embed,
            batch_size=BATCH,
            batch_format="pyarrow",
            fn_constructor_kwargs={"make_embedder": self.make_embedder},
            concurrency=(1, self._most()),
            num_gpus=self.gpus or None,
        )
        for table in embedded.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield table.to_pylist()

    def _most(self) -> int:
        """Return how many embedders there may be: a heavy model takes nearly every core, a light one few."""
        import ray

        there = ray.cluster_resources()
        share = there.get("GPU", 0) / self.gpus if self.gpus else there.get("CPU", 1) - 1
        return max(1, int(share))


def _take(
    rows: list[Row], gathering: Gathering, ledger: Ledger, progress: Callable[[], object]
) -> list[Entry]:
    """Put records in their places; return the entries of photos that were looked at."""
    entries = []
    for row in rows:
        if row["state"] == END:
            gathering.end(row["part"], row["row"])
            continue
        gathering.add(row["part"], row["row"], seen_of(row))
        progress()
        if row["state"] != KNOWN and row["digest"] not in ledger:  # two parts may hold one photo
            entries.append(entry_of(row))
    return entries


@contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """Join a cluster, or start one here, for as long as the block runs; a cluster that was joined before
    stays. What Ray raises becomes an error of ours.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(
            "The engine 'ray' needs Ray: pip install -r requirements-ray.txt; "
            "or leave --engine out, and every core of this machine is used."
        ) from error
    joined = ray.is_initialized()
    try:
        if not joined:
            _join(address)
        yield
    except ray.exceptions.RayError as error:
        raise _ours(error) or EngineError(f"Ray gave up ({_reason(error)}). {GO_ON}") from error
    finally:
        if not joined:
            ray.shutdown()


def _join(address: str | None) -> None:
    """Start a cluster, or join one that has this project's requirements; its workers get the project."""
    import ray

    cores = None if address else max(2, os.cpu_count() or 1)  # an embedder holds one, the others need one too
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
    except Exception as error:  # ConnectionError, or a bare Exception where a machine is too busy to start
        raise EngineError(
            f"Ray could not be reached at {address or 'this machine'} ({_reason(error)}); give --ray-address "
            "what `ray start --head` printed, or leave --engine out."
        ) from error


def _settle() -> None:
    import ray

    context = ray.data.DataContext.get_current()
    context.target_max_block_size = BLOCK_BYTES
    context.enable_progress_bars = False  # the command has its own
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # it would write between them


def _ours(error: BaseException) -> LookalikeError | None:
    """Return the error of ours that a worker raised, None where it was something else.

    Ray hands it over inside errors of its own, which claim to be of the same class, and adds lines to its
    sentence.
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
