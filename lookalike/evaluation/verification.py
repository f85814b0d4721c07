"""Do two photos show one person? The protocol of Labeled Faces in the Wild.

Huang et al. 2007 (http://vis-www.cs.umass.edu/lfw/): ten folds of pairs that share no person; the threshold
for each fold is chosen on the others. The pairs here are not half same, half different, so accuracy is
balanced.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import MissingFileError, SourceError
from lookalike.evaluation.metrics import balanced_accuracy, best_threshold, equal_error, roc_auc


@dataclass(frozen=True)
class Pair:
    """Two photos by file name, whether they show one person, and the protocol's fold, 0..9."""

    first: str
    second: str
    same: bool
    fold: int


@dataclass(frozen=True)
class Verification:
    """Balanced accuracy 0..1 (mean and standard deviation over folds), ROC AUC, and the threshold at equal
    error.
    """

    pairs: int
    accuracy: float
    deviation: float
    auc: float
    threshold: float
    error: float


def read_pairs(path: Path) -> list[Pair]:
    """Read a tab-separated file of `first`, `second`, `same`: a block of same pairs, one of different ones,
    a fold.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no list of pairs at {path}.")
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            (row["first"], row["second"], row["same"] == "1") for row in csv.DictReader(file, delimiter="\t")
        ]
    pairs, fold = [], 0
    for place, (first, second, same) in enumerate(rows):
        if place and same and not rows[place - 1][2]:
            fold += 1
        pairs.append(Pair(first, second, same, fold))
    return pairs


def verify(cosines: NDArray[np.float32], pairs: Sequence[Pair]) -> Verification:
    """Judge a model by its cosines of `pairs`; wants at least two folds with same and different pairs."""
    same = np.array([pair.same for pair in pairs])
    folds = np.array([pair.fold for pair in pairs])
    if len(set(folds.tolist())) < 2:
        raise SourceError("Verification needs pairs of at least two folds.")
    scores = []
    for fold in np.unique(folds):
        here, rest = folds == fold, folds != fold
        threshold = best_threshold(cosines[rest & same], cosines[rest & ~same])
        scores.append(balanced_accuracy(cosines[here & same], cosines[here & ~same], threshold))
    threshold, error = equal_error(cosines[same], cosines[~same])
    return Verification(
        len(pairs),
        float(np.mean(scores)),
        float(np.std(scores)),
        roc_auc(cosines[same], cosines[~same]),
        threshold,
        error,
    )
