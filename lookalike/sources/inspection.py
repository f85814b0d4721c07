"""Inspect a source before it is used: counts and statistics from one pass, without loading it into memory."""

from __future__ import annotations

import io
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.images import MAX_BYTES, register_heic
from lookalike.sources.opening import Record
from lookalike.sources.records import digest_of

SAMPLE_PHOTOS = 40  # on the contact sheet, drawn at random with a fixed seed
SHOWN_COLUMNS = 24  # in the figures: a table of pixels has thousands, which no picture can show


@dataclass(frozen=True, eq=False)
class Inspection:
    """The contents of a source.

    `photos_a_name` counts the records of each name, `trouble` those that lack something or are repeated.
    `numbers` holds for each column an array with one value a record, NaN where it has none.
    """

    source: str
    records: int
    photos_a_name: Counter[str]
    categories: Counter[str]
    formats: Counter[str]
    trouble: Counter[str]
    numbers: dict[str, NDArray[np.float64]]
    sample: tuple[Record, ...]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The summary: pairs of a description and a figure."""
        counts = np.array(sorted(self.photos_a_name.values()) or [0])
        low, middle, high = np.quantile(counts, (0, 0.5, 1))
        lines = [
            ("records", f"{self.records:,}"),
            ("names", f"{len(self.photos_a_name):,}"),
            ("photos a name", f"{low:,.0f} to {high:,.0f}, {middle:,.0f} in the median"),
            ("names with one photo", f"{int((counts == 1).sum()):,}"),
        ]
        lines += [(what, f"{number:,}") for what, number in sorted(self.trouble.items())]
        lines += [(f"category {what}", f"{number:,}") for what, number in self.categories.most_common()]
        return lines + [(f"format {what}", f"{number:,}") for what, number in self.formats.most_common()]

    @property
    def correlations(self) -> tuple[list[str], NDArray[np.float64]]:
        """The first SHOWN_COLUMNS columns that vary, and the Pearson correlation of each pair, over records
        that have both.
        """
        columns = [name for name, values in self.numbers.items() if _varies(values)][:SHOWN_COLUMNS]
        matrix = np.full((len(columns), len(columns)), np.nan)
        for row, first in enumerate(columns):
            for column, second in enumerate(columns):
                matrix[row, column] = _correlation(self.numbers[first], self.numbers[second])
        return columns, matrix


def inspect(
    records: Iterable[Record], *, source: str, progress: Callable[[], object] = lambda: None
) -> Inspection:
    """Read every record once; photos are not decoded beyond the header."""
    names: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    trouble: Counter[str] = Counter()
    rows: list[dict[str, float]] = []
    owners: dict[bytes, set[str]] = defaultdict(set)
    drawn = _Reservoir(SAMPLE_PHOTOS)
    for record in records:
        names[record.name] += 1
        categories[record.category or ""] += 1
        header = _header(record.image)
        formats[header.format] += 1
        for what in _trouble(record, header, owners):
            trouble[what] += 1
        rows.append(_numbers(record, header))
        if header.width:
            drawn.offer(record)
        progress()
    count = sum(names.values())
    for without in (names, categories, formats):
        without.pop("", None)
    return Inspection(source, count, names, categories, formats, trouble, _columns(rows), drawn.photos)


@dataclass(frozen=True)
class _Header:
    """A photo's format and size from its header; empty and 0 where it cannot be read."""

    format: str = ""
    width: int = 0
    height: int = 0


def _header(image: bytes) -> _Header:
    if not image or len(image) > MAX_BYTES:
        return _Header()
    if image[4:8] == b"ftyp":
        register_heic()
    try:
        with Image.open(io.BytesIO(image)) as picture:
            return _Header(picture.format or "", *picture.size)
    except Exception:  # Pillow's plugins raise many kinds on broken bytes
        return _Header()


def _trouble(record: Record, header: _Header, owners: dict[bytes, set[str]]) -> list[str]:
    """Return what is wrong with a record, and add its name to the photo's `owners`."""
    wrong = [record.fault] if record.fault else []
    if not record.name:
        wrong.append("without a name")
    if not record.image:
        return wrong if record.fault else [*wrong, "without a photo"]
    if not header.width:
        wrong.append("unreadable")
    people = owners[digest_of(record)]
    if record.name in people:
        wrong.append("the same photo again")
    elif people:
        wrong.append("the same photo under another name")
    people.add(record.name)
    return wrong


def _numbers(record: Record, header: _Header) -> dict[str, float]:
    row = dict(record.numbers)
    if header.width:
        row |= {"width": header.width, "height": header.height, "kilobytes": len(record.image) / 1000}
    if record.age is not None:
        row["age"] = record.age
    if record.box is not None:
        row["face width"] = record.box[2]
    return row


def _columns(rows: list[dict[str, float]]) -> dict[str, NDArray[np.float64]]:
    names = sorted({name for row in rows for name in row})
    columns = {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}
    return {name: values for name, values in columns.items() if np.isfinite(values).any()}


def _varies(values: NDArray[np.float64]) -> bool:
    finite = values[np.isfinite(values)]
    return bool(finite.min() < finite.max())


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 3 or not _varies(first[both]) or not _varies(second[both]):
        return float("nan")
    with np.errstate(over="ignore", invalid="ignore"):  # numbers near 1e308: their squares are infinite
        return float(np.corrcoef(first[both], second[both])[0, 1])


class _Reservoir:
    """Draws a uniform sample from a stream, kept in order: reservoir sampling, algorithm R (Vitter 1985)."""

    def __init__(self, size: int) -> None:
        self._size, self._seen = size, 0
        self._kept: list[tuple[int, Record]] = []
        self._random = random.Random(0)

    def offer(self, record: Record) -> None:
        self._seen += 1
        if len(self._kept) < self._size:
            self._kept.append((self._seen, record))
        elif (place := self._random.randrange(self._seen)) < self._size:
            self._kept[place] = (self._seen, record)

    @property
    def photos(self) -> tuple[Record, ...]:
        return tuple(record for _, record in sorted(self._kept, key=lambda item: item[0]))
