"""From a cosine to a percentage that means something.

The percentage says how rare such likeness is among strangers: 20 points for every factor of ten. Of all
pairs of different people one in ten is at least 20 % alike, one in a hundred 40, one in a thousand 60. 90
is two photos of one person (the median), 100 the identical embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Floats = NDArray[np.floating]

# Shares of stranger pairs at which the curve is pinned; beyond one in a thousand the tail is thin.
SHARES = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
POINTS_PER_FACTOR_OF_TEN = 20
SAME_PERSON = 90.0  # where the median same-person cosine stands
IDENTICAL = 100.0


@dataclass(frozen=True)
class Scale:
    """A model's way from cosine (-1..1) to similarity (0..100), monotone, through fitted anchors.

    `cosines` and `similarities` rise strictly and belong together; `same` is the cosine from which two
    photos pass as one person (equal error on labelled pairs); `fitted_on` says in words which pairs the
    anchors come from. The curve is a monotone cubic, Fritsch & Carlson 1980
    (https://doi.org/10.1137/0717021).
    """

    cosines: tuple[float, ...]
    similarities: tuple[float, ...]
    same: float
    fitted_on: str

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Scale:
        """Return the scale that `dataclasses.asdict` and JSON stored."""
        return cls(
            tuple(fields["cosines"]), tuple(fields["similarities"]), fields["same"], fields["fitted_on"]
        )

    def similarity(self, cosine: float) -> float:
        """Return the percentage, 0..100, of one cosine."""
        inside = min(max(cosine, self.cosines[0]), self.cosines[-1])
        return float(np.clip(self._curve(inside), 0, IDENTICAL))

    @cached_property
    def _curve(self) -> PchipInterpolator:
        return PchipInterpolator(self.cosines, self.similarities)


def points(share: float) -> float:
    """Return the percentage of a cosine that this share (0..1] of stranger pairs reaches."""
    return -POINTS_PER_FACTOR_OF_TEN * float(np.log10(share))


def fit_scale(same: Floats, different: Floats, *, threshold: float, fitted_on: str) -> Scale:
    """Fit the anchors on the cosines of same-person pairs and of stranger pairs.

    `threshold` is the cosine at equal error (see `lookalike.evaluation`). Wants some ten thousand stranger
    pairs, so that one in a thousand of them is more than a handful; `rough_scale` does with fewer.
    """
    quantiles = np.quantile(different, [1 - share for share in SHARES])
    return _through(
        float(different.min()), [float(q) for q in quantiles], float(np.median(same)), threshold, fitted_on
    )


def rough_scale(same: Floats, different: Floats, *, dim: int, fitted_on: str) -> Scale:
    """Fit a scale for a model that was never evaluated, from the few pairs that a gallery itself offers.

    The cosines of strangers are taken as normally distributed; with fewer than two pairs, as those of
    random directions in `dim` dimensions. Without same-person pairs the median of one person is put
    half-way to identity.
    """
    centre, spread = (float(different.mean()), float(different.std())) if len(different) > 1 else (0.0, 0.0)
    spread = spread or dim**-0.5
    quantiles = [centre + spread * NormalDist().inv_cdf(1 - share) for share in SHARES]
    half_way = (quantiles[-1] + 1) / 2
    alike = float(np.median(same)) if len(same) else half_way
    return _through(centre - 4 * spread, quantiles, alike, (quantiles[-1] + centre) / 2, fitted_on)


def _through(lowest: float, quantiles: list[float], alike: float, same: float, fitted_on: str) -> Scale:
    cosines = [lowest, *quantiles, alike, 1.0]
    similarities = [0.0, *map(points, SHARES), SAME_PERSON, IDENTICAL]
    kept: list[tuple[float, float]] = []
    for pair in sorted(zip(cosines, similarities, strict=True), key=lambda anchor: anchor[1]):
        if pair[0] <= 1.0 and (not kept or pair[0] > kept[-1][0] + 1e-4):  # a weak model's anchors may cross
            kept.append(pair)
    return Scale(tuple(c for c, _ in kept), tuple(s for _, s in kept), same, fitted_on)


def pair_cosines(embeddings: Floats, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the cosines of all same-person pairs and of all cross-person pairs.

    `embeddings` is (n, d) float32 rows of unit length, `names` n labels. Each unordered pair counts once.
    """
    _, people = np.unique(np.asarray(names), return_inverse=True)
    same, different = [], []
    for row in range(
        len(embeddings) - 1
    ):  # a row of the upper triangle at a time: n x n cosines need not fit in memory
        cosines = embeddings[row + 1 :] @ embeddings[row]
        alike = people[row + 1 :] == people[row]
        same.append(cosines[alike])
        different.append(cosines[~alike])
    return np.concatenate(same), np.concatenate(different)
