"""From a photo to faces with matches: the main interface of the package."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import GalleryError, NoFaceError
from lookalike.faces.detectors import DEFAULT_DETECTOR, load_detector
from lookalike.faces.face import RGB, Detector, Face
from lookalike.gallery.fetching import open_gallery
from lookalike.gallery.gallery import Gallery, Hit
from lookalike.images import Photo, read_image
from lookalike.models.embedder import Embedder
from lookalike.models.registry import DEFAULT_MODEL, find_model, load_embedder
from lookalike.models.similarity import Scale

MAX_FACES = 50  # the largest; in a bigger crowd the others are too small to be recognizable


@dataclass(frozen=True)
class Match:
    """A celebrity who looks like the face.

    `rank` counts from 1, `similarity` is 0..100, `cosine` is -1..1. `origin` is the source of the gallery's
    photo and `photo` the photo as encoded bytes; both are None if the gallery has none.
    """

    rank: int
    name: str
    similarity: float
    cosine: float
    origin: str | None
    photo: bytes | None


@dataclass(frozen=True)
class FoundFace:
    """One face of a photo with its matches, the most similar first.

    `standing` is a percentile as a share, 0..1: the share of strangers whose first match in this gallery is
    less similar than the first match of this face. None if the gallery does not contain it.
    """

    face: Face
    matches: tuple[Match, ...]
    standing: float | None


@dataclass(frozen=True)
class Answer:
    """A photo, upright RGB uint8 (H, W, 3), its faces, largest first, and the seconds of each step."""

    image: RGB
    faces: tuple[FoundFace, ...]
    seconds: dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """The similarity of the largest faces of two photos; `same` is whether they count as one person."""

    similarity: float
    cosine: float
    same: bool


class Lookalikes:
    """A detector, a model and a gallery for this model. It is safe to use from several threads."""

    def __init__(self, gallery: Gallery, *, embedder: Embedder, detector: Detector) -> None:
        gallery.check(embedder)
        self.gallery, self.embedder, self.detector = gallery, embedder, detector
        self.scale = _scale(gallery, embedder)

    @classmethod
    def load(
        cls,
        gallery: str | Path | None = None,
        *,
        model: str = DEFAULT_MODEL,
        detector: str = DEFAULT_DETECTOR,
    ) -> Lookalikes:
        """Load a gallery, its model and a detector.

        `gallery` is a folder or a Hub dataset `owner/name[@revision]`; None is the bundled gallery. `model`
        is the name of a registered model or the folder of a training run. Raises a LookalikeError if
        something cannot be loaded.
        """
        known = find_model(model)  # report an unknown name before downloading a gallery
        opened = open_gallery(gallery, model=known.name)
        return cls(opened, embedder=load_embedder(model), detector=load_detector(detector))

    def find(self, photo: Photo, count: int = 5) -> list[FoundFace]:
        """Return one entry per face of `photo`, largest first, each with `count` matches; `[]` without a
        face.

        `lookalike.images.read_image` describes what `photo` may be, and raises ImageError if it cannot be
        read.
        """
        return list(self.answer(photo, count=count).faces)

    def answer(self, photo: Photo, *, count: int = 5) -> Answer:
        """Like `find`, but also return the upright photo and the seconds of each step."""
        if count < 1:
            raise ValueError(f"count is {count}; ask for at least one match")
        image = read_image(photo)
        seconds: dict[str, float] = {}
        with timed(seconds, "detect"):
            faces = self.detector.detect(image)[:MAX_FACES]
        with timed(seconds, "embed"):
            probes = self.embedder.embed(image, faces)
        with timed(seconds, "search"):
            hits = [self.gallery.search(probe, count=count) for probe in probes]
        found = tuple(self._found(face, face_hits) for face, face_hits in zip(faces, hits, strict=True))
        return Answer(image, found, seconds)

    def lookup(self, face: Face, probe: NDArray[np.float32], *, count: int = 5) -> FoundFace:
        """Return the matches of an embedding of `face`, (dim,) of unit length, e.g. one averaged over
        frames.
        """
        return self._found(face, self.gallery.search(probe, count=count))

    def compare(self, first: Photo, second: Photo) -> Comparison:
        """Compare the largest faces of two photos; raise NoFaceError if one of them shows none."""
        one, other = (
            self._embed_largest(photo, which) for photo, which in ((first, "first"), (second, "second"))
        )
        cosine = float(np.clip(one @ other, -1, 1))
        return Comparison(self.scale.similarity(cosine), cosine, cosine >= self.scale.same)

    def warm_up(self) -> None:
        """Run every step once, so that the first request is as fast as the others."""
        image = np.full((480, 640, 3), 127, np.uint8)
        self.detector.detect(image)
        points = np.array([[290, 210], [350, 210], [320, 250], [295, 290], [345, 290]], np.float32)
        (probe,) = self.embedder.embed(image, [Face((260, 150, 120, 180), points, 1.0)])
        self.gallery.search(probe)

    def _embed_largest(self, photo: Photo, which: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        image = read_image(photo)
        faces = self.detector.detect(image)
        if not faces:
            raise NoFaceError(
                f"No face was found in the {which} photo; "
                "try one that shows the face from the front, in good light."
            )
        return self.embedder.embed(image, faces[:1])[0]

    def _found(self, face: Face, hits: list[Hit]) -> FoundFace:
        matches = tuple(self._match(rank, hit) for rank, hit in enumerate(hits, start=1))
        return FoundFace(face, matches, self.gallery.standing(hits[0].cosine))

    def _match(self, rank: int, hit: Hit) -> Match:
        similarity = self.scale.similarity(hit.cosine * self.gallery.settings.mean_length)
        return Match(
            rank, hit.name, similarity, hit.cosine, self.gallery.origin(hit.row), self.gallery.photo(hit.row)
        )


def _scale(gallery: Gallery, embedder: Embedder) -> Scale:
    scale = embedder.scale or gallery.settings.scale
    if scale is None:
        raise GalleryError(
            f"Neither the model {embedder.model.name} nor the gallery has a scale for percentages; "
            "build the gallery again."
        )
    return scale


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Store the seconds that are spent inside the block in `seconds[step]`."""
    start = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - start, 4)
