"""How well a model does for different people and photos: by source, by colour, by detector, and by what has
happened to the photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import SourceError
from lookalike.evaluation.metrics import balanced_accuracy, equal_error, roc_auc
from lookalike.evaluation.perturbations import Change, at_edge, changes
from lookalike.evaluation.photos import Embedded, Photo, embed_photos
from lookalike.faces.face import RGB, Detector
from lookalike.models.embedder import Embedder

PHOTOS_PER_PERSON = 4  # drawn from the first ones; more would let a few people stand for everybody


@dataclass(frozen=True)
class Group:
    """How well changed photos are recognized against the others as they are.

    `found` is the share of photos in which the detector finds a face. `accuracy` is the balanced accuracy,
    0..1, of "same person or not" at the threshold of equal error on unchanged photos, a photo without a face
    counting as wrong; `auc` the ROC AUC of the pairs with a face; `top1` the share whose nearest other photo
    is of the same person, among everybody's unchanged photos; `steadiness` the median cosine between a
    photo's embedding and the unchanged one's, where both show a face. None where there is nothing to
    compare.
    """

    group: str
    value: str
    photos: int
    found: float
    accuracy: float | None
    auc: float | None
    top1: float | None
    steadiness: float | None


def measure_groups(
    photos: Sequence[Photo], embedder: Embedder, detector: Detector, others: Sequence[Detector]
) -> list[Group]:
    """Return a row for all photos, for those of each source and colour, for each of the `others` that finds
    the faces instead of `detector`, and for each change.

    Raises SourceError where no two faces show one person, or no two show different people.
    """
    plain = embed_photos(photos, detector, embedder, change=at_edge)
    threshold = _threshold(plain)
    grey = np.array([photo.grey() for photo in plain.photos])
    sources = np.array([photo.source for photo in plain.photos])
    rows = [_measure("all", "as they are", plain, plain, threshold)]
    for source in np.unique(sources):
        rows.append(_within("source", str(source), plain, sources == source, threshold))
    for value, members in (("colour", ~grey), ("grey", grey)):
        if members.any():
            rows.append(_within("photo", value, plain, members, threshold))
    for other in others:
        found = embed_photos(photos, other, embedder, change=at_edge)
        rows.append(_measure("detector", other.name, found, plain, threshold))
    for group, value, change in changes():
        found = embed_photos(photos, detector, embedder, change=partial(_apply, change))
        rows.append(_measure(group, value, found, plain, threshold))
    return rows


def _apply(change: Change, image: RGB) -> RGB:
    return change(at_edge(image))


def few_of_several(photos: Sequence[Photo], count: int = PHOTOS_PER_PERSON) -> list[Photo]:
    """Return the first `count` photos of every person who has at least two."""
    by_person: dict[str, list[Photo]] = {}
    for photo in photos:
        by_person.setdefault(photo.person, []).append(photo)
    return [photo for mine in by_person.values() if len(mine) > 1 for photo in mine[:count]]


def _within(group: str, value: str, plain: Embedded, members: NDArray[np.bool_], threshold: float) -> Group:
    """Measure the photos of one group among themselves."""
    part = plain.take(np.flatnonzero(members))
    return _measure(group, value, part, part, threshold)


def _measure(group: str, value: str, probes: Embedded, plain: Embedded, threshold: float) -> Group:
    """Compare each photo of `probes` with the others of `plain`, the same photos in the same order."""
    owner = np.unique(np.asarray(plain.people), return_inverse=True)[1]
    cosines = np.where(
        probes.found[:, None] & plain.found[None, :], probes.embeddings @ plain.embeddings.T, np.nan
    )  # (n, d) x (d, n) -> (n, n)
    np.fill_diagonal(cosines, np.nan)  # a photo is not compared with itself
    alike = owner[:, None] == owner[None, :]
    other = ~np.eye(len(owner), dtype=bool) & plain.found[None, :]
    same, different = cosines[alike & other], cosines[~alike & other]
    seen_same, seen_different = same[~np.isnan(same)], different[~np.isnan(different)]
    nearest = np.where(np.isnan(cosines), -np.inf, cosines).argmax(axis=1)
    has_other = (alike & other).any(axis=1)
    right = probes.found & (owner[nearest] == owner)
    both = probes.found & plain.found
    steady = (probes.embeddings[both] * plain.embeddings[both]).sum(axis=1)
    comparable = len(same) > 0 and len(different) > 0
    return Group(
        group=group,
        value=value,
        photos=len(owner),
        found=float(probes.found.mean()),
        # a pair without a face is neither "same" nor "different": wrong on either side
        accuracy=balanced_accuracy(same, different, threshold) if comparable else None,
        auc=roc_auc(seen_same, seen_different) if len(seen_same) and len(seen_different) else None,
        top1=float(right[has_other].mean()) if has_other.any() else None,
        steadiness=float(np.median(steady)) if len(steady) else None,
    )


def _threshold(plain: Embedded) -> float:
    """Return the threshold at equal error on the photos as they are."""
    owner = np.unique(np.asarray(plain.people), return_inverse=True)[1]
    seen = np.flatnonzero(plain.found)
    cosines = plain.embeddings[seen] @ plain.embeddings[seen].T
    alike = owner[seen][:, None] == owner[seen][None, :]
    above = np.triu(np.ones_like(alike), k=1)
    same, different = cosines[alike & above], cosines[~alike & above]
    if not len(same) or not len(different):
        raise SourceError("Groups need two photos of one person, and photos of two people, at least.")
    return equal_error(same, different)[0]
