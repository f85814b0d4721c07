"""Records, the sources that stream them, and the overrides for reading a source."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

PHOTOS_PER_PART = 500  # of photo files: some seconds of work
SPLITS = ("train", "validation", "val", "test")  # folders of datasets with splits, not of people
DIGEST_BYTES = 16  # among a hundred million photos, the chance that two collide is about 10^-23
NAME_COLUMNS = ("name", "celebrity", "person", "identity", "label")  # in order of preference
WHAT_TO_GIVE = (
    "give Parquet, a folder with one folder per celebrity, a CSV of path and name, WebDataset's .tar, "
    "IMDB-WIKI's .mat, or a dataset on the Hub (owner/name)"
)


@dataclass(frozen=True)
class Choice:
    """Overrides for what to read from a source.

    `config` and `split` select from a Hub dataset, which is streamed unless `download` is set. `image_column`
    and `label_column` are columns of a table.
    """

    config: str | None = None
    split: str | None = None
    image_column: str | None = None
    label_column: str | None = None
    download: bool = False


@dataclass(frozen=True)
class Facts:
    """What a source tells about the person in a photo; None for what it does not tell.

    `native` is the name in the person's own script, `field` what they work in, `gender` "woman", "man" or the
    source's own word, `country` where they are from, `born` a year, `known_for` a few words.
    """

    native: str | None = None
    field: str | None = None
    gender: str | None = None
    country: str | None = None
    born: int | None = None
    known_for: str | None = None


@dataclass(frozen=True)
class Record:
    """One labelled photo, as encoded bytes, empty where they are missing.

    `name` is clean (see `clean_name`), and empty where the source has none. `origin` reads like
    "hollywood.parquet#12", "stars/Ada Lovelace/1.jpg" or "owner/name#12". `file` is the photo's file name,
    empty where the source has none. `box`, (x, y, width, height) in pixels of the stored photo, is the face
    that the label is for, None where the source does not tell. `age` is in years when the photo was taken.
    `fault` is why the source itself marks the record as faulty, empty where it does not. `numbers` are all
    other numbers that the source has of it, for `--inspect`. `facts` are about the person, None where the
    source has none.
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
    facts: Facts | None = None


@dataclass(frozen=True)
class Part:
    """A part of a source that can be read by itself: a shard, a row group, or some of the files.

    `records` streams it from its start. `key` identifies the content, so that a complete part need not be
    fetched again; it is empty for local files. Where `series` is given, a record's origin is `series#number`,
    counted through all parts of the series, so it is known only after the parts before.
    """

    records: Callable[[], Iterator[Record]]
    key: str = ""
    series: str = ""


@dataclass(frozen=True)
class Source:
    """A source that was opened and checked. Iterating streams its records from the start.

    `name` is for the card. `total` is the number of records, None where it is not known before the end. The
    records are those of `parts`, in order, at most `limit` of them.
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
    """Counts the records of each series."""

    def __init__(self) -> None:
        self._next: Counter[str] = Counter()

    def next_of(self, part: Part) -> str:
        """Return the origin of the next record of a part with a series."""
        self._next[part.series] += 1
        return f"{part.series}#{self._next[part.series] - 1}"


def digest_of(record: Record) -> bytes:
    """Return the digest of a record's photo and `box`, which together decide the result of processing."""
    return hashlib.blake2b(record.image + repr(record.box).encode(), digest_size=DIGEST_BYTES).digest()


def read_photo(path: Path) -> bytes:
    """Return a file's bytes; empty where it cannot be read, so that it is counted as unreadable."""
    try:
        return path.read_bytes()
    except (OSError, ValueError):  # no permission, deleted since it was listed, or an invalid name
        return b""


def origin_of(root: Path, file: Path) -> str:
    """Return the file's path from the folder `root` on, as text; bytes that are not UTF-8 are replaced."""
    below = file.relative_to(root) if file != root else Path()
    path = Path(root.resolve().name) / below
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


def hidden(path: Path) -> bool:
    """Return whether a part of a relative path starts with a dot."""
    return any(part.startswith(".") for part in path.parts)


def is_below(folder: Path, path: Path) -> bool:
    """Return whether a path stays in a folder: a downloaded list of paths may come from anybody."""
    return path.is_relative_to(folder) and ".." not in path.relative_to(folder).parts
