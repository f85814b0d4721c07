"""Search in tables so large that reading every row takes too long: a graph of near neighbours.

Malkov & Yashunin 2018 (https://arxiv.org/abs/1603.09320), as usearch has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lookalike.embedders import Embeddings

EXACT_ROWS = 1_000_000  # up to here exact search is as fast, see lookalike/evaluation/SPEED.md
LINKS = 16  # a row has to others
WIDTH = 128  # candidates for these links while the graph is built
EFFORT = 1024  # candidates while it is searched: 0.99 of the five nearest are then found
BATCH = 10_000  # rows added at once


class Graph:
    """A graph over (n, dim) unit rows, which it holds in float16; n a million takes minutes to build."""

    def __init__(self, rows: Embeddings, *, threads: int = 1) -> None:
        from usearch.index import Index  # only after onnxruntime: the other way round the process dies

        self._index = Index(
            ndim=rows.shape[1],
            metric="ip",
            dtype="f16",
            connectivity=LINKS,
            expansion_add=WIDTH,
            expansion_search=EFFORT,
        )
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            self._index.add(np.arange(start, start + len(some)), some, threads=threads)

    def near(self, probe: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """Return about the `count` rows that are nearest to `probe` (dim,), in any order."""
        return self._index.search(probe, count).keys.astype(np.int64)
