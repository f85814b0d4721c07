"""Select the faces of each name for the gallery: the best ones, without copies and likely wrong labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.models.duplicates import SAMPLE, copy_cosine
from lookalike.models.embedder import Embeddings, unit_rows
from lookalike.sources.records import Facts

# A photo is an outlier if its cosine with the name's mean is lower than that of one stranger's photo in a
# hundred. Measured on 4,103 Bollywood faces of 48 names, ten photos a name enrolled from one half, the other
# half looked up, mean of five draws. Rank-1 accuracy with and without dropping outliers:
#   `compact`: 97.9 and 97.7 %; with 5 % wrong labels 97.4 and 90.7 %; with 20 % wrong labels 96.5 and 77.0 %
#   a public MobileFaceNet: 99.4 and 99.2 %; 99.4 and 92.8 %; 99.0 and 77.9 %
# Quantiles from 0.95 to 0.999 give nearly the same.
STRANGER_QUANTILE = 0.99
# Of two photos that disagree, either may be the wrong one, so both are outliers: they are less alike than
# nine in ten pairs of a photo and a stranger's mean. Of 784 names with two photos, with `compact`, five are
# below it (two sportsmen of one name, wrong labels) with cosines of 0.03 and less; the next one has 0.17.
PAIR_QUANTILE = 0.90
SAMPLE_PHOTOS = 2000  # and half as many names stand for all: one hundredth of their pairs are thousands
MIN_PHOTOS = 3  # whose mean can be trusted

LeftOut = Literal["outlier", "duplicate", "beyond", "too few"]
Cosines = NDArray[np.float32]  # (photos,) of one person


@dataclass(frozen=True, eq=False)
class Candidate:
    """A face that passed the gate, with its unit embedding (dim,) and its quality, 0..1.

    `place` is the index of its record among all records, `digest` is its photo's.
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
    facts: Facts | None = None


@dataclass(frozen=True)
class Selection:
    """The kept faces by name, the best first, and the others with the reason."""

    kept: dict[str, list[Candidate]]
    left_out: list[tuple[Candidate, LeftOut]]


def select(candidates: Sequence[Candidate], *, photos_per_name: int, min_photos: int) -> Selection:
    """Drop outliers, copies, names with fewer than `min_photos`, and all but the best `photos_per_name`."""
    people: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        people.setdefault(candidate.name, []).append(candidate)
    embeddings = [np.stack([face.embedding for face in faces]) for faces in people.values()]
    closeness = copy_cosine([rows[:SAMPLE] for rows in embeddings])
    left_out: list[tuple[Candidate, LeftOut]] = []
    kept: dict[str, list[Candidate]] = {}
    for (name, faces), outliers in zip(people.items(), find_outliers(embeddings), strict=True):
        left_out += [(face, "outlier") for face in _where(faces, outliers)]
        best = sorted(_where(faces, ~outliers), key=lambda face: (-face.quality, face.place))
        copies = find_copies([face.embedding for face in best], closeness)
        left_out += [(face, "duplicate") for face in _where(best, copies)]
        single = _where(best, ~copies)
        if len(single) >= max(min_photos, 1):
            kept[name] = single[:photos_per_name]
            left_out += [(face, "beyond") for face in single[photos_per_name:]]
        else:
            left_out += [(face, "too few") for face in single]
    return Selection(kept, left_out)


def _where(faces: Sequence[Candidate], flags: NDArray[np.bool_]) -> list[Candidate]:
    return [face for face, flag in zip(faces, flags, strict=True) if flag]


def find_copies(photos: Sequence[NDArray[np.float32]], closeness: float) -> NDArray[np.bool_]:
    """Return for each photo of one person whether it is a copy of an earlier one.

    `photos` are unit vectors, the best first; copies have a cosine of at least `closeness`.
    """
    copies = np.zeros(len(photos), bool)
    for place in range(1, len(photos)):
        better = np.stack([photos[i] for i in np.flatnonzero(~copies[:place]).tolist()])
        copies[place] = (better @ photos[place]).max() >= closeness  # (kept, dim) x (dim,)
    return copies


def find_outliers(people: Sequence[Embeddings]) -> list[NDArray[np.bool_]]:
    """Return for each person's photos, (photos, dim) rows of unit length, which look mislabelled.

    The threshold is estimated from these photos, so it fits every model: the STRANGER_QUANTILE of cosines
    with other people's means, for the cosine of two photos the PAIR_QUANTILE. With a weak model, for which
    that is too high, it is half-way between the medians of cosines with other people's means and with the
    own mean.
    """
    own = [photos @ direction(photos) for photos in people]
    tested = [cosines for cosines in own if len(cosines) >= MIN_PHOTOS]
    if len(people) < 2 or not tested:
        return [np.zeros(len(photos), bool) for photos in people]
    strangers = _cosines_with_strangers(people)
    half_way = (np.median(strangers) + np.median(np.concatenate(tested))) / 2
    of_many, of_two = (min(np.quantile(strangers, q), half_way) for q in (STRANGER_QUANTILE, PAIR_QUANTILE))
    flags = []
    for photos, cosines in zip(people, own, strict=True):
        if len(photos) == 2:
            flags.append(np.full(2, photos[0] @ photos[1] < of_two))
        else:
            flags.append((cosines < of_many) & (len(photos) >= MIN_PHOTOS))
    return flags


def direction(photos: Embeddings) -> NDArray[np.float32]:
    """Return the unit mean (dim,) of the half of a person's photos that agree best, in two iterations."""
    mean = photos.mean(axis=0)
    for _ in range(2):
        cosines = photos @ mean  # (photos, dim) x (dim,)
        mean = np.asarray(photos[cosines >= np.median(cosines)].mean(axis=0))
    row: NDArray[np.float32] = unit_rows(mean[None])[0]
    return row


def _cosines_with_strangers(people: Sequence[Embeddings]) -> Cosines:
    """Return the cosines (n,) of a sample of photos with a sample of other people's directions."""
    photos = np.concatenate(people)
    owners = np.repeat(np.arange(len(people)), [len(faces) for faces in people])  # (photos,)
    rows, names = evenly(len(photos), SAMPLE_PHOTOS), evenly(len(people), SAMPLE_PHOTOS // 2)
    directions = np.stack([direction(people[name]) for name in names])
    cosines = photos[rows] @ directions.T  # (r, dim) x (dim, n) -> (r, n)
    strangers: Cosines = cosines[owners[rows][:, None] != names[None, :]]
    return strangers


def evenly(count: int, most: int) -> NDArray[np.intp]:
    """Return at most `most` indices, spread evenly over 0..count-1."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))
