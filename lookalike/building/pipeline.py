"""From records to a gallery: detect and judge in threads, embed in batches, select, put together.

The result depends on the records and their order alone, never on which thread was faster.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from typing import Literal, TypeVar

import numpy as np

from lookalike.building.counts import Counts
from lookalike.building.gate import Reason, judge, span
from lookalike.building.selection import Candidate, Selection, evenly, select
from lookalike.building.thumbnails import thumbnail
from lookalike.embedders import Embedder, Model, crop_face, unit_rows
from lookalike.errors import SourceError
from lookalike.evaluation.metrics import pair_cosines
from lookalike.faces import RGB, Detector
from lookalike.gallery import Gallery, Settings, standing_quantiles
from lookalike.similarity import Scale, rough_scale
from lookalike.sources import Record
from lookalike.splits import person_key
from lookalike.table import Row

Dropped = Reason | Literal["excluded", "no name"]

BATCH = 32  # faces embedded at once; more is no faster on a CPU
AHEAD = 64  # photos decoded ahead of the model: two batches, some tens of megabytes
FULL_SPAN = 41.0  # pixels from eyes to mouth in a 112-pixel crop: a larger face shows the model nothing more
SCALE_PHOTOS_A_NAME = 8  # so that names with hundreds of photos do not stand for everybody
SCALE_PHOTOS = 2000  # two million pairs

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Options:
    """How a gallery is built.

    `photos_per_name` is the most photos of one name; a name with fewer than `min_photos` is left out.
    `one_row` stores their normalized mean instead of a row for each; `photos` says whether rows have
    thumbnails (a mean never has). `excluded` holds person keys (see `lookalike.splits`); `source` and
    `licence` are what the card says.
    """

    photos_per_name: int = 10
    min_photos: int = 1
    one_row: bool = False
    photos: bool = True
    excluded: frozenset[str] = frozenset()
    source: str = ""
    licence: str = "unknown"
    threads: int = os.cpu_count() or 1


@dataclass(frozen=True, eq=False)
class Built:
    """A gallery, and what became of every record."""

    gallery: Gallery
    counts: Counts


def build(
    records: Iterable[Record],
    *,
    detector: Detector,
    embedder: Embedder,
    options: Options,
    progress: Callable[[], object] | None = None,
) -> Built:
    """Make a gallery of the records' faces; `progress` is called once a record.

    Records are streamed; embeddings and thumbnails are held, about 7 KB a face. Raises SourceError when no
    face is left, and whatever the records raise.
    """
    dropped: Counter[Dropped] = Counter()
    admitted = _admitted(records, detector, embedder.model, options, dropped, progress or (lambda: None))
    candidates = list(_embedded(admitted, embedder))
    selection = select(candidates, photos_per_name=options.photos_per_name, min_photos=options.min_photos)
    counts = _account(dropped, selection, options)
    if not selection.kept:
        raise SourceError(
            f"No face of the {counts.total:,} records can be kept; try another source. ({counts})"
        )
    return Built(_gallery(selection, detector, embedder, options, counts), counts)


# Records -> candidates


@dataclass(frozen=True, eq=False)
class _Admitted:
    """A record that passed the gate: its crop for the model, and all of a candidate but the embedding."""

    record: Record
    crop: RGB
    quality: float
    confidence: float
    photo: bytes | None


def _admit(record: Record, detector: Detector, model: Model, options: Options) -> _Admitted | Dropped:
    key = person_key(record.name)
    if not key:
        return "no name"
    if key in options.excluded:
        return "excluded"
    judged = judge(record.image, detector)
    if isinstance(judged, str):
        return judged
    image, face = judged.image, judged.face
    photo = thumbnail(image, face) if options.photos and not options.one_row else None
    quality = face.confidence * min(1.0, span(face) / FULL_SPAN)
    return _Admitted(record, crop_face(model, image, face), quality, face.confidence, photo)


def _admitted(
    records: Iterable[Record],
    detector: Detector,
    model: Model,
    options: Options,
    dropped: Counter[Dropped],
    progress: Callable[[], object],
) -> Iterator[_Admitted]:
    """Yield the records that pass, in order; count the others in `dropped`."""
    for outcome in in_order(
        lambda record: _admit(record, detector, model, options), records, threads=options.threads
    ):
        if isinstance(outcome, str):
            dropped[outcome] += 1
        else:
            yield outcome
        progress()


def _embedded(admitted: Iterator[_Admitted], embedder: Embedder) -> Iterator[Candidate]:
    """Yield a candidate each; a person under several spellings has the first one."""
    spellings: dict[str, str] = {}
    while batch := list(islice(admitted, BATCH)):
        for one, embedding in zip(batch, embedder.embed_crops([one.crop for one in batch]), strict=True):
            record = one.record
            name = spellings.setdefault(person_key(record.name), record.name)
            yield Candidate(
                name, embedding, one.quality, one.confidence, record.origin, record.category, one.photo
            )


def in_order(function: Callable[[In], Out], items: Iterable[In], *, threads: int) -> Iterator[Out]:
    """Map in threads, the results in the items' order, at most AHEAD of them waiting."""
    waiting: deque[Callable[[], Out]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(function, item).result)
            if len(waiting) >= AHEAD:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C need not wait for what is queued


