"""Which of a name's faces go into the gallery: the best ones, without those that look mislabelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.models.duplicates import USUAL_PHOTOS, copy_cosine
from lookalike.models.embedder import Embeddings, unit_rows

# A photo is an outlier when one stranger's photo in a hundred comes closer to the name's direction. Measured
# on 4,103 Bollywood faces of 48 names, half of them to enrol from, ten a name, the others looked up, the mean
# of five draws: of what is no outlier itself, the right name comes first in 97.9 % instead of 97.7 % with
# `compact`; with every twentieth face enrolled under a wrong name in 97.4 instead of 90.7 %, with every fifth
# in 96.5 instead of 77.0 %. With a public MobileFaceNet 99.4 instead of 99.2, 99.4 instead of 92.8, and 99.0
# instead of 77.9 %. From 0.95 to 0.999 the figures hardly change.
STRANGERS = 0.99
SAMPLE = 2000  # photos, and half as many names, that stand for all: a hundredth of their pairs is thousands
PHOTOS_TO_JUDGE = 3  # of two photos that disagree nobody can say which is wrong

LeftOut = Literal["outlier", "duplicate", "beyond", "too few"]
Cosines = NDArray[np.float32]  # (photos,) of one person


@dataclass(frozen=True, eq=False)
class Candidate:
    """A face that passed the gate: its unit embedding (dim,), and `quality`, 0..1, the higher the better.

    `place` is the record's among all, and `digest` its photo's.
    """

    name: str
    embedding: NDArray[np.float32]
    quality: float
    confidence: float
    origin: str
    category: str | None = None
    digest: bytes = b""
    place: int = 0
    age: int | None = None
    gender: str | None = None


@dataclass(frozen=True)
class Selection:
    """The kept faces by name, the best of each first, and why the others were left out."""

    kept: dict[str, list[Candidate]]
    left_out: list[tuple[Candidate, LeftOut]]


def select(candidates: Sequence[Candidate], *, photos_per_name: int, min_photos: int) -> Selection:
    """Drop outliers, copies, names with fewer than `min_photos`, and all but the best `photos_per_name`."""
    people: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        people.setdefault(candidate.name, []).append(candidate)
    flags = find_outliers([np.stack([face.embedding for face in faces]) for faces in people.values()])
    closeness = copy_cosine(
        [np.stack([face.embedding for face in faces[:USUAL_PHOTOS]]) for faces in people.values()]
    )
    left_out: list[tuple[Candidate, LeftOut]] = []
    kept: dict[str, list[Candidate]] = {}
    for (name, faces), wrong in zip(people.items(), flags, strict=True):
        trusted = [face for face, is_wrong in zip(faces, wrong, strict=True) if not is_wrong]
        left_out += [(face, "outlier") for face, is_wrong in zip(faces, wrong, strict=True) if is_wrong]
        best = sorted(trusted, key=lambda face: (-face.quality, face.place))
        copies = find_copies([face.embedding for face in best], closeness)
        left_out += [(face, "duplicate") for face, is_copy in zip(best, copies, strict=True) if is_copy]
        single = [face for face, is_copy in zip(best, copies, strict=True) if not is_copy]
        if len(single) >= max(min_photos, 1):
            kept[name] = single[:photos_per_name]
            left_out += [(face, "beyond") for face in single[photos_per_name:]]
        else:
            left_out += [(face, "too few") for face in single]
    return Selection(kept, left_out)


def find_copies(photos: Sequence[NDArray[np.float32]], closeness: float) -> NDArray[np.bool_]:
    """Say of each photo of one person, unit vectors, the best first, whether it copies a better one."""
    copies = np.zeros(len(photos), bool)
    for place in range(1, len(photos)):
        better = np.stack([photos[i] for i in np.flatnonzero(~copies[:place]).tolist()])
        copies[place] = (better @ photos[place]).max() >= closeness  # (kept, dim) x (dim,)
    return copies


def find_outliers(people: Sequence[Embeddings]) -> list[NDArray[np.bool_]]:
    """Say of each photo of each person, (photos, dim) rows of unit length, whether it looks mislabelled.

    The threshold comes from the gallery itself, so that it fits every model: see STRANGERS. Where a weak
    model's strangers come as close as the people themselves, it is half-way between their medians.
    """
    if len(people) < 2:
        return [np.zeros(len(photos), bool) for photos in people]
    directions = np.stack([direction(photos) for photos in people])
    own = [photos @ towards for photos, towards in zip(people, directions, strict=True)]
    threshold = _threshold(people, directions, own)
    return [(cosines < threshold) & (len(cosines) >= PHOTOS_TO_JUDGE) for cosines in own]


def direction(photos: Embeddings) -> NDArray[np.float32]:
    """Return the unit mean (dim,) of the half of a person's photos that agree best, found in two rounds."""
    mean = photos.mean(axis=0)
    for _ in range(2):
        cosines = photos @ mean  # (photos, dim) x (dim,)
        mean = np.asarray(photos[cosines >= np.median(cosines)].mean(axis=0))
    row: NDArray[np.float32] = unit_rows(mean[None])[0]
    return row


def _threshold(people: Sequence[Embeddings], directions: Embeddings, own: Sequence[Cosines]) -> float:
    judged = [cosines for cosines in own if len(cosines) >= PHOTOS_TO_JUDGE]
    if not judged:
        return -1.0
    photos = np.concatenate(people)
    owners = np.repeat(np.arange(len(people)), [len(faces) for faces in people])  # (photos,)
    rows, names = evenly(len(photos), SAMPLE), evenly(len(people), SAMPLE // 2)
    cosines = photos[rows] @ directions[names].T  # (r, dim) x (dim, n) -> (r, n)
    strangers = cosines[owners[rows][:, None] != names[None, :]]
    half_way = (np.median(strangers) + np.median(np.concatenate(judged))) / 2
    return float(min(np.quantile(strangers, STRANGERS), half_way))


def evenly(count: int, most: int) -> NDArray[np.intp]:
    """Return at most `most` places spread evenly over 0..count-1; the same every time."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))
