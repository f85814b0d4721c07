"""From a photo to faces with matches: the main interface of the package."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import GalleryError, NoFaceError
from lookalike.faces.detectors import DEFAULT_DETECTOR, load_detector
from lookalike.faces.face import RGB, Detector, Face
from lookalike.faces.quality import no_face_advice, reading_problem
from lookalike.faces.turning import detect_upright
from lookalike.gallery.choices import EVERYONE, Choice
from lookalike.gallery.credit import Credit
from lookalike.gallery.fetching import open_gallery
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.search import Hit
from lookalike.images import Photo, read_image
from lookalike.models.calibration import Calibration
from lookalike.models.embedder import Embedder
from lookalike.models.registry import DEFAULT_MODEL, find_model, load_embedder

Probe = NDArray[np.float32]  # (dim,), of unit length

MAX_FACES = 50  # the largest; in a bigger crowd the others are too small to be recognizable


@dataclass(frozen=True)
class Match:
    """A celebrity who looks like the face.

    `rank` counts from 1; `similarity` is 0..100. `score` is what names are ranked by and the percentage is
    made from; `cosine` is -1..1. `origin` says where the gallery's photo comes from and `photo` is that
    photo's encoded bytes, both None where the gallery has none. `about` holds the known facts of the person:
    native, field, gender, country, born, known_for. `photos` is how many photos the row stands for,
    and `credit` names the author and the licence of `photo` where the gallery does.
    """

    rank: int
    name: str
    similarity: float
    score: float
    cosine: float
    origin: str | None
    photo: bytes | None
    about: Mapping[str, str | int] = field(default_factory=dict)
    photos: int = 1
    credit: Credit | None = None


@dataclass(frozen=True)
class FoundFace:
    """One face of a photo with its matches, the most similar first.

    `standing` is the share, 0..1, of strangers whose first match in this gallery is less alike; None where
    the gallery does not know. `embedding` is (dim,) float32 of unit length, for `Lookalikes.lookup`.
    `hard_to_read` says why the matches are little more than a guess: the face is "too small", "too dark",
    "overexposed" or "blurred". It is "" if the face is easy to read, or was not measured.
    """

    face: Face
    matches: tuple[Match, ...]
    standing: float | None
    embedding: Probe = field(repr=False, compare=False)
    hard_to_read: str = ""


@dataclass(frozen=True)
class Answer:
    """A photo, upright RGB uint8 (H, W, 3), its faces, largest first, and the seconds of each step.

    `image` is turned by its EXIF orientation and, where it has none, by the largest face. Faces are in pixels
    of `image`.
    """

    image: RGB
    faces: tuple[FoundFace, ...]
    seconds: dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """How alike the largest faces of two photos are; `same` says whether they pass as one person: about one
    pair of strangers in a thousand does.

    `hard_to_read` says why the result is little more than a guess, of the first face that is hard to read:
    see `FoundFace`.
    """

    similarity: float
    score: float
    cosine: float
    same: bool
    hard_to_read: str = ""


class Lookalikes:
    """A detector, a model and a gallery for this model. It is safe to use from several threads."""

    def __init__(self, gallery: Gallery, *, embedder: Embedder, detector: Detector) -> None:
        gallery.check(embedder)
        self.embedder, self.detector = embedder, detector
        self.calibration = _calibration(gallery, embedder)
        self.scale, cohort = self.calibration.scale, self.calibration.cohort
        self.gallery = gallery.with_cohort(cohort) if cohort else gallery
        # a cosine with a mean row is higher than with the photos behind it; a cohort takes care of that
        self._factor = 1.0 if cohort else gallery.settings.mean_length

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

    def find(
        self,
        photo: Photo,
        count: int = 5,
        *,
        gender: str | None = None,
        category: str | None = None,
        region: str | None = None,
    ) -> list[FoundFace]:
        """Return one entry per face of `photo`, largest first, each with its `count` matches; no face is
        `[]`.

        `gender`, `category` and `region` choose among the gallery's people (see `Gallery.choices`); a choice
        changes who is shown, never a percentage. Raises ImageError when `photo` cannot be read (see
        `lookalike.images.read_image` for what it may be), and GalleryError for a choice that there is not.
        """
        choice = Choice(gender, category, region)
        return list(self.answer(photo, count=count, choice=choice).faces)

    def answer(self, photo: Photo, *, count: int = 5, choice: Choice = EVERYONE) -> Answer:
        """Do what `find` does, and return the upright photo and the seconds of each step too."""
        if count < 1:
            raise ValueError(f"count is {count}; ask for at least one match")
        gallery = self.gallery.only(choice)
        image = read_image(photo)
        seconds: dict[str, float] = {}
        with timed(seconds, "detect"):
            image, faces = detect_upright(self.detector, image)
            faces = faces[:MAX_FACES]
        with timed(seconds, "embed"):
            probes = self.embedder.embed(image, faces)
        with timed(seconds, "search"):
            found = [
                self._found(face, probe, gallery, count) for face, probe in zip(faces, probes, strict=True)
            ]
        checked = (replace(each, hard_to_read=reading_problem(image, each.face)) for each in found)
        return Answer(image, tuple(checked), seconds)

    def lookup(self, face: Face, probe: Probe, *, count: int = 5, choice: Choice = EVERYONE) -> FoundFace:
        """Return the matches of an embedding (dim,), unit length, that stands for `face`: one that was found
        before, or one that was smoothed over frames.
        """
        return self._found(face, probe, self.gallery.only(choice), count)

    def compare(self, first: Photo, second: Photo) -> Comparison:
        """Compare the largest faces of two photos; raise NoFaceError if one of them shows none."""
        (one, problem), (other, other_problem) = (
            self._embed_largest(photo, which) for photo, which in ((first, "first"), (second, "second"))
        )
        return replace(self.compare_probes(one, other), hard_to_read=problem or other_problem)

    def compare_probes(self, one: Probe, other: Probe) -> Comparison:
        """Compare two embeddings (dim,), of unit length, of faces that were found before."""
        cosine = float(np.clip(one @ other, -1, 1))
        score = self.calibration.score(cosine, one, other)
        return Comparison(self.scale.similarity(score), score, cosine, score >= self.scale.same)

    def recognizes(self, probe: Probe, name: str) -> bool:
        """Return whether an embedding (dim,) of unit length passes as this person of the gallery, by the same
        threshold as `compare`; raise GalleryError for an unknown name.
        """
        rows = self.gallery.rows_of(name)
        cosines = rows @ probe  # (rows, dim) x (dim,) -> (rows,)
        best = int(np.argmax(cosines))
        return self.calibration.score(float(cosines[best]), probe, rows[best]) >= self.scale.same

    def warm_up(self) -> None:
        """Run every step once, so that the first request is as fast as the others."""
        image = np.full((480, 640, 3), 127, np.uint8)
        self.detector.detect(image)
        points = np.array([[290, 210], [350, 210], [320, 250], [295, 290], [345, 290]], np.float32)
        (probe,) = self.embedder.embed(image, [Face((260, 150, 120, 180), points, 1.0)])
        self.gallery.search(probe)

    def _embed_largest(self, photo: Photo, which: str) -> tuple[Probe, str]:
        """Return the embedding of a photo's largest face, and why the face is hard to read, if it is."""
        image, faces = detect_upright(self.detector, read_image(photo))
        if not faces:
            raise NoFaceError(f"No face was found in the {which} photo; {no_face_advice(image)}")
        return self.embedder.embed(image, faces[:1])[0], reading_problem(image, faces[0])

    def _found(self, face: Face, probe: Probe, gallery: Gallery, count: int) -> FoundFace:
        hits = gallery.search(probe, count=count)
        matches = tuple(self._match(rank, hit, gallery) for rank, hit in enumerate(hits, start=1))
        return FoundFace(face, matches, gallery.standing(hits[0].score, probe), probe)

    def _match(self, rank: int, hit: Hit, gallery: Gallery) -> Match:
        return Match(
            rank=rank,
            name=hit.name,
            similarity=self.scale.similarity(hit.score * self._factor),
            score=hit.score,
            cosine=hit.cosine,
            origin=gallery.origin(hit.row),
            photo=gallery.photo(hit.row),
            about=gallery.about(hit.row),
            photos=gallery.photos(hit.row),
            credit=gallery.credit(hit.row),
        )


def _calibration(gallery: Gallery, embedder: Embedder) -> Calibration:
    calibration = embedder.calibration or gallery.settings.calibration
    if calibration is None:
        raise GalleryError(
            f"Neither the model {embedder.model.name} nor the gallery has a scale for percentages; "
            "build the gallery again."
        )
    return calibration


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Store the seconds that are spent inside the block in `seconds[step]`."""
    start = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - start, 4)
