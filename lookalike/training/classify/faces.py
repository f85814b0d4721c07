"""The folder of faces that everything here starts from: found once, aligned, measured, with what the source
says of each photo.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tqdm import tqdm

from lookalike.errors import ImageError, SourceError, TrainingError
from lookalike.evaluation.photos import in_batches, source_key
from lookalike.faces.alignment import align
from lookalike.faces.face import RGB, Detector, Face
from lookalike.faces.quality import sharpness, span, turn
from lookalike.images import read_image
from lookalike.models.embedder import Embedder
from lookalike.sources.opening import Record, Source
from lookalike.training.classify.files import reading
from lookalike.training.face_table import encode_face

FACES_FILE, ABOUT_FILE = "faces.parquet", "faces.json"
BATCH = 64  # faces embedded and written at once
WORDS = ("category", "gender")  # columns of text that a source may have
MEASURED = ("width", "height", "face size", "sharpness", "turn", "brightness", "confidence")


@dataclass(frozen=True)
class About:
    """How the faces of a folder came about, and what became of every record.

    `side` is the width and height of a stored face in pixels; `weights_hash` that of the bundled network that
    embedded them; `left_out` counts the records without a face by reason.
    """

    source: str
    side: int
    detector: str
    weights_hash: str
    faces: int
    left_out: dict[str, int]

    @property
    def sentence(self) -> str:
        """The account of every record."""
        reasons = "".join(f" · {what} {number:,}" for what, number in self.left_out.items())
        return f"{self.faces:,} faces{reasons}"


@dataclass(frozen=True, eq=False)
class FaceTable:
    """Faces in memory, one entry a photo in every field.

    `images` is (n, side, side, 3) uint8 RGB, aligned to ArcFace's template; `embeddings` (n, d) float32 rows
    of unit length by the bundled network; `sources` and `files` say which photo it is as splits know it;
    `numbers` holds (n,) float64 columns, NaN where a value is missing, `words` columns of text, "" where it
    is.
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


def find_faces(source: Source, folder: Path, *, detector: Detector, embedder: Embedder, side: int) -> About:
    """Write the largest face of every named photo of `source` into `folder`; return the account.

    What a folder holds already is not looked for again. The table appears when it is whole. Raises
    TrainingError where the folder holds other faces, SourceError where no photo shows one.
    """
    wanted = {"source": source.name, "side": side, "detector": detector.name}
    wanted["weights_hash"] = embedder.weights_hash
    if (folder / ABOUT_FILE).exists():
        about = read_about(folder)
        others = [name for name, value in wanted.items() if getattr(about, name) != value]
        if others:
            raise TrainingError(
                f"{folder} holds faces of another kind ({', '.join(others)}); choose another folder."
            )
        return about
    folder.mkdir(parents=True, exist_ok=True)
    left_out = _write(source, folder / FACES_FILE, detector, embedder, side)
    faces = pq.read_metadata(folder / FACES_FILE).num_rows
    about = About(faces=faces, left_out=dict(left_out), **wanted)  # type: ignore[arg-type]
    (folder / ABOUT_FILE).write_text(json.dumps(asdict(about), indent=2) + "\n", encoding="utf-8")
    return about


def read_about(folder: Path) -> About:
    """Read how a folder's faces came about; raise MissingFileError where there are none."""
    missing = f"There are no faces in {folder}; make them with: python -m lookalike.training split SOURCE "
    with reading(folder / ABOUT_FILE, missing=f"{missing}--output {folder}", damaged="choose another folder"):
        return About(**json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8")))


def read_table(folder: Path) -> FaceTable:
    """Read the faces of a folder that `find_faces` wrote."""
    read_about(folder)
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


def _write(source: Source, file: Path, detector: Detector, embedder: Embedder, side: int) -> Counter[str]:
    left_out: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    with tqdm(total=source.total, desc="faces", unit="photo", dynamic_ncols=True) as bar:
        for batch in in_batches(source, BATCH):
            looked = [_look(record, detector, side) for record in batch]
            found = [row for row in looked if isinstance(row, dict)]
            left_out.update(row for row in looked if isinstance(row, str))
            for row, embedding in zip(found, _embed(found, embedder), strict=True):
                rows.append({**row, "embedding": embedding.tolist(), "image": encode_face(row["image"])})
            bar.update(len(batch))
    if not rows:
        raise SourceError(f"No photo of {source.name} shows a face under a name; try another source.")
    numbers = sorted({name for row in rows for name in row["numbers"]})
    partial = file.with_name(f"{file.name}.partial")
    pq.write_table(_table(rows, numbers), partial)
    partial.replace(file)
    return left_out


def _table(rows: list[dict[str, Any]], numbers: list[str]) -> pa.Table:
    texts = ("name", "origin", "source", "file", *WORDS)
    columns: dict[str, pa.Array] = {
        "image": pa.array([row["image"] for row in rows], pa.binary()),
        "embedding": pa.array([row["embedding"] for row in rows], pa.list_(pa.float32())),
        **{name: pa.array([row[name] for row in rows], pa.string()) for name in texts},
        **{
            name: pa.array([row["numbers"].get(name) for row in rows], pa.float64())
            for name in numbers
            if name not in texts
        },
    }
    return pa.table(columns)


def _embed(rows: list[dict[str, Any]], embedder: Embedder) -> NDArray[np.float32]:
    size = embedder.model.input_size
    crops = [cv2.resize(row["image"], size, interpolation=cv2.INTER_AREA) for row in rows]
    return embedder.embed_crops([np.asarray(crop, np.uint8) for crop in crops])


def _look(record: Record, detector: Detector, side: int) -> dict[str, Any] | str:
    """Return the row of the record's largest face, or why it has none."""
    if not record.name:
        return "without a name"
    try:
        image = read_image(record.image)
    except ImageError:
        return "unreadable"
    faces = detector.detect(image)
    if not faces:
        return "no face"
    crop = align(image, faces[0], side)
    return {
        "image": crop,
        "name": record.name,
        "origin": record.origin,
        "source": source_key(record),
        "file": record.file,
        "category": record.category or "",
        "gender": record.gender or "",
        "numbers": {**dict(record.numbers), **_measure(image, faces[0], crop, record)},
    }


def _measure(image: RGB, face: Face, crop: RGB, record: Record) -> dict[str, float]:
    values = (
        image.shape[1],
        image.shape[0],
        span(face),
        sharpness(image, face),
        turn(face),
        crop.mean() / 255,
        face.confidence,
    )
    age = {"age": float(record.age)} if record.age is not None else {}
    return dict(zip(MEASURED, map(float, values), strict=True)) | age


def _decode(data: bytes) -> RGB:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise TrainingError("A stored face is no picture; delete the folder of faces and split again.")
    return np.asarray(bgr[:, :, ::-1], np.uint8)
