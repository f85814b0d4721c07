"""Fit the percentage: how rare is such likeness among strangers?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.metrics import pair_cosines
from lookalike.similarity import Scale, fit_scale

PHOTOS_PER_PERSON = 8  # so that people with hundreds of photos do not stand for everybody
CHECKED = (20.0, 40.0, 60.0)  # percentages that one in ten, a hundred, a thousand stranger pairs should reach


@dataclass(frozen=True)
class ScaleCheck:
    """What a scale says of people it was not fitted on.

    `reached` maps 20, 40 and 60 % to the share of stranger pairs that reach them (0.1, 0.01 and 0.001 if it
    is right); `same_person` is the median percentage of same-person pairs (90 if it is right).
    """

    people: int
    stranger_pairs: int
    reached: dict[float, float]
    same_person: float


def fit(
    embeddings: NDArray[np.float32], people: Sequence[str], *, threshold: float, fitted_on: str
) -> tuple[Scale, ScaleCheck]:
    """Return the scale fitted on all pairs of `people`, and the check of one fitted on every other person
    on the rest.

    `embeddings` is (n, dim) float32 rows of unit length, `people` n keys; `threshold` the cosine at equal
    error.
    """
    chosen = few_each(people)
    embeddings, keys = embeddings[chosen], [people[row] for row in chosen]
    scale = fit_scale(*pair_cosines(embeddings, keys), threshold=threshold, fitted_on=fitted_on)
    halves = np.array([sorted(set(keys)).index(key) % 2 for key in keys])
    here = [
        (embeddings[halves == half], [key for key, h in zip(keys, halves, strict=True) if h == half])
        for half in (0, 1)
    ]
    half_scale = fit_scale(*pair_cosines(*here[0]), threshold=threshold, fitted_on="every other person")
    return scale, check(half_scale, *here[1])


def check(scale: Scale, embeddings: NDArray[np.float32], people: Sequence[str]) -> ScaleCheck:
    """Return what `scale` says of all pairs among these photos."""
    same, different = pair_cosines(embeddings, people)
    cosines = {points: _cosine_at(scale, points) for points in CHECKED}
    reached = {points: float((different >= cosine).mean()) for points, cosine in cosines.items()}
    return ScaleCheck(len(set(people)), len(different), reached, scale.similarity(float(np.median(same))))


def few_each(people: Sequence[str]) -> list[int]:
    """Return the places of the first PHOTOS_PER_PERSON photos of every person, in order."""
    seen: dict[str, int] = defaultdict(int)
    chosen = []
    for place, person in enumerate(people):
        seen[person] += 1
        if seen[person] <= PHOTOS_PER_PERSON:
            chosen.append(place)
    return chosen


def _cosine_at(scale: Scale, similarity: float) -> float:
    """Return the smallest cosine, to 1e-4, that reads at least `similarity`; the scale is monotone."""
    grid = np.arange(scale.cosines[0], 1.0, 1e-4)
    percentages = np.array([scale.similarity(float(cosine)) for cosine in grid])
    return float(grid[np.searchsorted(percentages, similarity)])
