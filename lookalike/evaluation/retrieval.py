"""Does the right name come first? Some photos of each name are enrolled in a gallery, the others are looked
up; again and again with other photos enrolled, because much hangs on which they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import SourceError
from lookalike.evaluation.photos import Embedded

FIRST = 5  # names that the page shows
DRAWS = 20  # of the photos to enrol; the share of right names differs by half a point from draw to draw


@dataclass(frozen=True)
class Retrieval:
    """Photos looked up among `names`, photos among them that showed a face, the shares, 0..1 of all photos,
    with the right name first or among the first five, and the mean reciprocal rank: means over the draws.
    `deviation` is the standard deviation of `top1` from draw to draw.
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
    """Photos looked up in one draw: the place of each, the rank of its own name from 1 on (0 where no face
    was found), and the person who came first ("" then).
    """

    people: tuple[str, ...]
    places: NDArray[np.intp]
    ranks: NDArray[np.intp]
    first: tuple[str, ...]


def look_up_often(embedded: Embedded, *, enrolled_each: int) -> list[LookUps]:
    """Look up in DRAWS galleries, each enrolled by a draw of its own; raises what `look_up` raises."""
    return [look_up(embedded, enrolled_each=enrolled_each, seed=seed) for seed in range(DRAWS)]


def look_up(embedded: Embedded, *, enrolled_each: int, seed: int) -> LookUps:
    """Enrol `enrolled_each` photos of every person, drawn by chance among those that show a face, and look
    the others up; a person's score is the best of their photos, as in the app.

    Raises SourceError where nobody has more photos than are enrolled, or only one person is there.
    """
    people, owner = np.unique(np.asarray(embedded.people), return_inverse=True)
    random = np.random.default_rng(seed)
    gallery: list[int] = []
    for person in range(len(people)):
        mine = np.flatnonzero((owner == person) & embedded.found)
        gallery.extend(random.permutation(mine)[:enrolled_each].tolist())
    probes = np.setdiff1d(np.arange(len(owner)), gallery)
    probes = probes[np.isin(owner[probes], owner[gallery])]
    if len(probes) == 0 or len(np.unique(owner[gallery])) < 2:
        raise SourceError(f"Looking up needs people with more than {enrolled_each} photos, two at least.")
    scores = embedded.embeddings[probes] @ embedded.embeddings[gallery].T  # (p, d) x (d, g) -> (p, g)
    best = np.full((len(probes), len(people)), -np.inf, np.float32)
    for column, place in enumerate(gallery):
        np.maximum(best[:, owner[place]], scores[:, column], out=best[:, owner[place]])
    own = best[np.arange(len(probes)), owner[probes]]
    seen = embedded.found[probes]
    ranks = np.where(seen, 1 + (best > own[:, None]).sum(axis=1), 0)
    first = [str(people[name]) if face else "" for name, face in zip(best.argmax(axis=1), seen, strict=True)]
    return LookUps(tuple(map(str, people)), probes, ranks, tuple(first))


def summarize(draws: Sequence[NDArray[np.intp]], *, names: int) -> Retrieval:
    """Return the figures for each draw's ranks from 1 on, 0 without a face."""
    firsts = [(ranks == 1).mean() for ranks in draws]
    return Retrieval(
        names=names,
        draws=len(draws),
        photos=_mean(len(ranks) for ranks in draws),
        with_face=_mean((ranks > 0).sum() for ranks in draws),
        top1=_mean(firsts),
        deviation=float(np.std(firsts)),
        top5=_mean(((ranks > 0) & (ranks <= FIRST)).mean() for ranks in draws),
        reciprocal_rank=_mean(((ranks > 0) / np.maximum(ranks, 1)).mean() for ranks in draws),
    )


def by_side(embedded: Embedded, draws: Sequence[LookUps]) -> dict[str, Retrieval]:
    """Return the figures of all photos looked up, and apart those of people who were held out from training
    and of people who trained (with other photos, or with these).
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
    """Return how often a person was taken for a person, themselves among them, in all draws together."""
    people = embedded.people
    return Counter(
        (people[place], first)
        for found in draws
        for place, first in zip(found.places, found.first, strict=True)
        if first
    )


def display_names(embedded: Embedded) -> dict[str, str]:
    """Return how each person's name is written, by the person's key."""
    return {photo.person: photo.record.name for photo in embedded.photos}


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _side(side: str) -> str:
    return {"test": "held out", "validation": "chose settings"}.get(side, "trained on")
