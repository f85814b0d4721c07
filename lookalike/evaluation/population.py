"""Embedded faces of many people with labels, and the pairs of strangers and of one person among them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.aligned_faces import AlignedFaces, is_adult, is_aligned_table, labels_of, read_faces
from lookalike.evaluation.photos import Embedded, embed_photos, few_each, in_batches, read_photos
from lookalike.evaluation.splits import Side, Split
from lookalike.faces.face import Detector
from lookalike.faces.quality import sharpness_of
from lookalike.models.cohort import Cohort, Statistics, normalize
from lookalike.models.embedder import BATCH, Embedder, Embeddings, crop_face
from lookalike.names import person_key

ONE_PERSON = 0.6  # cosine of the teacher's embeddings above which two unnamed photos pass as one person's
Members = NDArray[np.intp]
Scores = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Population:
    """Faces with (n, dim) `embeddings` and the teacher's, their `people` (a person key, "" for an unnamed
    one), `sources`, `labels` (race, gender, age ... where known) and `sharpness`.

    `statistics` (n, 2) normalize the scores; without them scores are cosines.
    """

    embeddings: Embeddings
    teacher: Embeddings
    people: tuple[str, ...]
    sources: tuple[str, ...]
    labels: tuple[Mapping[str, str], ...]
    sharpness: NDArray[np.float64]
    statistics: Statistics | None = None

    def __len__(self) -> int:
        return len(self.people)

    def with_cohort(self, cohort: Cohort) -> Population:
        """Return the population with scores normalized by `cohort`."""
        return replace(self, statistics=cohort.statistics(self.embeddings))

    def with_cosines(self) -> Population:
        """Return the population with cosines for scores."""
        return replace(self, statistics=None)

    def take(self, members: Members) -> Population:
        """Return these faces alone."""
        return Population(
            self.embeddings[members],
            self.teacher[members],
            tuple(self.people[place] for place in members),
            tuple(self.sources[place] for place in members),
            tuple(self.labels[place] for place in members),
            self.sharpness[members],
            None if self.statistics is None else self.statistics[members],
        )

    def ages(self) -> NDArray[np.float64]:
        """Return the age of each face in years, not a number where unknown."""
        return np.array([float(labels.get("age", "nan")) for labels in self.labels])

    def adults(self) -> NDArray[np.bool_]:
        """Return which faces are not known to be children's."""
        return np.array([is_adult(labels) for labels in self.labels])


def embed_population(faces: AlignedFaces, embedder: Embedder, detector: Detector) -> Population:
    """Embed aligned faces: as they are for a model that sees ArcFace's template at their size, else from the
    face that `detector` finds in the picture. Faces that are not found are left out.
    """
    size = faces.images.shape[2], faces.images.shape[1]
    aligned = embedder.model.alignment == "template" and embedder.model.input_size == size
    rows, places = [], []
    for batch in in_batches(range(len(faces)), BATCH):
        crops = {}
        for place in batch:
            image = faces.images[place]
            found = () if aligned else detector.detect(image)[:1]
            if aligned:
                crops[place] = image
            elif found:
                crops[place] = crop_face(embedder.model, image, found[0])
        rows.append(embedder.embed_crops(list(crops.values())))
        places += list(crops)
    return Population(
        np.concatenate(rows),
        faces.teacher[places],
        tuple(person_key(faces.names[place]) for place in places),
        tuple(faces.sources[place] for place in places),
        tuple(labels_of(faces.groups[place]) for place in places),
        np.array([sharpness_of(faces.images[place]) for place in places]),
    )


def read_population(
    specs: Sequence[str], split: Split, sides: Sequence[Side], *, embedder: Embedder, detector: Detector
) -> Population:
    """Read and embed the faces of several sources on these sides: tables of aligned faces, or whatever
    `lookalike.sources.open_source` reads.

    Raises SourceError where there are none.
    """
    tables = [Path(spec) for spec in specs if is_aligned_table(Path(spec))]
    others = [spec for spec in specs if Path(spec) not in tables]
    parts = []
    if tables:
        parts.append(embed_population(read_faces(tables, split, *sides), embedder, detector))
    if others:
        parts.append(_of_photos(embed_photos(read_photos(others, split, sides), detector, embedder)))
    return joined(parts)


def halves(population: Population) -> tuple[Population, Population]:
    """Return half of the named people, by a hash of the name, and all others with the unnamed faces.

    Of so few people that one half would have fewer than two, every other one is taken.
    """
    people = sorted(set(population.people) - {""})
    chosen = {person for person in people if hashlib.sha256(person.encode()).digest()[0] % 2 == 0}
    if min(len(chosen), len(people) - len(chosen)) < 2:
        chosen = set(people[::2])
    first = np.array([person in chosen for person in population.people], bool)
    return population.take(np.flatnonzero(first)), population.take(np.flatnonzero(~first))


