"""A gallery's settings, `gallery.json`: which model and alignment its rows belong to, and where they come
from.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from lookalike.errors import GalleryError
from lookalike.gallery.schema import READABLE_VERSIONS, SCHEMA_VERSION
from lookalike.gallery.standing import Standing
from lookalike.models.calibration import Calibration
from lookalike.models.similarity import Scale

SETTINGS_FILE = "gallery.json"
READABLE = " and ".join(f"schema {version}" for version in READABLE_VERSIONS)
MAX_FILE_BYTES = 10_000_000  # the file of a gallery of a thousand parts has a hundredth of this
MAX_DIM = 65_536  # numbers a row; the largest model that is offered has 4,096
MAX_NUMBER = 1e300  # JSON can hold integers that no float can
FILE_NAME = re.compile(r"[\w-][\w.-]*\.parquet")  # no path, and not hidden


@dataclass(frozen=True)
class Settings:
    """The settings of one model's gallery: what it was built with, and from what.

    `standing` holds the best scores that strangers reach in this gallery, nothing for a gallery of one name;
    it is stored as `standing` and `standing_expected`. `cohort` is the digest of the cohort behind these
    scores and the rows' statistics, None where scores are cosines. `calibration` is set only where the model
    has none of its own. `mean_length`, 0..1, matters where a row is the mean of several photos: it is the
    median length of these means before they were scaled to unit length, and 1 where a row is one photo. A
    cosine with a mean row times `mean_length` is about the mean cosine with the photos behind it, which the
    percentage was fitted to. `records` counts what became of the source's records, by outcome.
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
    standing: Standing = field(default_factory=Standing)
    cohort: str | None = None
    calibration: Calibration | None = None
    mean_length: float = 1.0
    records: dict[str, int] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION


def read_settings(path: Path) -> tuple[Settings, dict[str, str] | None]:
    """Return the settings in a file, and the SHA-256 of each of the table's files by its name.

    The latter is None in files of older versions, which did not list them. The file may come from anybody, so
    each value is checked. Raises GalleryError with the way out.
    """
    try:
        fields: dict[str, Any] = json.loads(_text(path))
        version = fields.pop("schema_version")
        if version not in READABLE_VERSIONS:
            raise GalleryError(
                f"{path} has schema {str(version)[:20]}, this program reads {READABLE}; "
                "update the program or build the gallery again."
            )
        files, calibration = fields.pop("files", None), _calibration(fields)
        fields["standing"] = Standing(tuple(fields["standing"]), tuple(fields.pop("standing_expected", ())))
        settings = Settings(calibration=calibration, **fields)
        invalid = _invalid_fields(settings, files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise GalleryError(f"{path} cannot be read; build the gallery again.") from error
    if invalid:
        raise GalleryError(f"{path} has invalid values ({', '.join(invalid)}); build the gallery again.")
    return settings, files


def settings_fields(settings: Settings) -> dict[str, Any]:
    """Return the settings as `read_settings` reads them from JSON."""
    fields = {field.name: getattr(settings, field.name) for field in dataclass_fields(settings)}
    calibration, standing = fields.pop("calibration"), fields["standing"]
    return fields | {
        "standing": standing.quantiles,
        "standing_expected": standing.expected,
        "calibration": None if calibration is None else calibration.to_json(),
    }


def _calibration(fields: dict[str, Any]) -> Calibration | None:
    """Take the calibration out of the fields; version 1 stored a scale of cosines."""
    stored = fields.pop("calibration", None)
    scale = fields.pop("scale", None)
    if stored is None:
        return None if scale is None else Calibration(Scale.from_json(scale))
    return Calibration.from_json(stored, fields["dim"])


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError("too long")
    return data.decode()


def _invalid_fields(settings: Settings, files: object) -> list[str]:
    texts = [field.name for field in dataclass_fields(settings) if field.type == "str"]
    valid = {name: _is_text(getattr(settings, name)) for name in texts} | {
        "dim": type(settings.dim) is int and 0 < settings.dim <= MAX_DIM,
        "deepface": settings.deepface is None or _is_text(settings.deepface),
        "standing": _is_standing(settings.standing),
        "cohort": settings.cohort is None or _is_text(settings.cohort),
        "scale": settings.calibration is None or _is_scale(settings.calibration.scale),
        "mean_length": _is_number(settings.mean_length) and 0 < settings.mean_length <= 1,
        "records": all(_is_text(what) and _is_count(count) for what, count in settings.records.items()),
        "files": files is None or _is_file_list(files),
    }
    return [name for name, is_valid in valid.items() if not is_valid]


def _is_scale(scale: Scale) -> bool:
    return (
        len(scale.scores) == len(scale.similarities) >= 2
        and _is_rising(scale.scores, strictly=True)
        and _is_rising(scale.similarities, strictly=True)
        and scale.similarities[0] >= 0
        and scale.similarities[-1] <= 100
        and _is_number(scale.same)
    )


def _is_standing(standing: Standing) -> bool:
    fits = len(standing.expected) in (0, 3) and all(map(_is_number, standing.expected))
    return fits and _is_rising(standing.quantiles, strictly=False)


def _is_file_list(files: object) -> bool:
    """Return whether this maps names of files in the gallery's own folder to hashes."""
    return isinstance(files, dict) and all(
        FILE_NAME.fullmatch(name) and _is_text(digest) for name, digest in files.items()
    )


def _is_rising(numbers: tuple[float, ...], *, strictly: bool) -> bool:
    return all(map(_is_number, numbers)) and all(
        first < second if strictly else first <= second for first, second in pairwise(numbers)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and -MAX_NUMBER < value < MAX_NUMBER


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_text(value: object) -> bool:
    """Return whether this is text that can be encoded: JSON can hold lone surrogates, which cannot."""
    return isinstance(value, str) and value.encode("utf-8", "replace").decode() == value
