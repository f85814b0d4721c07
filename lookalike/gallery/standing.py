"""The standing: how a visitor's first match compares with those of ordinary strangers in the same gallery.

What a stranger's first match scores depends on the stranger: the nearer and the more evenly a face lies to
other strangers, the less stands out. So each first match is measured by what a face of such statistics can
expect, a linear fit; otherwise visitors of some groups would be told twice as often as others that nobody
resembles them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.models.cohort import Cohort, Statistics, normalize
from lookalike.models.embedder import Embeddings

if TYPE_CHECKING:
    from lookalike.gallery.gallery import Gallery

STRANGERS = 1000  # of the cohort, whose first matches make the standing
FEWEST_FOR_FIT = 100  # strangers; fewer are measured by their scores alone


@dataclass(frozen=True)
class Standing:
    """`quantiles` are 101 of strangers' first scores, from the 0th to the 100th percentile, each lessened by
    what the face can expect: `expected` holds a constant and the weights of the mean and the spread of its
    cosines to its nearest strangers. Without `expected` the quantiles are those of the scores themselves;
    without quantiles nothing is known.
    """

    quantiles: tuple[float, ...] = ()
    expected: tuple[float, ...] = ()

    def share_below(self, score: float, statistics: Statistics | None) -> float | None:
        """Return the share, 0..1, of strangers below a first match with this score of a face with these
        statistics (2,); None if unknown.
        """
        if not self.quantiles:
            return None
        if self.expected and statistics is not None:
            score -= self.expected[0] + float(np.dot(self.expected[1:], statistics))
        return float(np.interp(score, self.quantiles, np.linspace(0, 1, len(self.quantiles))))


def standing_among(
    embeddings: Embeddings, statistics: Statistics, cohort: Cohort, *, strangers: Embeddings | None = None
) -> Standing:
    """Return the standing of `strangers` (n, dim) among rows (m, dim) of these statistics (m, 2); without
    them that of STRANGERS of the cohort, each of whom is left out of its own statistics.
    """
    probes = cohort.rows[:STRANGERS] if strangers is None else strangers
    theirs = cohort.statistics(probes, own=strangers is None)
    firsts = [
        normalize(embeddings @ probe, own, statistics).max()
        for probe, own in zip(probes, theirs, strict=True)
    ]
    return fit_standing(np.array(firsts, np.float64), theirs)


def fit_standing(firsts: NDArray[np.float64], statistics: Statistics) -> Standing:
    """Return the standing of strangers' first scores (n,), with statistics (n, 2)."""
    if len(firsts) < FEWEST_FOR_FIT:
        return Standing(_quantiles(firsts))
    columns = np.column_stack([np.ones(len(firsts)), statistics]).astype(np.float64)  # (n, 3)
    weights = np.linalg.lstsq(columns, firsts - firsts.mean(), rcond=None)[0]
    return Standing(_quantiles(firsts - columns @ weights), tuple(round(float(w), 6) for w in weights))


def best_without_own(probes: Embeddings, gallery: Gallery) -> Standing:
    """Return the standing of the best score of each probe among the names other than its own.

    `probes` is (names, dim) float32, one photo of each name in their order: with its own name left out it
    stands for a stranger. Empty when the gallery has fewer than two names.
    """
    if len(gallery.names) < 2:
        return Standing()
    firsts = []
    for probe, name in zip(probes, gallery.names, strict=True):
        others = (hit for hit in gallery.search(probe, count=2) if hit.name != name)
        firsts.append(next(others).score)
    return Standing(_quantiles(firsts))


def _quantiles(scores: Sequence[float] | NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(q), 6) for q in np.quantile(scores, np.linspace(0, 1, 101)))