# Candidates -> gallery


def _account(dropped: Counter[Dropped], selection: Selection, options: Options) -> Counts:
    return Counts(
        kept=sum(map(len, selection.kept.values())),
        no_face=dropped["no face"],
        several_faces=dropped["several faces"],
        too_small=dropped["too small"],
        unreadable=dropped["unreadable"],
        excluded=dropped["excluded"],
        no_name=dropped["no name"],
        outliers=selection.outliers,
        beyond=selection.beyond,
        too_few=selection.too_few,
        per_name=options.photos_per_name,
        min_photos=options.min_photos,
    )


def _gallery(
    selection: Selection, detector: Detector, embedder: Embedder, options: Options, counts: Counts
) -> Gallery:
    kept, model = selection.kept, embedder.model
    settings = Settings(
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
        deepface=version("deepface") if model.weights else None,  # our own network needs none
        scale=None if embedder.scale else scale_of(list(kept.values()), model.dim),
        mean_length=mean_length(list(kept.values())) if options.one_row else 1.0,
        records=dict(counts.entries),
    )
    rows = [
        row for faces in kept.values() for row in ([mean_row(faces)] if options.one_row else map(_row, faces))
    ]
    gallery = Gallery.of(rows, settings)
    # the best photo of each name plays the stranger: for a mean row too, which no visitor's photo is
    probes = np.stack([faces[0].embedding for faces in kept.values()])
    return Gallery.of(rows, replace(settings, standing=standing_quantiles(probes, list(kept), gallery)))


def _row(face: Candidate) -> Row:
    return Row(face.name, face.embedding, face.photo, face.confidence, face.origin, 1, face.category)


def mean_row(faces: Sequence[Candidate]) -> Row:
    """Return the one row of a name: the normalized mean of its photos."""
    mean = unit_rows(np.mean([face.embedding for face in faces], axis=0)[None])[0]
    return Row(faces[0].name, mean, photos=len(faces), category=faces[0].category)


def mean_length(people: Sequence[Sequence[Candidate]]) -> float:
    """Return the median length of the means of each name's unit embeddings, 0..1."""
    means = [np.mean([face.embedding for face in faces], axis=0) for faces in people]
    return round(float(np.median(np.linalg.norm(means, axis=1))), 4)


def scale_of(people: Sequence[Sequence[Candidate]], dim: int) -> Scale:
    """Return a rough percentage scale from the gallery's own pairs, for a model without a fitted one."""
    few = [face for faces in people for face in faces[:SCALE_PHOTOS_A_NAME]]
    chosen = [few[place] for place in evenly(len(few), SCALE_PHOTOS)]
    embeddings, names = np.stack([face.embedding for face in chosen]), [face.name for face in chosen]
    same, different = (
        pair_cosines(embeddings, names) if len(chosen) > 1 else (embeddings[:0, 0], embeddings[:0, 0])
    )
    return rough_scale(same, different, dim=dim, fitted_on=f"{len(chosen):,} photos of this gallery itself")
