"""The gallery's exact search over growing tables, compared with memory bandwidth."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle
from statistics import median

import numpy as np

from benchmarks.clock import run_alternating, timed
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.models.embedder import Embeddings, unit_rows

PROBES = 200
SEED = 0


@dataclass(frozen=True)
class SearchSpeed:
    """Search in one table.

    `search` is the median seconds that `Gallery.search` takes for a probe, `product` those of the plain
    matrix product in NumPy. `megabytes` is the size of the embeddings and `built` the seconds to build the
    gallery. `of_bandwidth` is the rate at which a search reads the rows, as a share of what two threads can
    read from memory; tables that fit into the processor's caches reach more than 1.
    """

    rows: int
    search: float
    product: float
    megabytes: float
    built: float
    of_bandwidth: float


def measure_search(sizes: Sequence[int], *, rounds: int) -> tuple[list[SearchSpeed], float]:
    """Return the search speed for each number of rows, and the GB/s that two threads read from memory."""
    rows = random_rows(max(sizes))
    bandwidth = read_bandwidth(rows)
    return [_measure(rows[:size], rounds=rounds, bandwidth=bandwidth) for size in sizes], bandwidth


def read_bandwidth(array: Embeddings, *, threads: int = 2, rounds: int = 5) -> float:
    """Return the GB/s that `threads` threads read; `array` must be far larger than the caches."""
    parts = np.array_split(array.reshape(-1), threads)
    with ThreadPoolExecutor(threads) as pool:
        seconds = run_alternating({"read": timed(lambda: list(pool.map(np.max, parts)))}, rounds)["read"]
    return array.nbytes / min(seconds) / 1e9


def random_rows(count: int, *, seed: int = SEED) -> Embeddings:
    """Return (count, dim) float32 unit rows with the mean and covariance of the bundled gallery's rows."""
    known = Gallery.load().embeddings
    dim = known.shape[1]
    spread = np.linalg.cholesky(np.cov(known.T) + 1e-5 * np.eye(dim)).T.astype(np.float32)
    rng = np.random.default_rng(seed)
    rows = np.empty((count, dim), np.float32)
    for start in range(0, count, 100_000):
        some = rng.standard_normal((min(100_000, count - start), dim), np.float32)
        rows[start : start + len(some)] = unit_rows(some @ spread + known.mean(axis=0))
    return rows


def _measure(rows: Embeddings, *, rounds: int, bandwidth: float) -> SearchSpeed:
    print(f"{len(rows):,} rows", file=sys.stderr)
    galleries: list[Gallery] = []
    built = timed(lambda: galleries.append(_gallery_of(rows)))()
    probes = cycle(random_rows(PROBES, seed=SEED + 1))
    actions: dict[str, Callable[[], float]] = {
        "search": timed(lambda: galleries[0].search(next(probes))),
        "product": timed(lambda: rows @ next(probes)),
    }
    seconds = {name: median(each) for name, each in run_alternating(actions, rounds).items()}
    rate = rows.nbytes / seconds["search"] / 1e9
    return SearchSpeed(
        len(rows), seconds["search"], seconds["product"], rows.nbytes / 1e6, built, rate / bandwidth
    )


def _gallery_of(rows: Embeddings) -> Gallery:
    settings = replace(Gallery.load().settings, source="random rows")
    return Gallery.of([Row(f"{place:09d}", row) for place, row in enumerate(rows)], settings)
