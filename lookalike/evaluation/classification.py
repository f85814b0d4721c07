"""Metrics of a classifier of people: pure functions of predicted probabilities and true labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]  # (n, names), rows that sum to 1
Labels = NDArray[np.intp]  # (n,) indices of names

BINS = 10  # of the calibration curve; with 400 photos, 40 each on average


@dataclass(frozen=True)
class Scores:
    """Figures for `photos` photos: top-1 and top-5 accuracy, 0..1, the mean cross-entropy `loss` in nats, and
    the expected calibration error, see `calibration_error`.
    """

    photos: int
    top1: float
    top5: float
    loss: float
    calibration_error: float


@dataclass(frozen=True)
class Bin:
    """Photos whose highest probability lies in one interval: their number, their mean confidence (the highest
    probability) and their accuracy, both 0..1.
    """

    photos: int
    confidence: float
    accuracy: float


def score(probabilities: Probabilities, labels: Labels) -> Scores:
    """Return the figures for (n, names) probabilities, n at least 1."""
    true = _of_true_name(probabilities, labels)
    rank = (probabilities > true[:, None]).sum(axis=1)
    return Scores(
        photos=len(labels),
        top1=float((rank == 0).mean()),
        top5=float((rank < 5).mean()),
        loss=float(-np.log(np.maximum(true, 1e-12)).mean()),
        calibration_error=calibration_error(calibrate(probabilities, labels)),
    )


def by_name(probabilities: Probabilities, labels: Labels, names: int) -> NDArray[np.float64]:
    """Return the (names,) accuracy, 0..1, for the photos of each name; NaN for a name without photos."""
    right = (probabilities.argmax(axis=1) == labels).astype(float)
    counts = np.bincount(labels, minlength=names)
    sums = np.bincount(labels, right, minlength=names)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def confusion(probabilities: Probabilities, labels: Labels) -> NDArray[np.intp]:
    """Return the (names, names) confusion matrix: a row per true name, a column per predicted name."""
    names = probabilities.shape[1]
    counts = np.zeros((names, names), np.intp)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return counts


def calibrate(probabilities: Probabilities, labels: Labels, bins: int = BINS) -> list[Bin]:
    """Return the photos in bins of equal width by their highest probability, without empty bins."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    indices = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(int(inside.sum()), float(confidence[inside].mean()), float(right[inside].mean()))
        for inside in (indices == number for number in range(bins))
        if inside.any()
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Return the mean difference, 0..1, between confidence and accuracy, weighted by photos.

    It is the expected calibration error of Guo et al. 2017, https://arxiv.org/abs/1706.04599.
    """
    photos = sum(part.photos for part in bins)
    return sum(part.photos * abs(part.confidence - part.accuracy) for part in bins) / photos


def nearest_names(
    enrolled: NDArray[np.floating], labels: Labels, probes: NDArray[np.floating], names: int
) -> Labels:
    """Return the (p,) name of the nearest enrolled photo for each probe, as the app's search finds it.

    `enrolled` (n, d) and `probes` (p, d) are rows of unit length, `labels` (n,) the names of the enrolled
    rows.
    """
    best = np.full((len(probes), names), -np.inf)
    cosines = probes @ enrolled.T  # (p, d) x (d, n) -> (p, n)
    for name in range(names):
        of_name = labels == name
        if of_name.any():
            best[:, name] = cosines[:, of_name].max(axis=1)
    return np.asarray(best.argmax(axis=1), np.intp)


def _of_true_name(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    return probabilities[np.arange(len(labels)), labels]
