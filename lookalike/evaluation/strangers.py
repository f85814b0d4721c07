"""Photos of ordinary strangers, for `build_gallery.py --cohort`, taken from tables of aligned faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.errors import SourceError
from lookalike.evaluation.aligned_faces import cell_of, is_adult, labels_of, read_table
from lookalike.evaluation.splits import Split
from lookalike.files import atomic_write

PER_CELL = 150  # photos of each race and gender, or of a source without labels


def write_strangers(tables: Sequence[Path], split: Split, path: Path, *, seed: int = 0) -> int:
    """Write the unnamed adults whom `split` keeps for the cohort as a Parquet file with the columns `image`
    and `name`, at most PER_CELL photos of each race and gender; return their number.

    Raises MissingFileError and SourceError as `read_faces` does, and SourceError where nobody is left.
    """
    cells: dict[tuple[str, ...], list[bytes]] = {}
    for table in tables:
        for row in read_table(table).to_pylist():
            labels = labels_of(row["group"])
            on_side = row["train"] and split.side(row["source"], row["name"], row["file"]) == "cohort"
            if on_side and not row["name"] and is_adult(labels):
                cells.setdefault(cell_of(labels, row["source"]), []).append(row["image"])
    if not cells:
        raise SourceError("The tables have no unnamed adults whom the split keeps for the cohort.")
    random = np.random.default_rng(seed)
    images = [cells[cell][place] for cell in sorted(cells) for place in _some(random, len(cells[cell]))]
    names = [f"stranger {number}" for number in range(1, len(images) + 1)]
    with atomic_write(path) as partial:
        pq.write_table(pa.table({"image": [{"bytes": image} for image in images], "name": names}), partial)
    return len(images)


def _some(random: np.random.Generator, count: int) -> list[int]:
    return [int(place) for place in random.permutation(count)[:PER_CELL]]
