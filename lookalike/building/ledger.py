"""What was found out about each photo, on disk as it is found out: a build that stops loses nothing.

A photo is known by its digest, not by its place, so that a source which has grown or changed its order costs
only what is new. A part of a source that has a key is known as a whole once it was read to its end, and is
then not fetched again. Each file is written whole, or not at all.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.building import gate, thumbnails
from lookalike.building.bookkeeping import Seen, why_dropped
from lookalike.building.gate import Reason
from lookalike.building.options import Options
from lookalike.errors import GalleryError
from lookalike.faces.face import Detector
from lookalike.models.embedder import Embedder
from lookalike.sources.records import DIGEST_BYTES

WORK = ".work"  # the folder beside the galleries where ledgers are kept
SEEN = pa.schema(
    [
        pa.field("name", pa.string()),
        pa.field("origin", pa.string()),
        pa.field("category", pa.string()),
        pa.field("digest", pa.binary(DIGEST_BYTES)),
        pa.field("fault", pa.string()),
        pa.field("age", pa.int32()),
        pa.field("gender", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        pa.field("digest", pa.binary(DIGEST_BYTES)),
        pa.field("reason", pa.string()),
        pa.field("quality", pa.float64()),
        pa.field("confidence", pa.float64()),
        pa.field("embedding", pa.binary()),  # float32, as they lie in memory
        pa.field("photo", pa.binary()),
    ]
)


@dataclass(frozen=True, eq=False)
class Entry:
    """What became of one photo, whosever it is: a reason to refuse it, or its face.

    `embedding` is (dim,) float32 of unit length and `photo` the encoded thumbnail, None where there is none;
    `quality` and `confidence` are 0..1.
    """

    digest: bytes
    reason: Reason | None
    quality: float = 0.0
    confidence: float = 0.0
    embedding: NDArray[np.float32] | None = None
    photo: bytes | None = None


def ledger_folder(output: Path, detector: Detector, embedder: Embedder, *, photos: bool) -> Path:
    """Return where the ledger lies of builds into `output` that judge and see faces in one way."""
    model = embedder.model
    way = (
        gate.VERSION,
        detector.name,
        (model.name, model.alignment, model.normalization, embedder.engine, embedder.weights_hash),
        (thumbnails.SIDE, thumbnails.QUALITY, thumbnails.ROOM) if photos else None,
    )
    return output / WORK / f"{model.name}-{hashlib.sha256(repr(way).encode()).hexdigest()[:12]}"


@contextmanager
def alone(output: Path) -> Iterator[None]:
    """Keep every other build out of `output`; raise GalleryError where one is at work there."""
    from filelock import FileLock, Timeout

    (output / WORK).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(output / WORK / "lock", timeout=0):  # the system drops it when a build is killed
            yield
    except Timeout as error:
        raise GalleryError(
            f"Another build is at work in {output}; wait for it, or choose a folder."
        ) from error


class Ledger:
    """The entries in a folder, in parts of Parquet; one build at a time may add to it.

    A part that cannot be read, left by a machine that lost its power, is dropped: its photos are done again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[Path] = []
        self._places: dict[bytes, tuple[int, int]] = {}  # digest -> part, row
        for path in sorted(folder.glob("part-*.parquet")):
            try:
                digests = pq.read_table(path, columns=["digest"], schema=SCHEMA)["digest"].to_pylist()
            except (pa.ArrowException, OSError, ValueError, KeyError):
                path.unlink()
                continue
            self._register(path, digests)
        self._next = 1 + max((int(path.stem.removeprefix("part-")) for path in self._parts), default=-1)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._places

    @property
    def digests(self) -> frozenset[bytes]:
        """The digests of all photos that are known."""
        return frozenset(self._places)

    def add(self, entries: Sequence[Entry]) -> None:
        """Write entries as one part; once this returns, they survive a crash. Raises OSError."""
        rows = [{**vars(entry), "embedding": _bytes(entry.embedding)} for entry in entries]
        path = self._folder / f"part-{self._next:06d}.parquet"
        _write(path, pa.Table.from_pylist(rows, SCHEMA))
        self._next += 1
        self._register(path, [entry.digest for entry in entries])

    def finish(self, key: str, records: Sequence[Seen]) -> None:
        """Remember all records of a part of a source by its key, once their photos' entries are here."""
        _write(self._seen_file(key), pa.Table.from_pylist([asdict(seen) for seen in records], SEEN))

    def finished(self, key: str, options: Options) -> list[Seen] | None:
        """Return the records of a part that was read to its end, None where it must be read (again): also
        where a photo is now asked for that was none of the gallery's then.
        """
        if not key or not self._seen_file(key).exists():
            return None
        try:
            rows = pq.read_table(self._seen_file(key), schema=SEEN).to_pylist()
        except (pa.ArrowException, OSError, ValueError):  # left by a machine that lost its power
            return None
        records = [Seen(**row) for row in rows]
        known = all(seen.digest in self._places for seen in records if not why_dropped(seen, options))
        return records if known else None

    def _seen_file(self, key: str) -> Path:
        return self._folder / f"seen-{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"

    def entries(self, digests: Sequence[bytes]) -> list[Entry]:
        """Return the entries of these digests, in their order, without thumbnails."""
        found: list[Entry | None] = [None] * len(digests)
        names = [name for name in SCHEMA.names if name != "photo"]
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
        """Yield each part that is needed, with the (place among digests, row of the part) that it answers."""
        wanted: dict[int, list[tuple[int, int]]] = {}
        for place, digest in enumerate(digests):
            part, row = self._places[digest]
            wanted.setdefault(part, []).append((place, row))
        for part, places in sorted(wanted.items()):
            yield pq.read_table(self._parts[part], columns=columns, schema=SCHEMA), places

    def _register(self, path: Path, digests: Sequence[bytes]) -> None:
        self._parts.append(path)
        for row, digest in enumerate(digests):
            self._places[digest] = (len(self._parts) - 1, row)


def _write(path: Path, table: pa.Table) -> None:
    """Write a table whole, or not at all; once this returns, it survives a crash. Raises OSError."""
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    partial = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("wb") as out:
        out.write(file.getbuffer())
        out.flush()
        os.fsync(out.fileno())
    os.replace(partial, path)


def _bytes(vector: NDArray[np.float32] | None) -> bytes | None:
    return None if vector is None else vector.astype(np.float32).tobytes()


def _vector(data: bytes | None) -> NDArray[np.float32] | None:
    return None if data is None else np.frombuffer(data, np.float32)
