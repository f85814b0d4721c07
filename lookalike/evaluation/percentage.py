"""Fit the percentage: how rare is such likeness among strangers?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.photos import Embedded
from lookalike.evaluation.verification import all_pairs, few_each
from lookalike.models.similarity import Scale, fit_scale

CHECKED = (20.0, 40.0, 60.0)  # percentages that one in ten, a hundred, a thousand stranger pairs should reach
CROWDS = (100, 1000, 5000)  # strangers among whom the best match is looked at
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class ScaleCheck:
    """What a scale says of people it was not fitted on.

    `reached` maps 20, 40 and 60 % to the share of stranger pairs that reach them (0.1, 0.01 and 0.001 if it
    is right). `same_person` and `best_of[n]` are the 10th, 50th and 90th percentile of the percentages of
    same-person pairs (90 in the median if it is right), and of the best among n strangers.
    """

    people: int
    stranger_pairs: int
    reached: dict[float, float]
    same_person: tuple[float, ...]
    best_of: dict[int, tuple[float, ...]]


def fit(embedded: Embedded, *, threshold: float, fitted_on: str) -> tuple[Scale, ScaleCheck]:
    """Return the scale fitted on all pairs of these people, and the check of one fitted on every other person
    on the rest. `threshold` is the cosine at equal error.
    """
    scale = fit_scale(*all_pairs(embedded), threshold=threshold, fitted_on=fitted_on)
    place = {person: number for number, person in enumerate(sorted(set(embedded.people)))}
    half = np.array([place[person] % 2 for person in embedded.people])
    here, rest = (embedded.take(np.flatnonzero(half == side)) for side in (0, 1))
    half_scale = fit_scale(*all_pairs(here), threshold=threshold, fitted_on="every other person")
    return scale, check(half_scale, rest)


def check(scale: Scale, embedded: Embedded) -> ScaleCheck:
    """Return what `scale` says of all pairs among these photos."""
    same, different = all_pairs(embedded)
    cosines = {points: _cosine_at(scale, points) for points in CHECKED}
    return ScaleCheck(
        people=len(set(embedded.people)),
        stranger_pairs=len(different),
        reached={points: float((different >= cosine).mean()) for points, cosine in cosines.items()},
        same_person=_spread(scale, same),
        best_of={crowd: _spread(scale, best) for crowd, best in best_of(embedded, CROWDS).items()},
    )


def best_of(embedded: Embedded, crowds: Sequence[int], *, seed: int = 0) -> dict[int, NDArray[np.float32]]:
    """Return, for each size of a crowd of strangers, the cosine of every face's best match in one drawn by
    chance.

    Where a crowd is larger than the photos of strangers that there are, it is filled up with the cosines of
    another face and its strangers.
    """
    random = np.random.default_rng(seed)
    chosen = embedded.take([place for place in few_each(embedded.people) if embedded.found[place]])
    owner = np.unique(np.asarray(chosen.people), return_inverse=True)[1]
    cosines = chosen.embeddings @ chosen.embeddings.T  # (n, d) x (d, n) -> (n, n)
    found = {}
    for crowd in crowds:
        best = []
        for row in random.permutation(len(owner)):
            pool = cosines[row, owner != owner[row]]
            left = crowd
            top = -1.0
            while left > 0:
                part = random.permutation(pool)[:left]
                top = max(top, float(part.max()))
                left -= len(part)
                other = int(random.integers(len(owner)))
                pool = cosines[other, owner != owner[other]]
            best.append(top)
        found[crowd] = np.array(best, np.float32)
    return found


def _spread(scale: Scale, cosines: NDArray[np.float32]) -> tuple[float, ...]:
    return tuple(scale.similarity(float(cosine)) for cosine in np.quantile(cosines, QUANTILES))


def _cosine_at(scale: Scale, similarity: float) -> float:
    """Return the smallest cosine, to 1e-4, that reads at least `similarity`; the scale is monotone."""
    grid = np.arange(scale.cosines[0], 1.0, 1e-4)
    percentages = np.array([scale.similarity(float(cosine)) for cosine in grid])
    return float(grid[np.searchsorted(percentages, similarity)])
