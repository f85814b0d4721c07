"""Fit the reach of a cohort: what mean and spread leave out of a face's scores with those most like it.

Strangers of some groups are more alike than mean and spread say. The reach is linear in a face's embedding,
mean and spread, and is fitted by quantile regression (Koenker and Bassett 1978,
https://doi.org/10.2307/1913643), so that as few strangers of each group exceed a score.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.percentage import FEWEST_PAIRS
from lookalike.evaluation.population import (
    Population,
    few_each_of,
    groups_of,
    is_one_source,
    pair_masks,
    score_matrix,
)
from lookalike.models.cohort import Cohort, Mixture, reach_inputs

SHARES = np.array([0.1, 0.01, 0.001])  # of stranger pairs, whose scores are to be alike in all groups
PAIRS = 30_000  # drawn of a group
# On the squared weights: of 0.001, 0.003 and 0.01 it leaves the groups of the percentage's fit most even.
PENALTY = 0.001
SMOOTHING = 0.1  # in scores: how round the corner of the loss is
SEED = 0
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of strangers: the (n, features) standardized `inputs` of the faces, the (pairs,) places of
    `first` and `second` among them, the (pairs,) `scores`, and `weights` with the same sum for each group.
    """

    inputs: Floats
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    scores: Floats
    weights: Floats


def fit_reach(population: Population, mixture: Mixture) -> Mixture:
    """Return `mixture` with the reach fitted to `population`, faces of ordinary people. Where no group of one
    source has FEWEST_PAIRS of strangers, it has none.
    """
    scored = population.with_cohort(Cohort.of(mixture))
    assert scored.statistics is not None
    inputs = reach_inputs(scored.embeddings, *scored.statistics.T)[:, :-1].astype(np.float64)
    centre, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale[:-2] *= np.sqrt(scale.size - 2)  # the embedding has as much to say as the mean
    pairs = _stranger_pairs(scored, (inputs - centre) / scale)
    if pairs is None:
        return mixture
    weights = _fit(pairs) / scale
    reach = np.append(weights, -weights @ centre)
    return replace(mixture, reach=reach.astype(np.float16).astype(np.float32))


def _stranger_pairs(population: Population, inputs: Floats) -> _Pairs | None:
    random = np.random.default_rng(SEED)
    parts: list[tuple[NDArray[np.intp], ...]] = []
    scores: list[Floats] = []
    for title, members in groups_of(population).items():
        if not is_one_source(title):
            continue
        members = few_each_of(population, members)
        part = population.take(members)
        first, second = np.nonzero(pair_masks(part)[1])
        if len(first) >= FEWEST_PAIRS:
            drawn = random.permutation(len(first))[:PAIRS]
            first, second = first[drawn], second[drawn]
            parts.append((members[first], members[second]))
            scores.append(score_matrix(part)[first, second].astype(np.float64))
    if not parts:
        return None
    weights = np.concatenate([np.full(len(part), 1 / len(part) / len(scores)) for part in scores])
    first, second = (np.concatenate(side) for side in zip(*parts, strict=True))
    return _Pairs(inputs, first, second, np.concatenate(scores), weights)


def _fit(pairs: _Pairs) -> Floats:
    """Return the (features,) weights of the least loss."""
    from scipy.optimize import minimize

    levels = np.quantile(pairs.scores, 1 - SHARES)
    start = np.concatenate([np.zeros(pairs.inputs.shape[1]), levels])
    found = minimize(_loss, start, args=(pairs,), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(found.x[: -len(SHARES)])


def _loss(parameters: Floats, pairs: _Pairs) -> tuple[float, Floats]:
    """Return the smoothed quantile loss of all SHARES, and its gradient by the weights and the levels."""
    weights, levels = parameters[: -len(SHARES)], parameters[-len(SHARES) :]
    reach = pairs.inputs @ weights  # (n, features) x (features,) -> (n,)
    left = pairs.scores - (reach[pairs.first] + reach[pairs.second]) / 2
    loss, by_left, by_levels = PENALTY * weights @ weights, np.zeros_like(left), np.zeros_like(levels)
    for place, (share, level) in enumerate(zip(SHARES, levels, strict=True)):
        above = left - level
        importance = pairs.weights / np.sqrt(share * (1 - share))
        loss += importance @ (SMOOTHING * np.logaddexp(0, above / SMOOTHING) - share * above)
        slope = importance * ((1 + np.tanh(above / SMOOTHING / 2)) / 2 - share)
        by_left += slope
        by_levels[place] = -slope.sum()
    by_reach = sum(np.bincount(side, by_left, len(reach)) for side in (pairs.first, pairs.second)) / -2
    return float(loss), np.concatenate([pairs.inputs.T @ by_reach + 2 * PENALTY * weights, by_levels])
