"""Metrics of verification, each a pure function of arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

Floats = NDArray[np.float32]


def roc_auc(same: Floats, different: Floats) -> float:
    """Return the probability, 0..1, that a random same-person pair scores above a random other pair."""
    truth = np.r_[np.ones(len(same)), np.zeros(len(different))]
    return float(roc_auc_score(truth, np.r_[same, different]))


def balanced_accuracy(same: Floats, different: Floats, threshold: float) -> float:
    """Return the mean of two shares, 0..1: same pairs at or above `threshold`, different pairs below it."""
    return float(((same >= threshold).mean() + (different < threshold).mean()) / 2)


def best_threshold(same: Floats, different: Floats) -> float:
    """Return the threshold with the highest balanced accuracy; it is midway between two scores."""
    scores = np.r_[same, different].astype(np.float64)
    costs = np.r_[np.full(len(same), 1 / len(same)), np.full(len(different), -1 / len(different))]
    order = np.argsort(scores)
    cumulated = np.cumsum(costs[order])  # the loss of accuracy with a threshold just above each score
    cut = int(np.argmin(cumulated))
    upper = scores[order[min(cut + 1, len(order) - 1)]]
    return float((scores[order[cut]] + upper) / 2)


def true_accepts(same: Floats, different: Floats, rates: Sequence[float]) -> dict[float, float]:
    """Return the true accept rate, 0..1, at each false accept rate (TAR at FAR).

    The threshold is the lowest at which the share of accepted different pairs does not exceed the rate.
    """
    ordered = np.sort(different)
    accepted = {}
    for rate in rates:
        accepted_pairs = int(rate * len(ordered))  # different pairs that may be accepted
        highest_rejected = ordered[len(ordered) - accepted_pairs - 1]
        accepted[rate] = float((same > highest_rejected).mean())
    return accepted


def equal_error(same: Floats, different: Floats) -> tuple[float, float]:
    """Return the threshold where the false reject and false accept rates are equal, and that error rate."""
    thresholds = np.unique(np.r_[same, different])
    false_rejects = np.searchsorted(np.sort(same), thresholds) / len(same)
    false_accepts = 1 - np.searchsorted(np.sort(different), thresholds) / len(different)
    place = int(np.argmin(np.abs(false_rejects - false_accepts)))
    return float(thresholds[place]), float((false_rejects[place] + false_accepts[place]) / 2)
