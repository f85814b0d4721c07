"""How a gallery is built."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """What the one who builds decides.

    `photos_per_name` is the most photos of one name; a name with fewer than `min_photos` is left out.
    `one_row` stores their normalized mean instead of a row for each; `photos` says whether rows have
    thumbnails (a mean never has). `excluded` holds person keys (see `lookalike.names`); `source` and
    `licence` are what the card says.
    """

    photos_per_name: int = 10
    min_photos: int = 1
    one_row: bool = False
    photos: bool = True
    excluded: frozenset[str] = frozenset()
    source: str = ""
    licence: str = "unknown"
    threads: int = os.cpu_count() or 1

    @property
    def thumbnails(self) -> bool:
        """Whether thumbnails are made at all."""
        return self.photos and not self.one_row
