"""How a gallery's rows are scored against a probe: by cosine, or by cosine normalized with a cohort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.models.cohort import Cohort, Statistics, normalize
from lookalike.models.embedder import Embeddings

Scores = NDArray[np.float32]  # (rows,)


class Scoring(Protocol):
    """Turns the cosines of all rows with one probe into scores."""

    def scores(self, cosines: Scores, probe: NDArray[np.float32]) -> Scores:
        """Return the (rows,) scores of a probe (dim,) from its (rows,) cosines."""
        ...

    def pick(self, rows: NDArray[np.intp]) -> Scoring:
        """Return the scoring of these rows alone."""
        ...


class CosineScoring:
    """The score is the cosine."""

    def scores(self, cosines: Scores, probe: NDArray[np.float32]) -> Scores:
        """Return the cosines."""
        return cosines

    def pick(self, rows: NDArray[np.intp]) -> CosineScoring:
        """Return itself: rows do not differ."""
        return self


@dataclass(frozen=True, eq=False)
class CohortScoring:
    """The score is normalized by `cohort`; `statistics` (rows, 2) are those of the rows."""

    cohort: Cohort
    statistics: Statistics

    def scores(self, cosines: Scores, probe: NDArray[np.float32]) -> Scores:
        """Return `normalize(cosines, the probe's statistics, the rows' statistics)`, in one pass over the
        rows: cosine · (a + b_row) - c_row - d.
        """
        mean, spread = (float(number) for number in self.cohort.statistics(probe[None])[0])
        factors = self._factors + np.float32(0.5 / spread)
        scores = np.multiply(cosines, factors, out=factors)
        scores -= self._offsets
        scores -= np.float32(0.5 * mean / spread)
        return scores

    def pick(self, rows: NDArray[np.intp]) -> CohortScoring:
        """Return the scoring of these rows alone."""
        return CohortScoring(self.cohort, self.statistics[rows])

    def __post_init__(self) -> None:
        object.__setattr__(self, "_factors", (0.5 / self.statistics[:, 1]).astype(np.float32))
        object.__setattr__(self, "_offsets", self.statistics[:, 0] * self._factors)

    _factors = np.empty(0, np.float32)
    _offsets = np.empty(0, np.float32)


def first_matches(
    embeddings: Embeddings,
    statistics: Statistics,
    cohort: Cohort,
    *,
    count: int,
    strangers: Embeddings | None = None,
) -> Scores:
    """Return the best score that each stranger gets among rows of these statistics: `count` of the cohort's,
    each of whom is left out of its own statistics, or all of `strangers`.
    """
    probes = cohort.rows[:count] if strangers is None else strangers
    theirs = cohort.statistics(probes, own=strangers is None)
    best = [
        normalize(embeddings @ probe, own, statistics).max()
        for probe, own in zip(probes, theirs, strict=True)
    ]
    return np.array(best, np.float32)
