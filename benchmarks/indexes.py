"""The ways to search a table of embeddings: NumPy, faiss and usearch, exact and approximate."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.gallery.settings import Settings
from lookalike.models.embedder import Embeddings

NEAREST = 5  # what the page shows, and what recall counts
THREADS = 2  # a free Space's cores
GRAPH_ROWS = 100_000  # on two cores a graph over a million rows takes minutes to build: only one of them
LINKS, WIDTH = 16, 128  # of a graph: neighbours a row has, and candidates for them while it is built
EFFORT = 3072  # candidates while a graph is searched
ROW_ROWS = 1_000_000  # more rows are not made into a gallery's own objects
LISTS, OPENED = 1024, 256  # of an inverted file: its lists, and how many of them a search opens
TRAINED_ON = 50_000  # rows from which faiss learns lists and ranges

Ids = Sequence[int]
Finder = Callable[[NDArray[np.float32]], Ids]  # (dim,) -> the NEAREST rows, in any order


@dataclass(frozen=True)
class Method:
    """A way to search: `build` makes a finder of (n, dim) rows, and says how many bytes it goes through."""

    name: str
    build: Callable[[Embeddings], tuple[Finder, int]]
    least: int = 0  # rows; with fewer or more than `most` it is not asked
    most: int = 10_000_000
    reads_all: bool = True
    package: str = "numpy"

    def takes(self, rows: int) -> bool:
        """Say whether it is asked to search so many rows, and its package is installed."""
        return self.least <= rows <= self.most and importlib.util.find_spec(self.package) is not None


def nearest(cosines: NDArray[Any]) -> Ids:
    """Return the NEAREST places with the largest of (n,) cosines, in any order."""
    places: Ids = np.argpartition(-cosines, NEAREST)[:NEAREST].tolist()
    return places


def _gallery(rows: Embeddings) -> tuple[Finder, int]:
    settings = Settings("", "", "", rows.shape[1], "", "", "", "", "", "")
    gallery = Gallery.of([Row(f"{place:09d}", row) for place, row in enumerate(rows)], settings)
    return lambda probe: [hit.row for hit in gallery.search(probe, count=NEAREST)], rows.nbytes


def _numpy(rows: Embeddings) -> tuple[Finder, int]:
    return lambda probe: nearest(rows @ probe), rows.nbytes


def _numpy_half(rows: Embeddings) -> tuple[Finder, int]:
    half = rows.astype(np.float16)
    return lambda probe: nearest(half @ probe.astype(np.float16)), half.nbytes


def _faiss(
    factory: str, setting: tuple[str, int] | None = None
) -> Callable[[Embeddings], tuple[Finder, int]]:
    def build(rows: Embeddings) -> tuple[Finder, int]:
        import faiss

        faiss.omp_set_num_threads(THREADS)
        index = faiss.index_factory(rows.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        index.train(rows[:TRAINED_ON])
        index.add(rows)
        if setting:
            faiss.ParameterSpace().set_index_parameter(index, *setting)
        size = (
            faiss.serialize_index(index).nbytes if len(rows) <= ROW_ROWS else index.sa_code_size() * len(rows)
        )
        return lambda probe: index.search(probe[None], NEAREST)[1][0].tolist(), size

    return build


def _usearch_exact(dtype: type) -> Callable[[Embeddings], tuple[Finder, int]]:
    def build(rows: Embeddings) -> tuple[Finder, int]:
        from usearch.index import MetricKind, search

        stored = _as(rows, dtype)

        def find(probe: NDArray[np.float32]) -> Ids:
            found = search(stored, _as(probe, dtype), NEAREST, MetricKind.IP, exact=True, threads=THREADS)
            keys: Ids = found.keys.tolist()
            return keys

        return find, stored.nbytes

    return build


def _usearch_graph(dtype: str) -> Callable[[Embeddings], tuple[Finder, int]]:
    def build(rows: Embeddings) -> tuple[Finder, int]:
        from usearch.index import Index

        index = Index(
            ndim=rows.shape[1],
            metric="ip",
            dtype=dtype,
            connectivity=LINKS,
            expansion_add=WIDTH,
            expansion_search=EFFORT,
        )
        index.add(np.arange(len(rows)), rows, threads=THREADS)
        return lambda probe: index.search(probe, NEAREST).keys.tolist(), index.memory_usage

    return build


def _as(rows: NDArray[np.float32], dtype: type) -> NDArray[Any]:
    """Return rows of unit length in another type; in int8 127 stands for 1."""
    return np.rint(rows * 127).astype(np.int8) if dtype is np.int8 else rows.astype(dtype)


METHODS = (
    Method("the gallery: NumPy, float32, and names", _gallery, most=ROW_ROWS),
    Method("NumPy, float32", _numpy),
    Method("NumPy, float16", _numpy_half, most=GRAPH_ROWS),  # has no fast product: ten times as slow
    Method("faiss, exact, float32", _faiss("Flat"), most=ROW_ROWS, package="faiss"),
    Method("faiss, exact, float16", _faiss("SQfp16"), package="faiss"),
    Method("faiss, exact, int8", _faiss("SQ8"), package="faiss"),
    Method("usearch, exact, float32", _usearch_exact(np.float32), most=ROW_ROWS, package="usearch"),
    Method("usearch, exact, float16", _usearch_exact(np.float16), most=ROW_ROWS, package="usearch"),
    Method("usearch, exact, int8", _usearch_exact(np.int8), most=ROW_ROWS, package="usearch"),
    Method(
        "faiss, inverted file, int8",
        _faiss(f"IVF{LISTS},SQ8", ("nprobe", OPENED)),
        least=50 * LISTS,
        reads_all=False,
        package="faiss",
    ),
    Method(
        "faiss, graph, float32",
        _faiss(f"HNSW{LINKS}", ("efSearch", EFFORT)),
        most=GRAPH_ROWS,
        reads_all=False,
        package="faiss",
    ),
    *(
        Method(
            f"usearch, graph, {name}",
            _usearch_graph(dtype),
            most=ROW_ROWS if dtype == "f16" else GRAPH_ROWS,
            reads_all=False,
            package="usearch",
        )
        for name, dtype in (("float32", "f32"), ("float16", "f16"), ("int8", "i8"))
    ),
)
