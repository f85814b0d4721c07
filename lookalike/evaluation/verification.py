"""Do two photos show one person? The protocol of Labeled Faces in the Wild, and the rates among all pairs.

Huang et al. 2007 (http://vis-www.cs.umass.edu/lfw/): ten folds of pairs that share no person; the threshold
for each fold is chosen on the others. The pairs here are not half same, half different, so accuracy is
balanced.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import MissingFileError, SourceError
from lookalike.evaluation.metrics import balanced_accuracy, best_threshold, equal_error, roc_auc, true_accepts
from lookalike.evaluation.photos import Embedded, few_each
from lookalike.models.pairs import pair_scores

FALSE_ACCEPTS = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class Pair:
    """Two photos by file name, whether they show one person, and the protocol's fold, 0..9."""

    first: str
    second: str
    same: bool
    fold: int


@dataclass(frozen=True)
class Verification:
    """How well a model tells whether two photos show one person.

    On the protocol's pairs: balanced accuracy 0..1 (mean and standard deviation over folds), ROC AUC, the
    threshold at equal error and that error. Among all pairs of `people`: `true_accepts` maps a false accept
    rate to the share of same-person pairs that pass.
    """

    pairs: int
    folds: int
    accuracy: float
    deviation: float
    auc: float
    threshold: float
    error: float
    people: int
    stranger_pairs: int
    same_pairs: int
    true_accepts: dict[float, float]


@dataclass(frozen=True)
class SourceRates:
    """True accept rates among the pairs of one source's photos in colour, or of its grey ones.

    `true_accepts` is as in Verification; it is empty where there are no pairs of one kind.
    """

    source: str
    grey: bool
    people: int
    photos: int
    same_pairs: int
    true_accepts: dict[float, float]


@dataclass(frozen=True)
class PairScores:
    """The pairs of a protocol and their cosines, -1 where a photo shows no face."""

    pairs: tuple[Pair, ...]
    cosines: NDArray[np.float32]

    @property
    def same(self) -> NDArray[np.float32]:
        """The cosines of the same-person pairs."""
        return self.cosines[[pair.same for pair in self.pairs]]

    @property
    def different(self) -> NDArray[np.float32]:
        """The cosines of the cross-person pairs."""
        return self.cosines[[not pair.same for pair in self.pairs]]


def read_pairs(path: Path) -> list[Pair]:
    """Read a tab-separated file of `first`, `second`, `same`: a block of same pairs, one of different ones,
    a fold. Raises MissingFileError, and SourceError where it is no such file.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no list of pairs at {path}.")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.DictReader(file, delimiter="\t")
            rows = [(line["first"], line["second"], line["same"] == "1") for line in lines]
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path} needs the columns first, second and same, separated by tabs.") from error
    pairs, fold = [], 0
    for place, (first, second, same) in enumerate(rows):
        if place and same and not rows[place - 1][2]:
            fold += 1
        pairs.append(Pair(first, second, same, fold))
    return pairs


def score_pairs(embedded: Embedded, pairs: Sequence[Pair]) -> PairScores:
    """Return the pairs whose two photos are here, by file name, and their cosines.

    Raises SourceError where they fill fewer than two folds.
    """
    place = {photo.record.file: row for row, photo in enumerate(embedded.photos)}
    here = [pair for pair in pairs if pair.first in place and pair.second in place]
    if len({pair.fold for pair in here}) < 2:
        raise SourceError(
            "Verification needs pairs of at least two folds; name the source that holds their photos."
        )
    first, second = ([place[getattr(pair, side)] for pair in here] for side in ("first", "second"))
    cosines = (embedded.embeddings[first] * embedded.embeddings[second]).sum(axis=1)
    seen = embedded.found[first] & embedded.found[second]
    return PairScores(tuple(here), np.where(seen, cosines, np.float32(-1)).astype(np.float32))


def verify(scores: PairScores, embedded: Embedded) -> Verification:
    """Evaluate a model by a protocol's pairs, and by all pairs of the faces that were found."""
    same, different = all_pairs(embedded)
    accuracies = fold_accuracies(scores)
    threshold, error = equal_error(scores.same, scores.different)
    return Verification(
        pairs=len(scores.pairs),
        folds=len(accuracies),
        accuracy=float(np.mean(accuracies)),
        deviation=float(np.std(accuracies)),
        auc=roc_auc(scores.same, scores.different),
        threshold=threshold,
        error=error,
        people=len(set(embedded.people)),
        stranger_pairs=len(different),
        same_pairs=len(same),
        true_accepts=true_accepts(same, different, FALSE_ACCEPTS),
    )


def rates_by_source(embedded: Embedded) -> list[SourceRates]:
    """Return the rates of each source, its photos in colour apart from its grey ones.

    One rate for all pairs would hide a weak source: pairs across sources are easy to tell apart.
    """
    places: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for place, photo in enumerate(embedded.photos):
        places[photo.source, photo.grey()].append(place)
    rates = []
    for (source, grey), members in sorted(places.items()):
        part = embedded.take(members)
        same, different = all_pairs(part)
        accepts = true_accepts(same, different, FALSE_ACCEPTS) if len(same) and len(different) else {}
        rates.append(SourceRates(source, grey, len(set(part.people)), len(members), len(same), accepts))
    return rates


def fold_accuracies(scores: PairScores) -> list[float]:
    """Return the balanced accuracy of each fold, with the threshold that is best on the others."""
    same = np.array([pair.same for pair in scores.pairs])
    folds = np.array([pair.fold for pair in scores.pairs])
    accuracies = []
    for fold in np.unique(folds):
        here, rest = folds == fold, folds != fold
        threshold = best_threshold(scores.cosines[rest & same], scores.cosines[rest & ~same])
        accuracies.append(
            balanced_accuracy(scores.cosines[here & same], scores.cosines[here & ~same], threshold)
        )
    return accuracies


def all_pairs(embedded: Embedded) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the cosines of all same-person and all cross-person pairs among the faces that were found, at
    most PHOTOS_PER_PERSON of a person.
    """
    chosen = embedded.take([place for place in few_each(embedded.people) if embedded.found[place]])
    return pair_scores(chosen.embeddings, chosen.people)
