"""From photos to the table of aligned faces that `distill` learns from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from lookalike.errors import ImageError, SourceError
from lookalike.evaluation.photos import in_batches, source_key
from lookalike.faces.alignment import align
from lookalike.faces.detectors import load_detector
from lookalike.faces.face import RGB, Detector
from lookalike.images import read_image
from lookalike.models.embedder import Embedder
from lookalike.sources.opening import Record, open_source

BATCH = 64  # faces written at once
QUALITY = 90  # of the WebP; the teacher's cosine to the lossless face is 0.995 (median of 153 faces)


def prepare(sources: Sequence[str], *, teacher: Embedder, detector: str, output: Path) -> None:
    """Write the largest face of every photo of `sources`, aligned, with the teacher's embedding, to `output`.

    Photos that cannot be read or show no face are left out and counted. The file appears when it is whole.
    """
    finder = load_detector(detector)
    partial = output.with_name(output.name + ".partial")
    skipped, writer = 0, None
    try:
        for batch in in_batches(_records(sources), BATCH):
            looked = [_look(record, finder, teacher) for record in batch]
            rows = [row for row in looked if row is not None]
            skipped += len(batch) - len(rows)
            if not rows:
                continue
            table = pa.Table.from_pylist(rows)
            writer = writer or pq.ParquetWriter(
                partial, table.schema, compression="none"
            )  # WebP shrinks no further
            writer.write_table(table)
    finally:
        if writer:
            writer.close()
    if writer is None:
        raise SourceError(f"No face was found in any photo of {', '.join(sources)}.")
    partial.replace(output)
    print(f"{output}: {pq.read_metadata(output).num_rows} faces, {skipped} photos without one left out")


def _records(sources: Sequence[str]) -> Iterable[Record]:
    for source in sources:
        opened = open_source(source)
        yield from tqdm(opened, total=opened.total, desc=source, unit="photo")


def _look(record: Record, detector: Detector, teacher: Embedder) -> dict[str, Any] | None:
    """Return the row of the record's largest face, None where none is found."""
    try:
        image = read_image(record.image)
    except ImageError:
        return None
    faces = detector.detect(image)
    if not faces:
        return None
    return {
        "image": encode_face(align(image, faces[0])),
        "name": record.name,
        "source": source_key(record),
        "file": record.file,
        "teacher": teacher.embed(image, faces[:1])[0].astype(np.float16),
    }


def encode_face(face: RGB) -> bytes:
    """Return an (h, w, 3) uint8 RGB face as WebP."""
    _, data = cv2.imencode(".webp", face[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    return bytes(data)
