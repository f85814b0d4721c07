"""What a search returns, and the largest of many scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 256  # names whose best is compared first; with fewer or more a search is slower


@dataclass(frozen=True)
class Hit:
    """One name that a search found: its best row's place in the table, and that row's score and cosine.

    The cosine is -1..1; the score is what names are ranked by (see `Gallery.search`).
    """

    row: int
    name: str
    score: float
    cosine: float


def largest(values: NDArray[np.float32], count: int) -> list[int]:
    """Return the places of the `count` largest of (n,) values, the largest first, equal ones as they come.

    At least `count` values reach the `count`-th largest of the blocks' maxima, so only the few that reach it
    are sorted: a million take a third of a millisecond, where a partition takes two.
    """
    peaks = np.maximum.reduceat(values, np.arange(0, len(values), BLOCK))
    enough = np.partition(peaks, -count)[-count] if count <= len(peaks) else -np.inf
    candidates = np.flatnonzero(values >= enough)
    order = np.lexsort((candidates, -values[candidates]))[:count]
    places: list[int] = candidates[order].tolist()
    return places
