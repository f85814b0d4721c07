"""The ledger: the result of each processed photo, on disk, so that a build which stops loses next to nothing.

Photos are identified by their digest, not by their place: where a source has grown or changed its order, only
new photos are processed. A part of a source that has a key is not even fetched again once all its records are
in the ledger.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.building import gate
from lookalike.building.gate import Reason
from lookalike.building.options import Options
from lookalike.building.record_log import RecordInfo, skip_reason
from lookalike.faces import thumbnail
from lookalike.faces.face import Detector
from lookalike.files import atomic_write
from lookalike.gallery.schema import OPTIONAL
from lookalike.gallery.work_folder import WORK
from lookalike.models.embedder import Embedder
from lookalike.sources.facts import FACT_COLUMNS
from lookalike.sources.records import DIGEST_BYTES

FLUSH_ENTRIES = 2048  # so many wait to be written: some 17 MB of thumbnails in memory
FLUSH_SECONDS = 5.0  # so much work a power cut costs at most
RECORDS = pa.schema(
    [
        pa.field("name", pa.string()),
        pa.field("origin", pa.string()),
        pa.field("category", pa.string()),
        pa.field("digest", pa.binary(DIGEST_BYTES)),
        pa.field("fault", pa.string()),
        pa.field("age", pa.int32()),
        pa.field("gender", pa.string()),
        pa.field("facts", pa.struct([pa.field(name, OPTIONAL[name]) for name in FACT_COLUMNS])),
    ]
)
ENTRIES = pa.schema(
    [
        pa.field("digest", pa.binary(DIGEST_BYTES)),
        pa.field("reason", pa.string()),
        pa.field("quality", pa.float64()),
        pa.field("confidence", pa.float64()),
        pa.field("embedding", pa.binary()),  # the bytes of the float32 numbers
        pa.field("photo", pa.binary()),
    ]
)


@dataclass(frozen=True, eq=False)
class Entry:
    """The result of one photo, for any name: its face, or the `reason` for which it was rejected.

    `embedding` is (dim,) float32 of unit length and `photo` the encoded thumbnail, None where there is none.
    `quality` and `confidence` are 0..1.
    """

    digest: bytes
    reason: Reason | None
    quality: float = 0.0
    confidence: float = 0.0
    embedding: NDArray[np.float32] | None = None
    photo: bytes | None = None


def ledger_folder(output: Path, detector: Detector, embedder: Embedder, *, photos: bool) -> Path:
    """Return the folder of the ledger for builds into `output` with this gate, detector and embedder."""
    model = embedder.model
    way = (
        gate.VERSION,
        detector.name,
        (model.name, model.alignment, model.normalization, embedder.engine, embedder.weights_hash),
        (thumbnail.SIDE, thumbnail.QUALITY, thumbnail.ROOM, thumbnail.EYE_LEVEL) if photos else None,
    )
    return output / WORK / f"{model.name}-{hashlib.sha256(repr(way).encode()).hexdigest()[:12]}"


class Ledger:
    """The entries in a folder, in Parquet files; one build at a time may add to it.

    A file that cannot be read, because the machine lost its power, is deleted: its photos are done again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[Path] = []
        self._places: dict[bytes, tuple[int, int]] = {}  # digest -> index of the file, row
        for leftover in folder.glob(".*.partial.*"):  # of a build that was killed
            leftover.unlink()
        for path in sorted(folder.glob("part-*.parquet")):
            try:
                digests = pq.read_table(path, columns=["digest"], schema=ENTRIES)["digest"].to_pylist()
            except (pa.ArrowException, OSError, ValueError, KeyError):
                path.unlink()
                continue
            self._register(path, digests)
        self._next = 1 + max((int(path.stem.removeprefix("part-")) for path in self._files), default=-1)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._places

    @property
    def digests(self) -> frozenset[bytes]:
        """The digests of all photos that have an entry."""
        return frozenset(self._places)

    def add(self, entries: Sequence[Entry]) -> None:
        """Write entries into a new file; once this returns, they survive a crash. Raises OSError."""
        rows = [{**vars(entry), "embedding": _bytes(entry.embedding)} for entry in entries]
        path = self._folder / f"part-{self._next:06d}.parquet"
        _write(path, pa.Table.from_pylist(rows, ENTRIES))
        self._next += 1
        self._register(path, [entry.digest for entry in entries])

    def finish(self, key: str, records: Sequence[RecordInfo]) -> None:
        """Store all records of a source's part under its key, after the entries of their photos."""
        table = pa.Table.from_pylist([asdict(record) for record in records], RECORDS)
        _write(self._records_file(key), table)

    def finished(self, key: str, options: Options) -> list[RecordInfo] | None:
        """Return the records of a part that was stored by `finish`, None where it must be read (again).

        It must be read again, too, where a photo is wanted now that the earlier options excluded.
        """
        if not key or not self._records_file(key).exists():
            return None
        try:
            rows = pq.read_table(self._records_file(key), schema=RECORDS).to_pylist()
        except (pa.ArrowException, OSError, ValueError):  # damaged when the machine lost its power
            return None
        records = [RecordInfo.from_fields(row) for row in rows]
        known = all(record.digest in self._places for record in records if not skip_reason(record, options))
        return records if known else None

    def _records_file(self, key: str) -> Path:
        return self._folder / f"seen-{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"

    def entries(self, digests: Sequence[bytes]) -> list[Entry]:
        """Return the entries of these digests, in their order, without thumbnails."""
        found: list[Entry | None] = [None] * len(digests)
        names = [name for name in ENTRIES.names if name != "photo"]
        for table, places in self._tables(digests, names):
            rows = table.to_pylist()
            for place, row in places:
                found[place] = Entry(**{**rows[row], "embedding": _vector(rows[row]["embedding"])})
        return [entry for entry in found if entry is not None]

    def photos(self, digests: Sequence[bytes]) -> list[bytes | None]:
        """Return the thumbnails of these digests, in their order."""
        found: list[bytes | None] = [None] * len(digests)
        for table, places in self._tables(digests, ["photo"]):
            for place, row in places:
                found[place] = table["photo"][row].as_py()
        return found

    def _tables(
        self, digests: Sequence[bytes], columns: list[str]
    ) -> Iterator[tuple[pa.Table, list[tuple[int, int]]]]:
        """Yield the table of each file that is needed, and for each digest in it (its place in `digests`, its
        row).
        """
        wanted: dict[int, list[tuple[int, int]]] = {}
        for place, digest in enumerate(digests):
            file, row = self._places[digest]
            wanted.setdefault(file, []).append((place, row))
        for file, places in sorted(wanted.items()):
            yield pq.read_table(self._files[file], columns=columns, schema=ENTRIES), places

    def _register(self, path: Path, digests: Sequence[bytes]) -> None:
        self._files.append(path)
        for row, digest in enumerate(digests):
            self._places[digest] = (len(self._files) - 1, row)


