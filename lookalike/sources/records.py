"""What a source gives: records, and how somebody says which part of it is meant."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".avif")
PHOTOS_A_PART = 500  # of files on a disk: some seconds of work
DIGEST_BYTES = 16  # among a hundred million photos, two by chance once in 10^22
WHAT_TO_GIVE = (
    "give Parquet, a folder with one folder per celebrity, a CSV of path and name, IMDB-WIKI's .mat, or a "
    "dataset on the Hub (owner/name)"
)


@dataclass(frozen=True)
class Choice:
    """What of a source is meant, where it is not what is found by itself.

    `config` and `split` choose from a Hub dataset, which is streamed unless `download` keeps it in the cache;
    `image_column` and `label_column` name columns of tables.
    """

    config: str | None = None
    split: str | None = None
    image_column: str | None = None
    label_column: str | None = None
    download: bool = False


@dataclass(frozen=True)
class Record:
    """One labelled photo: the encoded bytes (empty where they are missing), whose it is, where it comes
    from.

    `name` is clean (see `clean_name`) and empty where the source has no usable one; `origin` reads like
    "hollywood.parquet#12", "stars/Ada Lovelace/1.jpg" or "owner/name#12"; `file` is the photo's own file
    name, empty where the source does not tell. `box`, (x, y, width, height) in pixels of the stored photo, is
    the face that the source points at, None where it points at none. `age` is in years when the photo was
    taken. `fault` is why the source itself says that the record is no good, empty where it is.
    `numbers` are what else the source says of it in numbers, for `--inspect`.
    """

    image: bytes
    name: str
    origin: str
    category: str | None = None
    file: str = ""
    box: tuple[float, float, float, float] | None = None
    age: int | None = None
    gender: str | None = None
    fault: str = ""
    numbers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Part:
    """What of a source can be read by itself: a shard, a row group, some of the files.

    `records` streams it, each time from its start. `key` names this very content, so that a part which was
    read to its end need not be fetched again; empty for what is at hand. Where `series` is given, the origins
    of the records are that and their number among all of the series, which only those before can tell.
    """

    records: Callable[[], Iterator[Record]]
    key: str = ""
    series: str = ""


@dataclass(frozen=True)
class Source:
    """A source that was opened and checked; iterating streams its records, each time from the start.

    `name` is what a card may say of it; `total` counts its records, None where nobody knows before the end.
    Its records are those of `parts`, one after the other, at most `limit` of them.
    """

    name: str
    total: int | None
    parts: tuple[Part, ...]
    limit: int | None = None

    def __iter__(self) -> Iterator[Record]:
        return islice(self._all(), self.limit)

    def _all(self) -> Iterator[Record]:
        numbers = Numbers()
        for part in self.parts:
            for record in part.records():
                yield replace(record, origin=numbers.next_of(part)) if part.series else record


class Numbers:
    """Numbers the records of each series as they come."""

    def __init__(self) -> None:
        self._next: Counter[str] = Counter()

    def next_of(self, part: Part) -> str:
        """Return the origin of the next record of a part with a series."""
        self._next[part.series] += 1
        return f"{part.series}#{self._next[part.series] - 1}"


def digest_of(record: Record) -> bytes:
    """Return the digest of what decides about a record's photo: its bytes, and the face that is meant."""
    return hashlib.blake2b(record.image + repr(record.box).encode(), digest_size=DIGEST_BYTES).digest()


def read_photo(path: Path) -> bytes:
    """Return a file's bytes, none where it cannot be read: then it is counted as unreadable."""
    try:
        return path.read_bytes()
    except (OSError, ValueError):  # no permission, gone since it was listed, or a name that cannot be one
        return b""


def origin_of(root: Path, file: Path) -> str:
    """Return the file's path from the folder that was named on, as valid text however odd the file's name."""
    below = file.relative_to(root) if file != root else Path()
    path = Path(root.resolve().name) / below
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


def hidden(path: Path) -> bool:
    """Say whether a part of a path below the folder that was named starts with a dot."""
    return any(part.startswith(".") for part in path.parts)
