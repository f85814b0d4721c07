"""Assemble a gallery from the kept faces: its rows and its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from lookalike.building.account import Counts
from lookalike.building.ledger import Ledger
from lookalike.building.options import Options
from lookalike.building.selection import Candidate, evenly
from lookalike.faces.face import Detector
from lookalike.gallery.gallery import Gallery, standing_quantiles
from lookalike.gallery.schema import Row
from lookalike.gallery.settings import Settings
from lookalike.models.embedder import Embedder, unit_rows
from lookalike.models.similarity import Scale, pair_cosines, rough_scale

SCALE_PHOTOS_A_NAME = 8  # so that names with hundreds of photos do not dominate
SCALE_PHOTOS = 2000  # two million pairs

People = dict[str, list[Candidate]]  # the kept faces by name, the best of each first


def assemble(
    kept: People,
    counts: Counts,
    *,
    ledger: Ledger,
    detector: Detector,
    embedder: Embedder,
    options: Options,
) -> Gallery:
    """Return the gallery of these people, with thumbnails from the ledger and the standing."""
    settings = _settings(kept, counts, detector, embedder, options)
    if options.one_row:
        rows = [mean_row(faces) for faces in kept.values()]
    else:
        faces = [face for of_name in kept.values() for face in of_name]
        photos = ledger.photos([face.digest for face in faces])
        rows = [_row(face, photo) for face, photo in zip(faces, photos, strict=True)]
    gallery = Gallery.of(rows, settings)
    # probes are photos even where rows are means: a visitor gives a photo, too
    probes = np.stack([faces[0].embedding for faces in kept.values()])
    return Gallery.of(rows, replace(settings, standing=standing_quantiles(probes, list(kept), gallery)))


def _settings(
    kept: People, counts: Counts, detector: Detector, embedder: Embedder, options: Options
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
        scale=None if embedder.scale else scale_of(people, model.dim),
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


def mean_length(people: Sequence[Sequence[Candidate]]) -> float:
    """Return the median over names of the length, 0..1, of the mean of a name's unit embeddings."""
    means = [np.mean([face.embedding for face in faces], axis=0) for faces in people]
    return round(float(np.median(np.linalg.norm(means, axis=1))), 4)


def scale_of(people: Sequence[Sequence[Candidate]], dim: int) -> Scale:
    """Return a rough percentage scale from pairs of the gallery's own photos, for a model without a scale."""
    few = [face for faces in people for face in faces[:SCALE_PHOTOS_A_NAME]]
    chosen = [few[place] for place in evenly(len(few), SCALE_PHOTOS)]
    embeddings, names = np.stack([face.embedding for face in chosen]), [face.name for face in chosen]
    same, different = (
        pair_cosines(embeddings, names) if len(chosen) > 1 else (embeddings[:0, 0], embeddings[:0, 0])
    )
    return rough_scale(same, different, dim=dim, fitted_on=f"{len(chosen):,} photos of this gallery itself")
