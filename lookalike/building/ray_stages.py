"""The stages that Ray's workers run, and the rows that pass between them.

A row has `part` and `row` (the record's place), `about` (its RecordInfo in JSON, without the digest),
`digest`, `state`, and what the stages add. After the last record of a part comes a row with the state END,
whose `row` is the number of records.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from lookalike.building.ledger import Entry
from lookalike.building.options import Options
from lookalike.building.processing import CroppedFace, embed, process
from lookalike.building.record_log import RecordInfo, skip_reason
from lookalike.faces.face import Detector
from lookalike.models.embedder import Embedder, Model
from lookalike.sources.opening import Record
from lookalike.sources.records import digest_of

END, KNOWN, NEW, ACCEPTED = "end of part", "known", "new", "accepted"  # or one of the gate's reasons
PLACE = [
    pa.field("part", pa.int64()),
    pa.field("row", pa.int64()),
    pa.field("about", pa.string()),
    pa.field("digest", pa.binary()),
    pa.field("state", pa.string()),
]
FACE = [
    pa.field("quality", pa.float64()),
    pa.field("confidence", pa.float64()),
    pa.field("photo", pa.binary()),
]
CHECKED = pa.schema([*PLACE, *FACE, pa.field("crop", pa.binary())])  # the bytes of uint8 pixels
EMBEDDED = pa.schema([*PLACE, *FACE, pa.field("embedding", pa.binary())])  # the bytes of float32 numbers

Row = dict[str, Any]


def read_part(item: Mapping[str, Any], *, known: Any, options: Options, limit: int | None) -> Iterator[Row]:
    """Yield a row for each record of a part, then one with the state END.

    Rows with the state NEW have the photo (`image`) and the box of the labelled face (`box`, in JSON).
    """
    import ray

    met: set[bytes] = set(ray.get(known))
    part, count = item["part"], 0
    for record in ray.cloudpickle.loads(item["reader"])():
        if count == limit:
            return
        digest = None if skip_reason(record, options) else digest_of(record)
        info = RecordInfo.of(record, digest)
        new = digest is not None and digest not in met
        yield _row(part, count, NEW, info, record) if new else _row(part, count, KNOWN, info)
        met.add(digest or b"")
        count += 1
    yield _row(part, count, END)


def _row(
    part: int, row: int, state: str, info: RecordInfo | None = None, record: Record | None = None
) -> Row:
    about = {name: value for name, value in asdict(info).items() if name != "digest"} if info else {}
    return {
        "part": part,
        "row": row,
        "about": json.dumps(about),
        "digest": (info.digest if info else None) or b"",
        "state": state,
        "image": record.image if record else b"",
        "box": json.dumps(record.box if record else None),
    }


def check_photos(
    table: pa.Table, *, make_detector: Callable[[], Detector], model: Model, thumbnails: bool
) -> pa.Table:
    """Return rows with the schema CHECKED; the state NEW becomes ACCEPTED or a reason to reject it."""
    detector = make_detector()  # cached: one a process
    rows = [_checked(row, detector, model, thumbnails=thumbnails) for row in table.to_pylist()]
    return pa.Table.from_pylist(rows, CHECKED)


def _checked(row: Row, detector: Detector, model: Model, *, thumbnails: bool) -> Row:
    if row["state"] != NEW:
        return row
    box = json.loads(row["box"])
    record = Record(row["image"], "", "", box=tuple(box) if box else None)
    face = process(record, detector, model, thumbnails=thumbnails)
    if not isinstance(face, CroppedFace):
        return row | {"state": face}
    fields = {"quality": face.quality, "confidence": face.confidence, "photo": face.photo}
    return row | fields | {"state": ACCEPTED, "crop": face.crop.tobytes()}


class Embed:
    """One embedder of the pool, on a CPU core or a GPU."""

    def __init__(self, *, make_embedder: Callable[[], Embedder]) -> None:
        self._embedder = make_embedder()

    def __call__(self, table: pa.Table) -> pa.Table:
        """Return rows with the schema EMBEDDED for rows with the schema CHECKED."""
        rows = table.to_pylist()
        accepted = [row for row in rows if row["state"] == ACCEPTED]
        width, height = self._embedder.model.input_size
        crops = [np.frombuffer(row["crop"], np.uint8).reshape(height, width, 3) for row in accepted]
        photos: list[tuple[bytes, Any]] = [
            (row["digest"], CroppedFace(crop, row["quality"], row["confidence"], row["photo"]))
            for row, crop in zip(accepted, crops, strict=True)
        ]
        for row, entry in zip(accepted, embed(photos, self._embedder), strict=True):
            assert entry.embedding is not None
            row["embedding"] = entry.embedding.tobytes()
        return pa.Table.from_pylist(rows, EMBEDDED)


def info_of(row: Row) -> RecordInfo:
    """Return the record of a row."""
    return RecordInfo.from_fields({"digest": row["digest"] or None, **json.loads(row["about"])})


def entry_of(row: Row) -> Entry:
    """Return the ledger's entry for the photo of a row with the schema EMBEDDED, whose state is not KNOWN."""
    if row["state"] != ACCEPTED:
        return Entry(row["digest"], row["state"])
    embedding = np.frombuffer(row["embedding"], np.float32)
    return Entry(row["digest"], None, row["quality"], row["confidence"], embedding, row["photo"])