def joined(parts: Sequence[Population]) -> Population:
    """Return the faces of several populations as one."""
    width = max(part.teacher.shape[1] for part in parts)
    teachers = [np.pad(part.teacher, ((0, 0), (0, width - part.teacher.shape[1]))) for part in parts]
    return Population(
        np.concatenate([part.embeddings for part in parts]),
        np.concatenate(teachers),
        tuple(chain.from_iterable(part.people for part in parts)),
        tuple(chain.from_iterable(part.sources for part in parts)),
        tuple(chain.from_iterable(part.labels for part in parts)),
        np.concatenate([part.sharpness for part in parts]),
    )


def _of_photos(embedded: Embedded) -> Population:
    """Return the photos that show a face; the teacher did not see them."""
    found = embedded.take(np.flatnonzero(embedded.found))
    count = len(found.photos)
    return Population(
        found.embeddings,
        np.zeros((count, 1), np.float32),
        tuple(found.people),
        tuple(photo.source for photo in found.photos),
        tuple({} for _ in range(count)),
        np.zeros(count),
    )


def few_each_of(population: Population, members: Members) -> Members:
    """Return those of `members` that `few_each` chooses among them."""
    return members[few_each([population.people[place] for place in members])]


def groups_of(population: Population) -> dict[str, Members]:
    """Return the groups within which strangers are compared, by what a table calls them: adults of each
    source and label of race, then women and men, ages, and photos from blurred to sharp, of all unnamed
    sources together.
    """
    adult, sources = population.adults(), np.array(population.sources)
    race = np.array([labels.get("race", "").title() for labels in population.labels])
    groups: dict[str, Members] = {}
    for source in sorted(set(population.sources)):
        for label in sorted(set(race[sources == source])):
            members = np.flatnonzero((sources == source) & (race == label) & adult)
            groups[f"{source} {label}".strip()] = members
    return groups | dict(_wider_groups(population, race, adult))


def _wider_groups(
    population: Population, race: NDArray[np.str_], adult: NDArray[np.bool_]
) -> Iterator[tuple[str, Members]]:
    labelled = race != ""
    gender = np.array([labels.get("gender", "") for labels in population.labels])
    for title, letter in (("women", "F"), ("men", "M")):
        yield title, np.flatnonzero(labelled & adult & (gender == letter))
    ages = population.ages()
    for title, low, high in (("under 18", 0, 18), ("18 to 59", 18, 60), ("60 and over", 60, 200)):
        yield title, np.flatnonzero((ages >= low) & (ages < high))
    if labelled.any():
        cuts = np.quantile(population.sharpness[labelled & adult], [1 / 3, 2 / 3])
        thirds = np.searchsorted(cuts, population.sharpness)
        for place, title in enumerate(("blurred photos", "medium photos", "sharp photos")):
            yield title, np.flatnonzero(labelled & adult & (thirds == place))


def is_one_source(title: str) -> bool:
    """Return whether a group of `groups_of` is of one source, and not one of all of them together."""
    return not re.match(r"(women|men|under|\d|blurred|medium|sharp)", title)


def within_group_mask(population: Population) -> NDArray[np.bool_]:
    """Return which of the (n, n) pairs are of one source and one label of race."""
    groups = [
        f"{source}/{labels.get('race', '')}"
        for source, labels in zip(population.sources, population.labels, strict=True)
    ]
    number = np.unique(groups, return_inverse=True)[1]
    return np.asarray(number[:, None] == number[None, :])


def score_matrix(population: Population) -> Scores:
    """Return the (n, n) scores of all pairs of faces."""
    cosines = population.embeddings @ population.embeddings.T  # (n, d) x (d, n) -> (n, n)
    if population.statistics is None:
        return cosines
    return normalize(cosines, population.statistics[:, None, :], population.statistics[None, :, :])


def pair_masks(population: Population) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which of the (n, n) pairs show one person and which show strangers, each pair once.

    Two unnamed photos with nearly one embedding of the teacher's are neither: they may be one person.
    """
    keys = [person or f"unnamed {place}" for place, person in enumerate(population.people)]
    owner = np.unique(np.asarray(keys), return_inverse=True)[1]
    upper = np.triu(np.ones((len(owner), len(owner)), bool), k=1)
    same = owner[:, None] == owner[None, :]
    named = np.array([bool(person) for person in population.people], bool)
    alike = population.teacher @ population.teacher.T > ONE_PERSON
    unsure = alike & ~(named[:, None] & named[None, :])
    return same & upper, ~same & ~unsure & upper
