"""A gallery's settings: what is to be known of its table before that is opened."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

from lookalike.errors import GalleryError
from lookalike.gallery.schema import SCHEMA_VERSION
from lookalike.models.similarity import Scale

SETTINGS_FILE = "gallery.json"
MAX_BYTES = 10_000_000  # of that file; with the digests of a thousand parts it has a hundredth of it
MAX_DIM = 65_536  # numbers a row; the largest model that is offered has 4,096
TEXTS = ["model", "weights", "weights_hash", "alignment", "normalization"]
TEXTS += ["engine", "detector", "source", "licence"]


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


def read_settings(path: Path) -> tuple[Settings, dict[str, str] | None]:
    """Return the settings in a file, and the SHA-256 of each file of the table, None where it names none.

    Raises GalleryError with the way out: whoever wrote the file may be anybody.
    """
    try:
        fields: dict[str, Any] = json.loads(_text(path))
        version = fields.pop("schema_version")
        if version != SCHEMA_VERSION:
            raise GalleryError(
                f"{path} has schema {str(version)[:20]}, this program reads schema {SCHEMA_VERSION}; "
                "update the program or build the gallery again."
            )
        files, scale = fields.pop("files", None), fields.pop("scale")
        fields["standing"] = tuple(fields["standing"])
        settings = Settings(scale=None if scale is None else Scale.from_json(scale), **fields)
        faults = [name for name, fits in _checks(settings, files).items() if not fits]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GalleryError(f"{path} cannot be read; build the gallery again.") from error
    if faults:
        raise GalleryError(f"{path} says what cannot be ({', '.join(faults)}); build the gallery again.")
    return settings, files


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError("too long")
    return data.decode()


def _checks(settings: Settings, files: object) -> dict[str, bool]:
    """Return for each field whether it can be true."""
    texts = {name: value for name, value in vars(settings).items() if name in TEXTS}
    records = settings.records.items()
    return {
        **{name: _is_text(value) for name, value in texts.items()},
        "dim": type(settings.dim) is int and 0 < settings.dim <= MAX_DIM,
        "deepface": settings.deepface is None or _is_text(settings.deepface),
        "standing": _rises(settings.standing, strictly=False),
        "scale": settings.scale is None or _is_scale(settings.scale),
        "mean_length": _is_number(settings.mean_length) and 0 < settings.mean_length <= 1,
        "records": all(_is_text(what) and type(count) is int and count >= 0 for what, count in records),
        "files": files is None or (isinstance(files, dict) and all(map(_is_text, files.values()))),
    }


def _is_scale(scale: Scale) -> bool:
    pairs = len(scale.cosines) == len(scale.similarities) >= 2
    rises = _rises(scale.cosines, strictly=True) and _rises(scale.similarities, strictly=True)
    return (
        pairs
        and rises
        and scale.similarities[0] >= 0
        and scale.similarities[-1] <= 100
        and _is_number(scale.same)
    )


def _rises(numbers: tuple[float, ...], *, strictly: bool) -> bool:
    return all(map(_is_number, numbers)) and all(
        first < second if strictly else first <= second for first, second in pairwise(numbers)
    )


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and isfinite(value)  # type: ignore[arg-type]


def _is_text(value: object) -> bool:
    """Say whether this is text that can be written: JSON can spell halves of letters, which cannot."""
    return isinstance(value, str) and value.encode("utf-8", "replace").decode() == value
