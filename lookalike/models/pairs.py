"""All pairs among labelled embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.models.cohort import Statistics, normalize
from lookalike.models.embedder import Embeddings

Scores = NDArray[np.floating[Any]]


def pair_scores(
    embeddings: Embeddings, names: Sequence[str], statistics: Statistics | None = None
) -> tuple[Scores, Scores]:
    """Return the scores of all same-person pairs and of all cross-person pairs, each unordered pair once.

    `embeddings` is (n, d) float32 rows of unit length, `names` n labels, `statistics` (n, 2) those of a
    cohort; without them the scores are cosines. An empty label is a person of its own.
    """
    labels = [name or f"unnamed {place}" for place, name in enumerate(names)]
    _, people = np.unique(np.asarray(labels), return_inverse=True)
    same: list[Scores] = [np.empty(0, np.float32)]
    different: list[Scores] = [np.empty(0, np.float32)]
    for row in range(len(embeddings) - 1):  # n x n scores may not fit in memory
        scores = embeddings[row + 1 :] @ embeddings[row]
        if statistics is not None:
            scores = normalize(scores, statistics[row + 1 :], statistics[row])
        alike = people[row + 1 :] == people[row]
        same.append(scores[alike])
        different.append(scores[~alike])
    return np.concatenate(same), np.concatenate(different)
