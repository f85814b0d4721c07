"""What Ray's workers do with a source's records, and the rows that pass between them.

A row is `part` and `row` (a record's place), `about` (what is remembered of it, in JSON), `digest`, `state`
and what the stages add. After the last record of a part comes a row of the state END, with their number in
`row`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from lookalike.building.bookkeeping import Seen, why_dropped
from lookalike.building.ledger import Entry
from lookalike.building.options import Options
from lookalike.building.processing import Accepted, embed, look
from lookalike.faces.face import Detector
from lookalike.models.embedder import Embedder, Model
from lookalike.sources.opening import Record
from lookalike.sources.records import digest_of

END, KNOWN, NEW, ACCEPTED = "end of part", "known", "new", "accepted"  # other states are the gate's reasons
PLACE = [
    pa.field("part", pa.int64()),
    pa.field("row", pa.int64()),
    pa.field("about", pa.string()),
    pa.field("digest", pa.binary()),
    pa.field("state", pa.string()),
]
FOUND = [
    pa.field("quality", pa.float64()),
    pa.field("confidence", pa.float64()),
    pa.field("photo", pa.binary()),
]
JUDGED = pa.schema([*PLACE, *FOUND, pa.field("crop", pa.binary())])  # uint8, as they lie in memory
EMBEDDED = pa.schema([*PLACE, *FOUND, pa.field("embedding", pa.binary())])  # float32, likewise

Row = dict[str, Any]


def read_part(item: Mapping[str, Any], *, known: Any, options: Options, limit: int | None) -> Iterator[Row]:
    """Yield a row for each record of a part, with its photo (`image`) and the face that is meant (`box`, in
    JSON) where they must be looked at; then one that says how many there were.
    """
    import ray

    met: set[bytes] = set(ray.get(known))
    count = 0
    for record in ray.cloudpickle.loads(item["reader"])():
        if count == limit:
            return
        digest = None if why_dropped(record, options) else digest_of(record)
        new = digest is not None and digest not in met
        yield _row(
            item["part"], count, NEW if new else KNOWN, Seen.of(record, digest), record if new else None
        )
        met.add(digest or b"")
        count += 1
    yield _row(item["part"], count, END, None, None)


def _row(part: int, row: int, state: str, seen: Seen | None, record: Record | None) -> Row:
    about = {name: getattr(seen, name) for name in Seen.__slots__ if name != "digest"} if seen else {}
    return {
        "part": part,
        "row": row,
        "about": json.dumps(about),
        "digest": (seen.digest if seen else None) or b"",
        "state": state,
        "image": record.image if record else b"",
        "box": json.dumps(record.box if record else None),
    }


def judge_photos(
    table: pa.Table, *, make_detector: Callable[[], Detector], model: Model, thumbnails: bool
) -> pa.Table:
    """Return rows like JUDGED: of photos that pass the gate the state is ACCEPTED."""
    detector = make_detector()  # one object a process
    rows = [_judged(row, detector, model, thumbnails=thumbnails) for row in table.to_pylist()]
    return pa.Table.from_pylist(rows, JUDGED)


def _judged(row: Row, detector: Detector, model: Model, *, thumbnails: bool) -> Row:
    if row["state"] != NEW:
        return row
    box = json.loads(row["box"])
    record = Record(row["image"], "", "", box=tuple(box) if box else None)
    found = look(record, detector, model, thumbnails=thumbnails)
    if not isinstance(found, Accepted):
        return row | {"state": found}
    fields = {"quality": found.quality, "confidence": found.confidence, "photo": found.photo}
    return row | fields | {"state": ACCEPTED, "crop": found.crop.tobytes()}


class Embed:
    """An embedder of the pool, one a worker, on a CPU core or a GPU."""

    def __init__(self, *, make_embedder: Callable[[], Embedder]) -> None:
        self._embedder = make_embedder()

    def __call__(self, table: pa.Table) -> pa.Table:
        """Take rows like JUDGED, return rows like EMBEDDED."""
        rows = table.to_pylist()
        accepted = [row for row in rows if row["state"] == ACCEPTED]
        width, height = self._embedder.model.input_size
        crops = [np.frombuffer(row["crop"], np.uint8).reshape(height, width, 3) for row in accepted]
        photos: list[tuple[bytes, Any]] = [
            (row["digest"], Accepted(crop, row["quality"], row["confidence"], row["photo"]))
            for row, crop in zip(accepted, crops, strict=True)
        ]
        for row, entry in zip(accepted, embed(photos, self._embedder), strict=True):
            assert entry.embedding is not None
            row["embedding"] = entry.embedding.tobytes()
        return pa.Table.from_pylist(rows, EMBEDDED)


def seen_of(row: Row) -> Seen:
    """Return what is remembered of the record of a row."""
    return Seen(digest=row["digest"] or None, **json.loads(row["about"]))


def entry_of(row: Row) -> Entry:
    """Return what the ledger keeps of the photo of a row like EMBEDDED that was looked at."""
    if row["state"] != ACCEPTED:
        return Entry(row["digest"], row["state"])
    embedding = np.frombuffer(row["embedding"], np.float32)
    return Entry(row["digest"], None, row["quality"], row["confidence"], embedding, row["photo"])
