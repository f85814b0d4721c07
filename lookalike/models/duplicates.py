"""Near-duplicates: photos that are copies of one photo, saved again, resized or cropped differently."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lookalike.models.embedder import Embeddings

# Two photos of one person are copies if their distance is a tenth of the median distance for one person. With
# `compact` and the Bollywood photos this is a cosine of 0.953. Of copies saved as JPEG of quality 50, 19 in
# 20 have at least 0.964, of copies at half the size 0.955 (with a MobileFaceNet 0.95 and 0.94).
COPY_RATIO = 0.1
SAMPLE = 8  # photos of each person for the median
BLOCK = 1024  # rows compared at once; 40 MB for ten thousand photos


def copy_cosine(people: Sequence[Embeddings]) -> float:
    """Return the cosine from which two photos of one person count as copies; 1 if nobody has two photos.

    `people` has an array of (photos, dim) unit rows for each person. The first SAMPLE rows of each are used.
    """
    cosines = []
    for photos in people:
        few = photos[:SAMPLE]
        cosines.append((few @ few.T)[np.triu_indices(len(few), 1)])
    pairs = np.concatenate(cosines) if cosines else np.zeros(0)
    return 1 - COPY_RATIO * (1 - float(np.median(pairs))) if len(pairs) else 1.0


def copy_groups(embeddings: Embeddings, closeness: float) -> NDArray[np.intp]:
    """Return a group number, counted from 0, for each of (n, dim) unit rows.

    Rows with a cosine of at least `closeness`, directly or through a chain of other rows, are in one group.
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
