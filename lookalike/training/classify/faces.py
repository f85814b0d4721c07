"""A folder of aligned faces to train a classifier on: images, measurements and the source's labels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tqdm import tqdm

from lookalike.errors import SourceError, TrainingError
from lookalike.evaluation.photos import in_batches
from lookalike.faces.face import RGB, Detector
from lookalike.faces.quality import face_size, sharpness, yaw
from lookalike.files import write_text
from lookalike.models.embedder import Embedder
from lookalike.sources.opening import Record, Source
from lookalike.training.classify.reading import reading
from lookalike.training.face_table import BATCH, AlignedFace, aligned_faces, write_tables

FACES_FILE, INFO_FILE = "faces.parquet", "faces.json"
WORDS = ("category", "gender")  # columns of text that a source may have
TEXTS = ("name", "origin", "source", "file", *WORDS)
MEASURED = ("width", "height", "face size", "sharpness", "yaw", "brightness", "confidence")


@dataclass(frozen=True)
class FolderInfo:
    """How the faces of a folder were made, and what happened to each record.

    `side` is the width and height of a stored face in pixels; `weights_hash` belongs to the bundled network
    that embedded them; `left_out` counts the records without a face by reason; `limit` is how many records
    were read at most, None for all.
    """

    source: str
    side: int
    detector: str
    weights_hash: str
    faces: int
    left_out: dict[str, int]
    limit: int | None = None

    @property
    def sentence(self) -> str:
        """The counts, such as "4,103 faces · no face 21"."""
        reasons = "".join(f" · {reason} {number:,}" for reason, number in self.left_out.items())
        return f"{self.faces:,} faces{reasons}"


@dataclass(frozen=True, eq=False)
class FaceTable:
    """Faces in memory, one entry a photo in every field.

    `images` is (n, side, side, 3) uint8 RGB, aligned to ArcFace's template; `embeddings` (n, d) float32 rows
    of unit length from the bundled network; `sources` and `files` identify the photo for splits; `numbers`
    holds (n,) float64 columns, NaN where a value is missing, `words` columns of text, "" where it is.
    """

    images: NDArray[np.uint8]
    names: tuple[str, ...]
    origins: tuple[str, ...]
    sources: tuple[str, ...]
    files: tuple[str, ...]
    embeddings: NDArray[np.float32]
    numbers: dict[str, NDArray[np.float64]]
    words: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, places: NDArray[np.intp]) -> FaceTable:
        """Return the faces at these places."""

        def of(values: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(values[place] for place in places)

        return FaceTable(
            self.images[places],
            of(self.names),
            of(self.origins),
            of(self.sources),
            of(self.files),
            self.embeddings[places],
            {name: values[places] for name, values in self.numbers.items()},
            {name: of(values) for name, values in self.words.items()},
        )


def find_faces(
    source: Source, folder: Path, *, detector: Detector, embedder: Embedder, side: int
) -> FolderInfo:
    """Detect the largest face of every named photo of `source`, and store the faces in `folder`.

    A folder that holds these faces already is left as it is. Raises TrainingError when the folder holds other
    faces, SourceError when no photo shows one.
    """
    made_by = {"source": source.name, "side": side, "detector": detector.name, "limit": source.limit}
    made_by["weights_hash"] = embedder.weights_hash
    if (folder / INFO_FILE).exists():
        info = read_info(folder)
        others = [name for name, value in made_by.items() if getattr(info, name) != value]
        if others:
            raise TrainingError(
                f"{folder} holds faces made in another way ({', '.join(others)}); choose another folder."
            )
        return info
    left_out: Counter[str] = Counter()
    faces = aligned_faces(_named(source, left_out), detector, left_out, side=side)
    rows = [row for batch in in_batches(faces, BATCH) for row in _rows(batch, embedder)]
    if not rows:
        raise SourceError(f"No photo of {source.name} has both a name and a face; try another source.")
    write_tables(folder / FACES_FILE, [_table(rows)])
    info = FolderInfo(faces=len(rows), left_out=dict(left_out), **made_by)  # type: ignore[arg-type]
    write_text(folder / INFO_FILE, json.dumps(asdict(info), indent=2) + "\n")
    return info


def read_info(folder: Path) -> FolderInfo:
    """Read how a folder's faces were made; raise MissingFileError when it has none."""
    missing = f"There are no faces in {folder}; make them with: python -m lookalike.training split SOURCE "
    with reading(folder / INFO_FILE, missing=f"{missing}--output {folder}", damaged="choose another folder"):
        return FolderInfo(**json.loads((folder / INFO_FILE).read_text(encoding="utf-8")))


