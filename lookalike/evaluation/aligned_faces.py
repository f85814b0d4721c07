"""The table of aligned faces for training and testing networks.

It is a Parquet file, or a folder of them, with the columns `image` (encoded 112x112 RGB, aligned to ArcFace's
five-point template), `name` (empty if unknown), `source`, `file` and `teacher` (the teacher's embedding).
`python -m lookalike.training prepare` writes one from any source of celebrity photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.errors import MissingFileError, SourceError
from lookalike.evaluation.splits import Side, Split

COLUMNS = ("image", "name", "source", "file", "teacher")


@dataclass(frozen=True)
class AlignedFaces:
    """Aligned faces in memory, with one entry per photo in every field.

    `images` is (n, 112, 112, 3) uint8 RGB; `teacher` is (n, d) float32 rows of unit length.
    """

    images: NDArray[np.uint8]
    names: tuple[str, ...]
    sources: tuple[str, ...]
    files: tuple[str, ...]
    teacher: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.names)


def read_faces(path: Path, split: Split, *sides: Side) -> AlignedFaces:
    """Read the faces of `path` on the given `sides` of `split`.

    Raises MissingFileError if there is no table and SourceError if it has no such faces.
    """
    if not path.exists():
        raise MissingFileError(f"There is no table of aligned faces at {path}.")
    table = pq.read_table(path, columns=list(COLUMNS))
    names, sources, files = (table[column].to_pylist() for column in ("name", "source", "file"))
    rows = [
        row
        for row, photo in enumerate(zip(sources, names, files, strict=True))
        if split.side(*photo) in sides
    ]
    if not rows:
        raise SourceError(f"{path} contains no faces for {', '.join(sides)}; choose another split or table.")
    chosen = table.take(rows)
    teacher = np.asarray(chosen["teacher"].to_pylist(), np.float32)
    return AlignedFaces(
        images=np.stack([_decode(data) for data in chosen["image"].to_pylist()]),
        names=tuple(names[row] for row in rows),
        sources=tuple(sources[row] for row in rows),
        files=tuple(files[row] for row in rows),
        teacher=teacher / np.linalg.norm(teacher, axis=1, keepdims=True),
    )


def names_of(path: Path) -> list[str]:
    """Return the name of every face in the table, empty if unknown."""
    return list(pq.read_table(path, columns=["name"])["name"].to_pylist())


def _decode(data: bytes) -> NDArray[np.uint8]:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None or bgr.shape[:2] != (112, 112):
        raise SourceError(
            "A face in the table is not an image of 112x112 pixels; write the table again with `prepare`."
        )
    return np.asarray(bgr[:, :, ::-1], np.uint8)
