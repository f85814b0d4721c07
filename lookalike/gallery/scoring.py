"""How a gallery's rows are scored against a probe: by cosine, or by cosine normalized with a cohort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.models.cohort import Cohort, Statistics

Scores = NDArray[np.float32]  # (rows,)


class Scoring(Protocol):
    """Turns the cosines of all rows with one probe into scores."""

    def scores(self, cosines: Scores, probe: NDArray[np.float32]) -> Scores:
        """Return the (rows,) scores of a probe (dim,) from its (rows,) cosines."""
        ...

    def pick(self, rows: NDArray[np.intp]) -> Scoring:
        """Return the scoring of these rows alone."""
        ...

    def statistics_of(self, probe: NDArray[np.float32]) -> Statistics | None:
        """Return mean and spread (2,) of the cosines of a probe (dim,) to its nearest strangers."""
        ...


class CosineScoring:
    """The score is the cosine."""

    def scores(self, cosines: Scores, probe: NDArray[np.float32]) -> Scores:
        """Return the cosines."""
        return cosines

    def pick(self, rows: NDArray[np.intp]) -> CosineScoring:
        """Return itself: rows do not differ."""
        return self

    def statistics_of(self, probe: NDArray[np.float32]) -> None:
        """Return None: there are no strangers."""
        return


@dataclass(frozen=True, eq=False)
class CohortScoring:
    """The score is normalized by `cohort`; `statistics` (rows, 2) are those of the rows."""

    cohort: Cohort
    statistics: Statistics

    def scores(self, cosines: Scores, probe: NDArray[np.float32]) -> Scores:
        """Return `normalize(cosines, the probe's statistics, the rows' statistics)`, in one pass over the
        rows: cosine · (a + b_row) - c_row - d.
        """
        mean, spread = (float(number) for number in self.statistics_of(probe))
        factors = self._factors + np.float32(0.5 / spread)
        scores = np.multiply(cosines, factors, out=factors)
        scores -= self._offsets
        scores -= np.float32(0.5 * mean / spread)
        return scores

    def pick(self, rows: NDArray[np.intp]) -> CohortScoring:
        """Return the scoring of these rows alone."""
        return CohortScoring(self.cohort, self.statistics[rows])

    def statistics_of(self, probe: NDArray[np.float32]) -> Statistics:
        """Return mean and spread (2,) of the cosines of a probe (dim,) to its nearest strangers."""
        return self.cohort.statistics(probe[None])[0]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_factors", (0.5 / self.statistics[:, 1]).astype(np.float32))
        object.__setattr__(self, "_offsets", self.statistics[:, 0] * self._factors)

    _factors = np.empty(0, np.float32)
    _offsets = np.empty(0, np.float32)
