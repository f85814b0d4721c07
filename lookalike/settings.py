"""A gallery's settings: what is to be known of its table before that is opened."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lookalike.errors import GalleryError
from lookalike.similarity import Scale
from lookalike.table import SCHEMA_VERSION

SETTINGS_FILE = "gallery.json"


@dataclass(frozen=True)
class Settings:
    """What decides whether a gallery and a model belong together, and what its reader wants to know.

    `standing` holds the cosines of strangers' best matches in this gallery, 101 quantiles from the 0th to
    the 100th percentile (none for a gallery of one name); `scale` is set only where the model has no fitted
    scale of its own. `mean_length` is the median length, 0..1, of the means of unit embeddings that the rows
    were before they were normalized, 1 where a row is a photo: a cosine with such a row, times this length,
    is about the mean cosine with the photos behind it, for which the percentage was fitted.
    `records` says what became of every record of the source, in the build's words.
    """

    model: str
    weights: str
    weights_hash: str
    dim: int
    alignment: str
    normalization: str
    engine: str
    detector: str
    source: str
    licence: str
    deepface: str | None = None
    standing: tuple[float, ...] = ()
    scale: Scale | None = None
    mean_length: float = 1.0
    records: dict[str, int] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION


def read_settings(path: Path) -> Settings:
    """Return the settings in a file; raise GalleryError with the way out."""
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = fields["schema_version"]
        if version != SCHEMA_VERSION:
            raise GalleryError(
                f"{path} has schema {version}, this program reads schema {SCHEMA_VERSION}; "
                "update the program or build the gallery again."
            )
        scale = fields.pop("scale")
        fields["standing"] = tuple(fields["standing"])
        return Settings(scale=None if scale is None else Scale.from_json(scale), **fields)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GalleryError(f"{path} cannot be read; build the gallery again.") from error
