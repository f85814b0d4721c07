"""From a score to a percentage that means something.

The percentage says how rare such likeness is among strangers: 20 points for every factor of ten. Of all pairs
of different people one in ten is at least 20 % alike, one in a hundred 40, one in a thousand 60. 90 is two
photos of one person (the median), 100 the identical embedding.

The score is the cosine normalized by a cohort (see `lookalike.models.cohort`), or the cosine itself for a
model that has no cohort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator

Floats = NDArray[np.floating]

# Shares of stranger pairs at which the curve is pinned; beyond one in a thousand the tail is thin.
SHARES = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
POINTS_PER_FACTOR_OF_TEN = 20
SAME_PERSON = 90.0  # where the median same-person score stands
IDENTICAL = 100.0
IDENTICAL_SHARE = 0.05  # of faces whose score with themselves lies below the one that reads 100 %
FALSE_MATCHES = 0.001  # share of stranger pairs that pass as one person


@dataclass(frozen=True)
class Scale:
    """A model's way from score to similarity (0..100), monotone, through fitted anchors.

    `scores` and `similarities` rise strictly and belong together; `same` is the score from which two photos
    pass as one person; `fitted_on` says in words which pairs the anchors come from. The curve is a monotone
    cubic, Fritsch & Carlson 1980 (https://doi.org/10.1137/0717021).
    """

    scores: tuple[float, ...]
    similarities: tuple[float, ...]
    same: float
    fitted_on: str

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Scale:
        """Return the scale that `dataclasses.asdict` and JSON stored; older ones call the scores cosines."""
        scores = fields["scores"] if "scores" in fields else fields["cosines"]
        return cls(tuple(scores), tuple(fields["similarities"]), fields["same"], fields["fitted_on"])

    def similarity(self, score: float) -> float:
        """Return the percentage, 0..100, of one score."""
        inside = min(max(score, self.scores[0]), self.scores[-1])
        return float(np.clip(self._curve(inside), 0, IDENTICAL))

    def score_at(self, similarity: float) -> float:
        """Return the score that reads `similarity`, to 1e-6 of the scale's range."""
        low, high = self.scores[0], self.scores[-1]
        while high - low > 1e-6 * (self.scores[-1] - self.scores[0]):
            middle = (low + high) / 2
            low, high = (middle, high) if self.similarity(middle) < similarity else (low, middle)
        return high

    @cached_property
    def _curve(self) -> PchipInterpolator:
        from scipy.interpolate import PchipInterpolator  # takes a second to import

        return PchipInterpolator(self.scores, self.similarities)


def points(share: float) -> float:
    """Return the percentage of a score that this share (0..1] of stranger pairs reaches."""
    return -POINTS_PER_FACTOR_OF_TEN * float(np.log10(share))


def fit_scale(
    same: Sequence[Floats], strangers: Sequence[Floats], identical: Floats, *, fitted_on: str
) -> Scale:
    """Fit the anchors on scores of same-person pairs, of stranger pairs, and of faces with themselves.

    `same` and `strangers` hold one array a group of people; each group counts the same, however many pairs it
    has. Wants some ten thousand stranger pairs, so that one in a thousand of them is more than a handful;
    `rough_scale` does with fewer. Two photos pass as one person from the score that FALSE_MATCHES of the
    stranger pairs reach.
    """
    shares = [*SHARES, FALSE_MATCHES]
    *quantiles, threshold = balanced_quantiles(strangers, [1 - share for share in shares])
    lowest = min(float(group.min()) for group in strangers)
    (median,) = balanced_quantiles(same, [0.5])
    highest = float(np.quantile(identical, IDENTICAL_SHARE))
    return _through(lowest, quantiles, median, highest, threshold, fitted_on)


def rough_scale(
    same: Floats, strangers: Floats, *, fitted_on: str, dim: int, identical: float = 1.0
) -> Scale:
    """Fit a scale for a model that was never evaluated, from the few pairs that a gallery itself offers.

    The scores of strangers are taken as normally distributed; with fewer than two pairs, as the cosines of
    random directions in `dim` dimensions. Without same-person pairs their median is put half-way to
    `identical`, the score of a face with itself.
    """
    centre, spread = (float(strangers.mean()), float(strangers.std())) if len(strangers) > 1 else (0.0, 0.0)
    spread = spread or dim**-0.5
    quantiles = [centre + spread * NormalDist().inv_cdf(1 - share) for share in SHARES]
    median = float(np.median(same)) if len(same) else (quantiles[-1] + identical) / 2
    return _through(
        centre - 4 * spread, quantiles, median, identical, (quantiles[-1] + centre) / 2, fitted_on
    )


def balanced_quantiles(groups: Sequence[Floats], shares: Sequence[float]) -> list[float]:
    """Return the quantiles of all values of all groups, where each group weighs the same in all."""
    values = np.concatenate(groups)
    weights = np.concatenate([np.full(len(group), 1 / len(group)) for group in groups if len(group)])
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order]) / weights.sum()
    places = np.minimum(np.searchsorted(cumulated, shares), len(values) - 1)
    return [float(value) for value in values[order][places]]


def _through(
    lowest: float, quantiles: list[float], median: float, highest: float, same: float, fitted_on: str
) -> Scale:
    scores = [lowest, *quantiles, median, highest]
    similarities = [0.0, *map(points, SHARES), SAME_PERSON, IDENTICAL]
    step = 1e-4 * (highest - lowest)
    kept: list[tuple[float, float]] = []
    for pair in sorted(zip(scores, similarities, strict=True), key=lambda anchor: anchor[1]):
        if pair[0] <= highest and (not kept or pair[0] > kept[-1][0] + step):  # a weak model's anchors cross
            kept.append(pair)
    return Scale(tuple(s for s, _ in kept), tuple(p for _, p in kept), same, fitted_on)
