"""Retrieval: is the right name the first match?

Some photos of each name are enrolled in a gallery, and the others are looked up in it. This is repeated with
other enrolled photos, because the result depends much on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import SourceError
from lookalike.evaluation.photos import Embedded

TOP = 5  # names that the page shows
DRAWS = 20  # repetitions; top-1 accuracy has a standard deviation of half a point between draws


@dataclass(frozen=True)
class Retrieval:
    """Means over the draws: photos looked up among `names` names, those with a face, top-1 and top-5
    accuracy, 0..1 of all photos, and the mean reciprocal rank. `deviation` is the standard deviation of
    `top1` between draws.
    """

    names: int
    draws: int
    photos: float
    with_face: float
    top1: float
    deviation: float
    top5: float
    reciprocal_rank: float


@dataclass(frozen=True)
class LookUps:
    """Photos looked up in one draw: the index of each, the rank of its true name, counted from 1, and the
    person of the first match. Without a face the rank is 0 and the person is "".
    """

    people: tuple[str, ...]
    places: NDArray[np.intp]
    ranks: NDArray[np.intp]
    first: tuple[str, ...]


def look_up_often(embedded: Embedded, *, enrolled_each: int) -> list[LookUps]:
    """Look up in DRAWS galleries with different enrolled photos; raises the errors of `look_up`."""
    return [look_up(embedded, enrolled_each=enrolled_each, seed=seed) for seed in range(DRAWS)]


def look_up(embedded: Embedded, *, enrolled_each: int, seed: int) -> LookUps:
    """Enrol `enrolled_each` random photos with a face of every person, and look up the others.

    A person's score is that of their best photo, as in the app. Raises SourceError if nobody has more photos
    than are enrolled, or if there is only one person.
    """
    people, owner = np.unique(np.asarray(embedded.people), return_inverse=True)
    random = np.random.default_rng(seed)
    gallery: list[int] = []
    for person in range(len(people)):
        indices = np.flatnonzero((owner == person) & embedded.found)
        gallery.extend(random.permutation(indices)[:enrolled_each].tolist())
    probes = np.setdiff1d(np.arange(len(owner)), gallery)
    probes = probes[np.isin(owner[probes], owner[gallery])]
    if len(probes) == 0 or len(np.unique(owner[gallery])) < 2:
        raise SourceError(f"Retrieval needs at least two people with more than {enrolled_each} photos each.")
    scores = embedded.embeddings[probes] @ embedded.embeddings[gallery].T  # (p, d) x (d, g) -> (p, g)
    best = np.full((len(probes), len(people)), -np.inf, np.float32)
    for column, place in enumerate(gallery):
        np.maximum(best[:, owner[place]], scores[:, column], out=best[:, owner[place]])
    true = best[np.arange(len(probes)), owner[probes]]
    has_face = embedded.found[probes]
    ranks = np.where(has_face, 1 + (best > true[:, None]).sum(axis=1), 0)
    first = [
        str(people[name]) if face else "" for name, face in zip(best.argmax(axis=1), has_face, strict=True)
    ]
    return LookUps(tuple(map(str, people)), probes, ranks, tuple(first))


def summarize(draws: Sequence[NDArray[np.intp]], *, names: int) -> Retrieval:
    """Return the figures for the ranks in each draw; ranks count from 1, and 0 means no face."""
    firsts = [(ranks == 1).mean() for ranks in draws]
    return Retrieval(
        names=names,
        draws=len(draws),
        photos=_mean(len(ranks) for ranks in draws),
        with_face=_mean((ranks > 0).sum() for ranks in draws),
        top1=_mean(firsts),
        deviation=float(np.std(firsts)),
        top5=_mean(((ranks > 0) & (ranks <= TOP)).mean() for ranks in draws),
        reciprocal_rank=_mean(((ranks > 0) / np.maximum(ranks, 1)).mean() for ranks in draws),
    )


def by_side(embedded: Embedded, draws: Sequence[LookUps]) -> dict[str, Retrieval]:
    """Return the figures for all photos, and separately for people in the test set, the validation set and
    the training set.
    """
    side_of = np.array([_side(photo.side) for photo in embedded.photos])
    names = len(draws[0].people)
    figures = {"all": summarize([found.ranks for found in draws], names=names)}
    for side in np.unique(side_of).tolist():
        ranks = [found.ranks[side_of[found.places] == side] for found in draws]
        if all(map(len, ranks)):
            figures[side] = summarize(ranks, names=names)
    return figures


def taken_for(embedded: Embedded, draws: Sequence[LookUps]) -> Counter[tuple[str, str]]:
    """Return how often the first person was taken for the second in all draws, correct ones included."""
    people = embedded.people
    return Counter(
        (people[place], first)
        for found in draws
        for place, first in zip(found.places, found.first, strict=True)
        if first
    )


def display_names(embedded: Embedded) -> dict[str, str]:
    """Return the name for display of each person, by the person's key."""
    return {photo.person: photo.record.name for photo in embedded.photos}


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _side(side: str) -> str:
    return {"test": "test", "validation": "validation"}.get(side, "training")
