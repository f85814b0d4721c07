"""The options of a build."""

from __future__ import annotations

import os
from dataclasses import dataclass

from lookalike.building.people import NOBODY, People
from lookalike.models.embedder import Embeddings


@dataclass(frozen=True)
class Options:
    """How a gallery is built from its records.

    At most `photos_per_name` photos of a name are kept; a name with fewer than `min_photos` is left out.
    `one_row` keeps the normalized mean of a name's photos instead of a row for each. `photos` adds thumbnails
    to the rows; a mean has none. `excluded` holds person keys (see `lookalike.names`). `people` are joined by
    name; with `listed_only`, others are left out. `strangers`, (n, dim) embeddings of ordinary people, make
    the cohort of a model that has none, and the standing. `source` and `licence` go into the settings and the
    card.
    """

    photos_per_name: int = 10
    min_photos: int = 1
    one_row: bool = False
    photos: bool = True
    excluded: frozenset[str] = frozenset()
    people: People = NOBODY
    listed_only: bool = False
    strangers: Embeddings | None = None
    source: str = ""
    licence: str = "unknown"
    threads: int = os.cpu_count() or 1

    @property
    def thumbnails(self) -> bool:
        """Whether the rows get thumbnails."""
        return self.photos and not self.one_row
