"""Embed ordinary people, against whom a gallery is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from lookalike.errors import ImageError, SourceError
from lookalike.faces.face import RGB, Detector
from lookalike.images import read_image
from lookalike.models.embedder import BATCH, Embedder, Embeddings, crop_face
from lookalike.sources.records import Record


def embed_strangers(
    records: Iterable[Record],
    detector: Detector,
    embedder: Embedder,
    *,
    progress: Callable[[], object] = lambda: None,
) -> Embeddings:
    """Return (n, dim) float32 unit rows, the largest face of each photo that shows one.

    Raises SourceError where none does.
    """
    crops: list[RGB] = []
    rows: list[Embeddings] = []
    for record in records:
        progress()
        try:
            image = read_image(record.image)
        except ImageError:
            continue
        crops += [crop_face(embedder.model, image, face) for face in detector.detect(image)[:1]]
        if len(crops) == BATCH:
            rows.append(embedder.embed_crops(crops))
            crops = []
    rows.append(embedder.embed_crops(crops))
    embeddings = np.concatenate(rows)
    if not len(embeddings):
        raise SourceError("No photo given with --cohort shows a face; give photos of ordinary people.")
    return embeddings
