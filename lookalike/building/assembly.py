"""Assemble a gallery from the kept faces: its rows and its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version

import numpy as np

from lookalike.building.account import Counts
from lookalike.building.ledger import Ledger
from lookalike.building.options import Options
from lookalike.building.people import People
from lookalike.building.selection import Candidate, evenly
from lookalike.faces.face import Detector
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.gallery.settings import Settings
from lookalike.gallery.standing import best_without_own
from lookalike.models.calibration import Calibration
from lookalike.models.cohort import Cohort, fit_mixture
from lookalike.models.embedder import Embedder, unit_rows
from lookalike.models.pairs import pair_scores
from lookalike.models.similarity import rough_scale
from lookalike.sources.facts import FACT_COLUMNS
from lookalike.sources.records import Facts

CALIBRATION_PHOTOS_PER_NAME = 8  # so that names with hundreds of photos do not dominate
CALIBRATION_PHOTOS = 2000  # two million pairs
FEWEST_STRANGERS = 200  # for a cohort

Kept = dict[str, list[Candidate]]  # the kept faces by name, the best of each first


def assemble(
    kept: Kept,
    counts: Counts,
    *,
    ledger: Ledger,
    detector: Detector,
    embedder: Embedder,
    options: Options,
) -> Gallery:
    """Return the gallery of these people, with thumbnails from the ledger, the statistics of its rows and the
    standing.
    """
    calibration = embedder.calibration or gallery_calibration(list(kept.values()), embedder, options)
    settings = _settings(kept, counts, detector, embedder, options)
    settings = replace(settings, calibration=None if embedder.calibration else calibration)
    facts = {name: facts_about(faces, options.people) for name, faces in kept.items()}
    if options.one_row:
        rows = [mean_row(faces) for faces in kept.values()]
    else:
        faces = [face for of_name in kept.values() for face in of_name]
        photos = ledger.photos([face.digest for face in faces])
        rows = [_row(face, photo) for face, photo in zip(faces, photos, strict=True)]
    gallery = Gallery.of([_with_facts(_rounded(row), facts[row.name]) for row in rows], settings)
    if calibration.cohort:
        return gallery.with_cohort(calibration.cohort, strangers=options.strangers)
    # probes are photos even where rows are means: a visitor gives a photo, too
    probes = np.stack([kept[name][0].embedding for name in gallery.names])
    return gallery.with_standing(best_without_own(probes, gallery))


def _settings(
    kept: Kept, counts: Counts, detector: Detector, embedder: Embedder, options: Options
) -> Settings:
    model, people = embedder.model, list(kept.values())
    return Settings(
        model=model.name,
        weights=model.weights,
        weights_hash=embedder.weights_hash,
        dim=model.dim,
        alignment=model.alignment,
        normalization=model.normalization,
        engine=embedder.engine,
        detector=detector.name,
        source=options.source,
        licence=options.licence,
        deepface=version("deepface") if model.weights else None,  # our own network does not use it
        mean_length=mean_length(people) if options.one_row else 1.0,
        records=dict(counts.entries),
    )


def _row(face: Candidate, photo: bytes | None) -> Row:
    about = (face.category, face.age, face.gender)
    return Row(face.name, face.embedding, photo, face.confidence, face.origin, 1, *about)


def mean_row(faces: Sequence[Candidate]) -> Row:
    """Return the row of a name's normalized mean."""
    mean = unit_rows(np.mean([face.embedding for face in faces], axis=0)[None])[0]
    return Row(faces[0].name, mean, photos=len(faces), category=faces[0].category, gender=faces[0].gender)


def facts_about(faces: Sequence[Candidate], people: People) -> Facts:
    """Return what the table of people says about a name, and where it says nothing what the source says."""
    person = people.find(faces[0].name)
    told = [asdict(facts) for facts in (person and person.facts, *(face.facts for face in faces)) if facts]
    return Facts(**{fact: next((each[fact] for each in told if each[fact]), None) for fact in FACT_COLUMNS})


def _with_facts(row: Row, facts: Facts) -> Row:
    """Return the row with these facts; the field is the category of a row without one."""
    category, gender = row.category or facts.field, facts.gender or row.gender
    return replace(row, **asdict(facts) | {"category": category, "gender": gender})


def _rounded(row: Row) -> Row:
    """Return the row with its embedding to float16's precision: it takes half the space in the compressed
    file, and cosines change by less than 0.001.
    """
    return replace(row, embedding=row.embedding.astype(np.float16).astype(np.float32))


def mean_length(people: Sequence[Sequence[Candidate]]) -> float:
    """Return the median over names of the length, 0..1, of the mean of a name's unit embeddings."""
    means = [np.mean([face.embedding for face in faces], axis=0) for faces in people]
    return round(float(np.median(np.linalg.norm(means, axis=1))), 4)


def gallery_calibration(
    people: Sequence[Sequence[Candidate]], embedder: Embedder, options: Options
) -> Calibration:
    """Return a rough calibration for a model that has none.

    The cohort is fitted to `options.strangers`, or else to the best photo of each name; with too few of
    either, the score is the cosine. The scale is fitted to pairs of the gallery's own photos.
    """
    few = [face for faces in people for face in faces[:CALIBRATION_PHOTOS_PER_NAME]]
    chosen = [few[place] for place in evenly(len(few), CALIBRATION_PHOTOS)]
    embeddings, names = np.stack([face.embedding for face in chosen]), [face.name for face in chosen]
    strangers = options.strangers
    if strangers is None:
        strangers = np.stack([faces[0].embedding for faces in people])
    mixture = fit_mixture(strangers) if len(strangers) >= FEWEST_STRANGERS else None
    statistics = None if mixture is None else Cohort.of(mixture).statistics(embeddings)
    same, different = pair_scores(embeddings, names, statistics)
    identical = 1.0 if statistics is None else float(np.median((1 - statistics[:, 0]) / statistics[:, 1]))
    fitted_on = f"{len(chosen):,} photos of this gallery itself"
    scale = rough_scale(same, different, dim=embedder.model.dim, identical=identical, fitted_on=fitted_on)
    return Calibration(scale, mixture)
