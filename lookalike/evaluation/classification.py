"""How well a network names people: pure functions of its shares and of the right names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float64]  # (n, names), rows that sum to 1
Labels = NDArray[np.intp]  # (n,) places among the names

BINS = 10  # of the calibration; with 400 photos, 40 in the mean


@dataclass(frozen=True)
class Scores:
    """`photos` judged; the shares, 0..1, of them with the right name first (`top1`) and among five (`top5`);
    `loss` the mean of -ln of the right name's share; `calibration_error` see `calibrate`.
    """

    photos: int
    top1: float
    top5: float
    loss: float
    calibration_error: float


@dataclass(frozen=True)
class Bin:
    """The photos whose first name got a share in one tenth of 0..1: how many, the mean share, and how many of
    them were right, 0..1.
    """

    photos: int
    said: float
    right: float


def judge(shares: Shares, labels: Labels) -> Scores:
    """Return the figures of (n, names) shares for n at least 1."""
    rank = (shares > _own(shares, labels)[:, None]).sum(axis=1)
    return Scores(
        photos=len(labels),
        top1=float((rank == 0).mean()),
        top5=float((rank < 5).mean()),
        loss=float(-np.log(np.maximum(_own(shares, labels), 1e-12)).mean()),
        calibration_error=calibration_error(calibrate(shares, labels)),
    )


def by_name(shares: Shares, labels: Labels, names: int) -> NDArray[np.float64]:
    """Return (names,) the share 0..1 of each name's photos that were named right, NaN where it has none."""
    right = (shares.argmax(axis=1) == labels).astype(float)
    counts = np.bincount(labels, minlength=names)
    sums = np.bincount(labels, right, minlength=names)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def confusion(shares: Shares, labels: Labels) -> NDArray[np.intp]:
    """Return (names, names) counts: a row a right name, a column the name that came first."""
    names = shares.shape[1]
    counts = np.zeros((names, names), np.intp)
    np.add.at(counts, (labels, shares.argmax(axis=1)), 1)
    return counts


def calibrate(shares: Shares, labels: Labels, bins: int = BINS) -> list[Bin]:
    """Return the photos in bins of the first name's share; empty bins are left out."""
    said, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    places = np.minimum((said * bins).astype(int), bins - 1)
    return [
        Bin(int(mine.sum()), float(said[mine].mean()), float(right[mine].mean()))
        for mine in (places == number for number in range(bins))
        if mine.any()
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Return the mean distance, 0..1, between what a network says and how often it is right, over photos
    (expected calibration error, Guo et al. 2017, https://arxiv.org/abs/1706.04599).
    """
    photos = sum(part.photos for part in bins)
    return sum(part.photos * abs(part.said - part.right) for part in bins) / photos


def nearest_names(enrolled: Shares, labels: Labels, probes: Shares, names: int) -> Labels:
    """Return (p,) the name of each probe's nearest enrolled photo, as the app's search finds it.

    `enrolled` (n, d) and `probes` (p, d) are rows of unit length, `labels` (n,) the enrolled ones' names.
    """
    best = np.full((len(probes), names), -np.inf)
    cosines = probes @ enrolled.T  # (p, d) x (d, n) -> (p, n)
    for name in range(names):
        mine = labels == name
        if mine.any():
            best[:, name] = cosines[:, mine].max(axis=1)
    return np.asarray(best.argmax(axis=1), np.intp)


def _own(shares: Shares, labels: Labels) -> NDArray[np.float64]:
    return shares[np.arange(len(labels)), labels]
