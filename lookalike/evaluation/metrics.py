"""Metrics, each a pure function of arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

Floats = NDArray[np.float32]


def roc_auc(same: Floats, different: Floats) -> float:
    """Return the chance that a random same-person pair scores above a random cross-person pair, 0..1."""
    truth = np.r_[np.ones(len(same)), np.zeros(len(different))]
    return float(roc_auc_score(truth, np.r_[same, different]))


def balanced_accuracy(same: Floats, different: Floats, threshold: float) -> float:
    """Return the mean of the shares of same pairs at or above `threshold` and of different pairs below it,
    0..1.
    """
    return float(((same >= threshold).mean() + (different < threshold).mean()) / 2)


def best_threshold(same: Floats, different: Floats) -> float:
    """Return the threshold with the highest balanced accuracy, midway between two scores."""
    scores = np.r_[same, different].astype(np.float64)
    gains = np.r_[np.full(len(same), 1 / len(same)), np.full(len(different), -1 / len(different))]
    order = np.argsort(scores)
    lost = np.cumsum(gains[order])  # what a threshold just above each score costs
    cut = int(np.argmin(lost))
    upper = scores[order[min(cut + 1, len(order) - 1)]]
    return float((scores[order[cut]] + upper) / 2)


def true_accepts(same: Floats, different: Floats, rates: Sequence[float]) -> dict[float, float]:
    """Return, for each false accept rate, the share 0..1 of same pairs at or above the lowest threshold that
    lets no larger share of different pairs pass (TAR at FAR).
    """
    ordered = np.sort(different)
    accepted = {}
    for rate in rates:
        passing = int(rate * len(ordered))  # different pairs that may pass
        highest_refused = ordered[len(ordered) - passing - 1]
        accepted[rate] = float((same > highest_refused).mean())
    return accepted


def equal_error(same: Floats, different: Floats) -> tuple[float, float]:
    """Return the threshold at which as many same pairs fall below as different pairs reach it, and that
    error rate.
    """
    thresholds = np.unique(np.r_[same, different])
    missed = np.searchsorted(np.sort(same), thresholds) / len(same)  # same pairs below
    passed = 1 - np.searchsorted(np.sort(different), thresholds) / len(
        different
    )  # different pairs at or above
    place = int(np.argmin(np.abs(missed - passed)))
    return float(thresholds[place]), float((missed[place] + passed[place]) / 2)
