"""Fit the percentage, and check what it promises: how rare is such a likeness among strangers?

Everything is measured within groups of people, because strangers of one group are more alike than strangers
of two. Fitted on people whom the model never saw, checked on others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import SourceError
from lookalike.evaluation.aligned_faces import cell_of
from lookalike.evaluation.population import (
    Members,
    Population,
    Scores,
    few_each_of,
    groups_of,
    is_one_source,
    pair_masks,
    score_matrix,
    within_group_mask,
)
from lookalike.models.calibration import Calibration
from lookalike.models.cohort import Cohort, Mixture
from lookalike.models.embedder import Embeddings
from lookalike.models.similarity import FALSE_MATCHES, Scale, balanced_quantiles, fit_scale

# Percentages that one in ten, a hundred, a thousand stranger pairs should reach
PROMISES = (20.0, 40.0, 60.0)
FEWEST_PAIRS = 300  # of strangers, for a group to have a say in the fit or a row in the table
PER_CELL = 330  # faces of one race and gender in the cohort, or of a source without labels
REPEATS = 10  # how often a face of a small cell may stand in the cohort
RESAMPLES = 200  # of the faces, for an interval
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Reached:
    """The share, 0..1, of stranger pairs that reach a percentage, and its 95 % interval: the faces are drawn
    anew with replacement, since pairs that share a face are not independent.
    """

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class GroupCheck:
    """What a scale says of one group: how many of the pairs of `faces` strangers reach each of PROMISES, and
    are taken for one person; for people with several photos the quartiles of their percentages, and the share
    that passes as one person.
    """

    group: str
    faces: int
    pairs: int
    reached: dict[float, Reached]
    taken_for_one: Reached
    same_pairs: int
    same_person: tuple[float, ...]
    recognized: float | None


def cohort_faces(population: Population, *, seed: int = 0) -> Embeddings:
    """Return the embeddings of adults, balanced: PER_CELL of each race and gender, those of small cells up to
    REPEATS times.
    """
    cells: dict[tuple[str, ...], list[int]] = {}
    for place in np.flatnonzero(population.adults()):
        cell = cell_of(population.labels[place], population.sources[place])
        cells.setdefault(cell, []).append(int(place))
    random = np.random.default_rng(seed)
    chosen = [np.tile(random.permutation(places), REPEATS)[:PER_CELL] for _, places in sorted(cells.items())]
    return population.embeddings[np.concatenate(chosen)]


def calibrate(population: Population, mixture: Mixture | None, *, fitted_on: str) -> Calibration:
    """Fit a calibration on people whom the model never saw, each group weighing the same.

    Without a mixture the score is the cosine.
    """
    same_cosine = balanced_quantiles(_pairs(population.with_cosines())[1], [1 - FALSE_MATCHES])[0]
    if mixture is None:
        scored, identical = population.with_cosines(), np.ones(1, np.float32)
    else:
        scored = population.with_cohort(Cohort.of(mixture))
        assert scored.statistics is not None
        identical = (1 - scored.statistics[:, 0]) / scored.statistics[:, 1]
    same, strangers = _pairs(scored)
    return Calibration(fit_scale(same, strangers, identical, fitted_on=fitted_on), mixture, same_cosine)


def check(population: Population, scale: Scale, *, seed: int = 0) -> list[GroupCheck]:
    """Return what `scale` says of each group with at least FEWEST_PAIRS pairs of strangers. Of a group of
    several sources or races, strangers are compared within each: those of two are less alike.
    """
    scores = {points: scale.score_at(points) for points in PROMISES}
    checks = []
    for group, members in groups_of(population).items():
        part = population.take(few_each_of(population, members))
        same, strangers = pair_masks(part)
        strangers &= within_group_mask(part)
        if strangers.sum() < FEWEST_PAIRS:
            continue
        matrix = score_matrix(part)
        alike = matrix[same]
        checks.append(
            GroupCheck(
                group=group,
                faces=len(part),
                pairs=int(strangers.sum()),
                reached={p: _reached(matrix >= score, strangers, seed) for p, score in scores.items()},
                taken_for_one=_reached(matrix >= scale.same, strangers, seed),
                same_pairs=len(alike),
                same_person=_quartiles(alike, scale),
                recognized=float((alike >= scale.same).mean()) if len(alike) else None,
            )
        )
    return checks


def _pairs(population: Population) -> tuple[list[Scores], list[Scores]]:
    """Return the scores of same-person pairs and of stranger pairs, an array for each source and race with at
    least FEWEST_PAIRS; of all of them together where no group has so many.

    Raises SourceError where there is no pair of one kind.
    """
    groups = [members for group, members in groups_of(population).items() if is_one_source(group)]
    same, strangers = _pairs_within(population, groups, FEWEST_PAIRS)
    everybody = [np.arange(len(population))]
    if not same or not strangers:
        all_same, all_strangers = _pairs_within(population, everybody, 1)
        same, strangers = same or all_same, strangers or all_strangers
    if not same or not strangers:
        raise SourceError(
            "The percentage needs two photos of one person, and photos of two people, at least."
        )
    return same, strangers


def _pairs_within(
    population: Population, groups: Sequence[Members], fewest: int
) -> tuple[list[Scores], list[Scores]]:
    same: list[Scores] = []
    strangers: list[Scores] = []
    for members in groups:
        part = population.take(few_each_of(population, members))
        masks, matrix = pair_masks(part), score_matrix(part)
        for mask, scores in zip(masks, (same, strangers), strict=True):
            if mask.sum() >= fewest:
                scores.append(matrix[mask])
    return same, strangers


def _reached(reaches: NDArray[np.bool_], strangers: NDArray[np.bool_], seed: int) -> Reached:
    random = np.random.default_rng(seed)
    count = len(reaches)
    hits, pairs = (reaches & strangers).astype(np.float32), strangers.astype(np.float32)
    shares = []
    for _ in range(RESAMPLES):
        weights = np.bincount(random.integers(0, count, count), minlength=count).astype(np.float32)
        total = float(weights @ (pairs @ weights))
        shares.append(float(weights @ (hits @ weights)) / total if total else 0.0)
    low, high = np.quantile(shares, INTERVAL)
    return Reached(float(hits.sum() / pairs.sum()), float(low), float(high))


def _quartiles(scores: Scores, scale: Scale) -> tuple[float, ...]:
    if not len(scores):
        return ()
    return tuple(scale.similarity(float(score)) for score in np.quantile(scores, (0.25, 0.5, 0.75)))
