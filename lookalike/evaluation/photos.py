"""Labelled photos, and their embeddings made as in the app: of the largest detected face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lookalike.errors import ImageError, SourceError
from lookalike.evaluation.splits import Side, Split
from lookalike.faces.face import RGB, Detector
from lookalike.images import read_image
from lookalike.models.embedder import BATCH, Embedder, Embeddings, crop_face
from lookalike.sources.opening import Record, open_source

T = TypeVar("T")

PHOTOS_PER_PERSON = 8  # so that people with hundreds of photos do not stand for everybody
GREY_SPREAD = 3.0  # mean difference of the channels, 0..255, below which a photo is gray; JPEG adds some


@dataclass(frozen=True)
class Photo:
    """A labelled photo with its person's key in the split, its source, and its side of the split."""

    record: Record
    person: str
    source: str
    side: Side

    def image(self) -> RGB:
        """Return the decoded photo, (H, W, 3) uint8 RGB; raise ImageError if it cannot be read."""
        return read_image(self.record.image)

    def grey(self) -> bool:
        """Return whether the photo can be read and has no colour."""
        try:
            image = self.image()
        except ImageError:
            return False
        return bool(np.ptp(image.astype(np.int16), axis=2).mean() < GREY_SPREAD)


@dataclass(frozen=True)
class Embedded:
    """Photos with their (n, dim) float32 embeddings of unit length.

    A photo without a detected face has a row of zeros, and False in `found`, which is (n,).
    """

    photos: tuple[Photo, ...]
    embeddings: Embeddings
    found: NDArray[np.bool_]

    @property
    def people(self) -> list[str]:
        """The person of each photo."""
        return [photo.person for photo in self.photos]

    def take(self, places: Sequence[int] | NDArray[Any]) -> Embedded:
        """Return the photos at the given indices."""
        chosen = [int(place) for place in places]
        return Embedded(
            tuple(self.photos[place] for place in chosen), self.embeddings[chosen], self.found[chosen]
        )


def read_photos(specs: Sequence[str], split: Split, sides: Sequence[Side] | None = None) -> list[Photo]:
    """Return the photos with a name in all sources, still encoded; only those on `sides` unless it is None.

    Raises SourceError if there are none.
    """
    photos = []
    for spec in specs:
        for record in open_source(spec):
            source = source_key(record)
            side = split.side(source, record.name, record.file)
            if record.name and not record.fault and (sides is None or side in sides):
                photos.append(Photo(record, split.person(record.name), source, side))
    if not photos:
        kept = (
            f", whom the split keeps for {' or '.join(sides)}; give other photos or --split" if sides else ""
        )
        raise SourceError(f"{', '.join(specs)}: there are no photos of people to evaluate on{kept}.")
    return photos


def embed_photos(
    photos: Sequence[Photo],
    detector: Detector,
    embedder: Embedder,
    *,
    change: Callable[[RGB], RGB] = lambda image: image,
) -> Embedded:
    """Embed the largest face of every photo after applying `change` to the photo.

    A photo that cannot be read counts as one without a face.
    """
    rows = np.zeros((len(photos), embedder.model.dim), np.float32)
    found = np.zeros(len(photos), bool)
    for batch in in_batches(tqdm(range(len(photos)), unit="photo", leave=False), BATCH):
        crops, places = [], []
        for place in batch:
            crop = _largest_face(photos[place], detector, embedder, change)
            if crop is not None:
                crops.append(crop)
                places.append(place)
        rows[places] = embedder.embed_crops(crops)
        found[places] = True
    return Embedded(tuple(photos), rows, found)


def _largest_face(
    photo: Photo, detector: Detector, embedder: Embedder, change: Callable[[RGB], RGB]
) -> RGB | None:
    try:
        image = change(photo.image())
    except ImageError:
        return None
    faces = detector.detect(image)
    return crop_face(embedder.model, image, faces[0]) if faces else None


def few_each(people: Sequence[str]) -> list[int]:
    """Return the places of the first PHOTOS_PER_PERSON photos of each person; of unnamed people, "", of all
    photos.
    """
    seen: Counter[str] = Counter()
    chosen = []
    for place, person in enumerate(people):
        seen[person] += 1
        if not person or seen[person] <= PHOTOS_PER_PERSON:
            chosen.append(place)
    return chosen


def source_key(record: Record) -> str:
    """Return the source's name without row, folder and suffix: "hollywood.parquet#12" -> "hollywood"."""
    return record.origin.split("#")[0].split("/")[0].removesuffix(".parquet")


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of `size` items; the last list may be shorter."""
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch
