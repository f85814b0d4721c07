"""Detect and align the faces of photos, and store them in a Parquet table for `distill`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from lookalike.errors import ImageError, SourceError
from lookalike.evaluation.photos import in_batches, source_key
from lookalike.faces.alignment import TEMPLATE_SIZE, align
from lookalike.faces.detectors import load_detector
from lookalike.faces.face import RGB, Detector, Face
from lookalike.files import atomic_write
from lookalike.images import read_image
from lookalike.models.embedder import Embedder, crop_face, embed_both_sides
from lookalike.sources.opening import Record, open_source

BATCH = 64  # faces embedded and written at once
QUALITY = 90  # of the WebP; the teacher's cosine to the lossless face is 0.995 (median of 153 faces)


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """The largest face of a record's photo: the photo, the face in it, and the aligned crop; (h, w, 3) uint8
    RGB.
    """

    record: Record
    image: RGB
    face: Face
    crop: RGB

    def as_row(self) -> dict[str, Any]:
        """Return the columns that every table of faces has."""
        return {
            "image": encode_face(self.crop),
            "name": self.record.name,
            "source": source_key(self.record),
            "file": self.record.file,
        }


def aligned_faces(
    records: Iterable[Record], detector: Detector, left_out: Counter[str], *, side: int = TEMPLATE_SIZE
) -> Iterator[AlignedFace]:
    """Yield the largest face of each photo, aligned to `side` pixels; count the photos without one in
    `left_out`, by reason.
    """
    for record in records:
        try:
            image = read_image(record.image)
        except ImageError:
            left_out["unreadable"] += 1
            continue
        faces = detector.detect(image)
        if faces:
            yield AlignedFace(record, image, faces[0], align(image, faces[0], side))
        else:
            left_out["no face"] += 1


def prepare(sources: Sequence[str], *, teacher: Embedder, detector: str, output: Path) -> None:
    """Write the aligned faces of all photos of `sources`, with the teacher's embeddings, to `output`.

    The file appears when it is complete. Raises SourceError when no photo shows a face.
    """
    left_out: Counter[str] = Counter()
    faces = aligned_faces(_records(sources), load_detector(detector), left_out)
    written = write_tables(output, (_table(batch, teacher) for batch in in_batches(faces, BATCH)))
    if not written:
        raise SourceError(f"No face was found in any photo of {', '.join(sources)}.")
    print(f"{output}: {written} faces, {left_out.total()} photos without one left out")


def write_tables(path: Path, tables: Iterable[pa.Table]) -> int:
    """Write tables of one schema to one Parquet file; return the number of rows. No rows, no file.

    The file appears when it is complete. Images are compressed already, so the file is not.
    """
    tables = iter(tables)
    first = next(tables, None)
    if first is None:
        return 0
    rows = 0
    with atomic_write(path) as partial, pq.ParquetWriter(partial, first.schema, compression="none") as writer:
        for table in chain([first], tables):
            writer.write_table(table)
            rows += table.num_rows
    return rows


def encode_face(face: RGB) -> bytes:
    """Return an (h, w, 3) uint8 RGB face as WebP."""
    _, data = cv2.imencode(".webp", face[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    return bytes(data)


def _records(sources: Sequence[str]) -> Iterator[Record]:
    for source in sources:
        opened = open_source(source)
        yield from tqdm(opened, total=opened.total, desc=source, unit="photo")


def _table(faces: Sequence[AlignedFace], teacher: Embedder) -> pa.Table:
    crops = [crop_face(teacher.model, found.image, found.face) for found in faces]
    embeddings = embed_both_sides(teacher, crops).astype(np.float16)
    rows = [{**found.as_row(), "teacher": row} for found, row in zip(faces, embeddings, strict=True)]
    return pa.Table.from_pylist(rows)
