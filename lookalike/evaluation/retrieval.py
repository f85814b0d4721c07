"""Does the right name come first? Some photos of each name are enrolled in a gallery, the others are looked
up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lookalike.errors import ImageError
from lookalike.finder import Lookalikes
from lookalike.sources import Record
from lookalike.splits import Split

FIRST = 5  # names that the page shows


@dataclass(frozen=True)
class Retrieval:
    """Photos looked up, photos among them that showed a face, and the shares, 0..1 of all photos, with the
    right name first or among the first five.
    """

    photos: int
    with_face: int
    top1: float
    top5: float


def retrieve(finder: Lookalikes, records: Iterable[Record], split: Split) -> dict[str, Retrieval]:
    """Look up the largest face of every record that the gallery has not enrolled, by the sides of `split`.

    Records under a name that the gallery does not have are passed over; a photo that cannot be read or
    shows no face counts as wrong. Returns the figures for `all` names and for those on each side.
    """
    enrolled = {finder.gallery.origin(row) for row in range(len(finder.gallery))}
    known = set(finder.gallery.names)
    ranks: dict[str, list[int | None]] = {"all": []}
    for record in records:
        if record.name not in known or record.origin in enrolled:
            continue
        rank = _rank(finder, record)
        side = "held out" if split.judges(record.name) else "trained on"
        ranks["all"].append(rank)
        ranks.setdefault(side, []).append(rank)
    return {side: summarize(found) for side, found in ranks.items()}


def summarize(ranks: Sequence[int | None]) -> Retrieval:
    """Return the figures for ranks counted from 1: 0 where the name is not among the first five, None
    without a face.
    """
    photos = max(len(ranks), 1)
    return Retrieval(
        photos=len(ranks),
        with_face=sum(rank is not None for rank in ranks),
        top1=sum(rank == 1 for rank in ranks) / photos,
        top5=sum(bool(rank) for rank in ranks) / photos,
    )


def _rank(finder: Lookalikes, record: Record) -> int | None:
    try:
        faces = finder.find(record.image, count=FIRST)
    except ImageError:
        return None
    if not faces:
        return None
    return next((match.rank for match in faces[0].matches if match.name == record.name), 0)
