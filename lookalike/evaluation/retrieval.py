"""Does the right name come first? Some photos of each name are enrolled in a gallery, the others are looked
up.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import SourceError
from lookalike.evaluation.photos import Embedded

FIRST = 5  # names that the page shows


@dataclass(frozen=True)
class Retrieval:
    """Photos looked up among `names`, photos among them that showed a face, the shares, 0..1 of all photos,
    with the right name first or among the first five, and the mean reciprocal rank.
    """

    names: int
    photos: int
    with_face: int
    top1: float
    top5: float
    reciprocal_rank: float


@dataclass(frozen=True)
class LookUps:
    """Photos looked up: the place of each, the rank of its own name from 1 on (0 where no face was found),
    and the person who came first ("" then).
    """

    people: tuple[str, ...]
    places: NDArray[np.intp]
    ranks: NDArray[np.intp]
    first: tuple[str, ...]


def look_up(embedded: Embedded, *, enrolled_each: int, seed: int = 0) -> LookUps:
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


def summarize(ranks: NDArray[np.intp], *, names: int) -> Retrieval:
    """Return the figures for ranks from 1 on, 0 without a face."""
    found = ranks > 0
    photos = max(len(ranks), 1)
    return Retrieval(
        names=names,
        photos=len(ranks),
        with_face=int(found.sum()),
        top1=float((ranks == 1).sum() / photos),
        top5=float((found & (ranks <= FIRST)).sum() / photos),
        reciprocal_rank=float((1 / ranks[found]).sum() / photos),
    )


def by_side(embedded: Embedded, found: LookUps) -> dict[str, Retrieval]:
    """Return the figures of all photos looked up, and apart those of people who were held out from training
    and of people who trained (with other photos, or with these).
    """
    sides = np.array([_side(embedded.photos[place].side) for place in found.places])
    names = len(found.people)
    figures = {"all": summarize(found.ranks, names=names)}
    for side in sorted(set(sides.tolist())):
        figures[side] = summarize(found.ranks[sides == side], names=names)
    return figures


def looked_up_people(embedded: Embedded, found: LookUps) -> list[str]:
    """Return the person of each photo that was looked up."""
    return [embedded.photos[place].person for place in found.places]


def confusions(embedded: Embedded, found: LookUps) -> dict[tuple[str, str], int]:
    """Return how often whom was taken for whom, the most frequent first."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for person, first in zip(looked_up_people(embedded, found), found.first, strict=True):
        if first and first != person:
            counts[person, first] += 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def display_names(embedded: Embedded) -> dict[str, str]:
    """Return how each person's name is written, by the person's key."""
    return {photo.person: photo.record.name for photo in embedded.photos}


def _side(side: str) -> str:
    return {"test": "held out", "validation": "chose settings"}.get(side, "trained on")
