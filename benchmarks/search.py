"""Search: exact and approximate, from a thousand to ten million rows, beside the memory's own speed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from statistics import median

import numpy as np

from benchmarks.clock import in_turns, timed, times_as_long
from benchmarks.indexes import METHODS, NEAREST, Finder, Method, nearest
from lookalike.gallery.gallery import Gallery
from lookalike.models.embedder import Embeddings, unit_rows

PROBES = 200  # on which recall is counted
NEAR = 0.6  # the share of a probe that is one row of the table: their cosine is about a look-alike's
REFERENCE = "NumPy, float32"
SEED = 0


@dataclass(frozen=True)
class Speed:
    """One way to search one table.

    `seconds` is the median a probe, `times_numpy` how many times as long that is as the plain product of
    float32 in NumPy, `megabytes` what is searched, `recall` the share 0..1 of the five nearest rows that it
    finds, `built` the seconds to build it. `of_bandwidth` is the share of what two threads can read from
    memory that it went through, None for those that do not read everything.
    """

    rows: int
    method: str
    seconds: float
    times_numpy: float
    megabytes: float
    recall: float
    built: float
    of_bandwidth: float | None


def race(sizes: Sequence[int], *, rounds: int) -> tuple[list[Speed], float]:
    """Return every method's speed at every size, and the GB a second that two threads read from memory."""
    everything = rows_like_faces(max(sizes))
    bandwidth = read_bandwidth(everything)
    found: list[Speed] = []
    for size in sizes:
        found += _race_at(everything[:size], rounds=rounds, bandwidth=bandwidth)
    return found, bandwidth


def read_bandwidth(array: Embeddings, *, threads: int = 2, rounds: int = 5) -> float:
    """Return the GB a second that `threads` threads read; `array` must be far larger than the caches."""
    parts = np.array_split(array.reshape(-1), threads)
    with ThreadPoolExecutor(threads) as pool:
        took = in_turns({"read": timed(lambda: list(pool.map(np.max, parts)))}, rounds)["read"]
    return array.nbytes / min(took) / 1e9


def rows_like_faces(count: int, *, seed: int = SEED) -> Embeddings:
    """Return (count, dim) unit rows that lie as the bundled gallery's do: same mean, same covariance."""
    known = Gallery.load().embeddings
    dim = known.shape[1]
    spread = np.linalg.cholesky(np.cov(known.T) + 1e-5 * np.eye(dim)).T.astype(np.float32)
    rng = np.random.default_rng(seed)
    rows = np.empty((count, dim), np.float32)
    for start in range(0, count, 100_000):
        some = rng.standard_normal((min(100_000, count - start), dim), np.float32)
        rows[start : start + len(some)] = unit_rows(some @ spread + known.mean(axis=0))
    return rows


def _race_at(rows: Embeddings, *, rounds: int, bandwidth: float) -> Iterator[Speed]:
    random = np.random.default_rng(SEED)
    hidden = rows[random.integers(0, len(rows), PROBES)]
    probes = unit_rows(NEAR * hidden + (1 - NEAR**2) ** 0.5 * rows_like_faces(PROBES, seed=SEED + 1))
    exact = [set(nearest(rows @ probe)) for probe in probes]
    for method in METHODS:
        if method.takes(len(rows)):
            print(f"{len(rows):,} rows: {method.name}", file=sys.stderr)
            yield _measure(method, rows, probes, exact, rounds=rounds, bandwidth=bandwidth)


def _measure(
    method: Method,
    rows: Embeddings,
    probes: Embeddings,
    exact: Sequence[set[int]],
    *,
    rounds: int,
    bandwidth: float,
) -> Speed:
    finders: list[tuple[Finder, int]] = []
    built = timed(lambda: finders.append(method.build(rows)))()
    find, size = finders[0]
    found = [set(find(probe)) for probe in probes]
    recall = float(np.mean([len(a & b) for a, b in zip(found, exact, strict=True)])) / NEAREST
    turns = cycle(probes)
    contestants = {
        REFERENCE: timed(lambda: nearest(rows @ next(turns))),
        method.name: timed(lambda: find(next(turns))),
    }
    took = in_turns(contestants, rounds)
    seconds = median(took[method.name])
    return Speed(
        len(rows),
        method.name,
        seconds,
        times_as_long(took[method.name], took[REFERENCE]),
        size / 1e6,
        recall,
        built,
        size / seconds / 1e9 / bandwidth if method.reads_all else None,
    )