class LedgerWriter:
    """Writes to a ledger in a thread of its own, so that models do not wait for the disk."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pool = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None
        self._entries: list[Entry] = []
        self._finished: list[tuple[str, list[RecordInfo]]] = []
        self._due = 0.0  # the first entries are written at once: a full disk shows before the work is done

    def add(self, entries: Sequence[Entry], finished: Sequence[tuple[str, list[RecordInfo]]]) -> None:
        """Take entries, and key and records of the parts that these and earlier entries complete.

        Raises what an earlier write raised.
        """
        self._entries += entries
        self._finished += finished
        if time.monotonic() >= self._due or len(self._entries) >= FLUSH_ENTRIES:
            self._flush()

    def close(self) -> None:
        """Write what is left, and wait until it is written."""
        try:
            self._flush()
            if self._written:
                self._written.result()
        finally:
            self._pool.shutdown()

    def _flush(self) -> None:
        if not self._entries and not self._finished:
            return
        if self._written:
            self._written.result()
        self._written = self._pool.submit(self._write, self._entries, self._finished)
        self._entries, self._finished = [], []
        self._due = time.monotonic() + FLUSH_SECONDS

    def _write(self, entries: Sequence[Entry], finished: Sequence[tuple[str, list[RecordInfo]]]) -> None:
        if entries:
            self._ledger.add(entries)
        for key, records in finished:
            self._ledger.finish(key, records)


def _write(path: Path, table: pa.Table) -> None:
    file = io.BytesIO()  # Arrow's own error for a full disk does not say which
    pq.write_table(table, file, compression="zstd")
    with atomic_write(path) as partial:
        partial.write_bytes(file.getbuffer())


def _bytes(vector: NDArray[np.float32] | None) -> bytes | None:
    return None if vector is None else vector.astype(np.float32).tobytes()


def _vector(data: bytes | None) -> NDArray[np.float32] | None:
    return None if data is None else np.frombuffer(data, np.float32)