def read_table(folder: Path) -> FaceTable:
    """Read the faces of a folder that `find_faces` wrote; raise TrainingError when they are damaged."""
    read_info(folder)
    try:
        table = pq.read_table(folder / FACES_FILE)
        rows: dict[str, list[Any]] = table.to_pydict()
        images = np.stack([_decode(data) for data in rows.pop("image")])
    except (OSError, pa.ArrowException, cv2.error) as error:
        raise TrainingError(
            f"{folder / FACES_FILE} cannot be read; delete the folder and split again."
        ) from error
    kinds = {name: table.schema.field(name).type for name in rows}
    return FaceTable(
        images=images,
        names=tuple(rows["name"]),
        origins=tuple(rows["origin"]),
        sources=tuple(rows["source"]),
        files=tuple(rows["file"]),
        embeddings=np.asarray(rows["embedding"], np.float32),
        numbers={
            name: np.array([np.nan if value is None else value for value in rows[name]], np.float64)
            for name in rows
            if pa.types.is_floating(kinds[name])
        },
        words={name: tuple(rows[name]) for name in WORDS},
    )


def _named(source: Source, left_out: Counter[str]) -> Iterator[Record]:
    for record in tqdm(source, total=source.total, desc="faces", unit="photo", dynamic_ncols=True):
        if record.name:
            yield record
        else:
            left_out["without a name"] += 1


def _rows(faces: Sequence[AlignedFace], embedder: Embedder) -> list[dict[str, Any]]:
    """Return the table's columns of each face; `numbers` is still a dictionary."""
    size = embedder.model.input_size
    crops = [cv2.resize(found.crop, size, interpolation=cv2.INTER_AREA) for found in faces]
    embeddings = embedder.embed_crops([np.asarray(crop, np.uint8) for crop in crops])
    return [
        {
            **found.as_row(),
            "origin": found.record.origin,
            "category": found.record.category or "",
            "gender": found.record.gender or "",
            "embedding": embedding.tolist(),
            "numbers": {**dict(found.record.numbers), **_measure(found)},
        }
        for found, embedding in zip(faces, embeddings, strict=True)
    ]


def _measure(found: AlignedFace) -> dict[str, float]:
    values = (
        found.image.shape[1],
        found.image.shape[0],
        face_size(found.face),
        sharpness(found.image, found.face),
        yaw(found.face),
        found.crop.mean() / 255,
        found.face.confidence,
    )
    age = {"age": float(found.record.age)} if found.record.age is not None else {}
    return dict(zip(MEASURED, map(float, values), strict=True)) | age


def _table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    numbers = sorted({name for row in rows for name in row["numbers"]} - set(TEXTS))
    return pa.table(
        {
            "image": pa.array([row["image"] for row in rows], pa.binary()),
            "embedding": pa.array([row["embedding"] for row in rows], pa.list_(pa.float32())),
            **{name: pa.array([row[name] for row in rows], pa.string()) for name in TEXTS},
            **{name: pa.array([row["numbers"].get(name) for row in rows], pa.float64()) for name in numbers},
        }
    )


def _decode(data: bytes) -> RGB:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise TrainingError("A stored face is not an image; delete the folder of faces and split again.")
    return np.asarray(bgr[:, :, ::-1], np.uint8)
