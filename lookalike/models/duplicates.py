"""Which photos are one photo: saved again, made smaller, or cut a little differently."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lookalike.models.embedder import Embeddings

# Two photos of one person are one photo when they are a tenth as far apart as two of one usually are.
# With `compact`, among the Bollywood photos, that is a cosine of 0.953. Of the copies of a photo saved again
# as JPEG of quality 50, 19 in 20 keep 0.964, at half the size 0.955; with a MobileFaceNet 0.95 and 0.94.
COPY = 0.1
USUAL_PHOTOS = 8  # of each name, to know what is usual
BLOCK = 1024  # rows compared at once: 40 MB for ten thousand photos


def copy_cosine(people: Sequence[Embeddings]) -> float:
    """Return the cosine from which two photos of one person are copies: see COPY; 1 where nobody has two.

    `people` holds (photos, dim) rows of unit length for each person; the first USUAL_PHOTOS of each count.
    """
    cosines = []
    for photos in people:
        few = photos[:USUAL_PHOTOS]
        cosines.append((few @ few.T)[np.triu_indices(len(few), 1)])
    pairs = np.concatenate(cosines) if cosines else np.zeros(0)
    return 1 - COPY * (1 - float(np.median(pairs))) if len(pairs) else 1.0


def copy_groups(embeddings: Embeddings, closeness: float) -> NDArray[np.intp]:
    """Return a group number, from 0 on, for each of (n, dim) unit rows: photos at least as close as
    `closeness`, directly or through others between them, share one.
    """
    rows, columns = [], []
    for start in range(0, len(embeddings), BLOCK):
        cosines = embeddings[start : start + BLOCK] @ embeddings.T  # (b, d) x (d, n) -> (b, n)
        near = np.nonzero(cosines >= closeness)
        rows.append(near[0] + start)
        columns.append(near[1])
    first, second = np.concatenate(rows), np.concatenate(columns)
    links = coo_array((np.ones(len(first), bool), (first, second)), shape=(len(embeddings),) * 2)
    groups: NDArray[np.intp] = connected_components(links, directed=False)[1]
    return groups
