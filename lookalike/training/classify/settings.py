"""Settings of a classifier's run, and the record of the run that is stored beside its weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from lookalike.errors import TrainingError
from lookalike.files import write_text
from lookalike.training.classify.reading import reading

Network = Literal["scratch", "mobilenet", "inception", "compact", "ensemble"]

NETWORKS: tuple[Network, ...] = ("scratch", "mobilenet", "inception", "compact", "ensemble")
RUN_FILE = "run.json"
FORMAT = 1  # of a run's folder; raise it when older runs can no longer be read
PACKAGES = ("keras", "tensorflow", "numpy")


@dataclass(frozen=True)
class Augmentation:
    """Strengths of the random changes: degrees for rotation and shear, fractions of the size for shift and
    zoom, a fraction of the range for brightness; `flip` mirrors half of the faces.
    """

    rotation: float = 8.0
    shift: float = 0.06
    shear: float = 4.0
    zoom: float = 0.08
    brightness: float = 0.15
    flip: bool = True

    @property
    def none(self) -> bool:
        """Whether nothing is changed."""
        return not any(asdict(self).values())


@dataclass(frozen=True)
class ClassifySettings:
    """`size` is the input's width and height in pixels. `head_epochs` train the last layers on a frozen base
    at the learning rate `head_rate`; then `epochs` train all layers at `rate`. `start` says where the base's
    weights come from: a file, "imagenet", "bundled" or "none".
    """

    network: Network
    size: int = 64
    epochs: int = 40
    head_epochs: int = 0
    batch: int = 32
    rate: float = 2e-3
    head_rate: float = 2e-3
    dropout: float = 0.4
    l1: float = 0.0
    l2: float = 1e-4
    class_weights: bool = True
    standardize: bool = True
    patience: int = 8
    precision: str = "float32"
    seed: int = 0
    start: str = "none"
    augmentation: Augmentation = field(default_factory=Augmentation)
    members: tuple[str, ...] = ()


DEFAULTS: dict[str, ClassifySettings] = {
    "scratch": ClassifySettings("scratch"),
    "mobilenet": ClassifySettings(
        "mobilenet", size=96, epochs=20, head_epochs=5, rate=3e-4, start="imagenet"
    ),
    "inception": ClassifySettings(
        "inception", size=75, epochs=20, head_epochs=5, rate=3e-4, start="imagenet"
    ),
    "compact": ClassifySettings(
        "compact",
        size=112,
        epochs=8,
        head_epochs=4,
        rate=1e-4,
        head_rate=5e-3,
        dropout=0.2,
        l2=0.0,
        start="bundled",
    ),
    "ensemble": ClassifySettings("ensemble", epochs=0),
}
SIZES = {"scratch": (64, 224), "mobilenet": (32, 224), "inception": (75, 224), "compact": (112, 112)}


def check(settings: ClassifySettings) -> ClassifySettings:
    """Return the settings; raise TrainingError when one of them is out of range."""
    if settings.network == "ensemble":
        if len(settings.members) < 2:
            raise TrainingError("An ensemble needs at least two runs: --members RUN RUN …")
        return settings
    low, high = SIZES[settings.network]
    if not low <= settings.size <= high:
        allowed = f"{low} to {high}" if high > low else str(low)
        raise TrainingError(f"--size is {settings.size}; {settings.network} takes {allowed} pixels.")
    if settings.epochs < 1 or settings.batch < 1 or settings.patience < 1 or settings.head_epochs < 0:
        raise TrainingError("--epochs, --batch and --patience must be at least 1, --head-epochs at least 0.")
    if not 0 <= settings.dropout < 1 or min(settings.l1, settings.l2) < 0:
        raise TrainingError("--dropout must be at least 0 and below 1; --l1 and --l2 must not be negative.")
    if settings.rate <= 0 or settings.head_rate <= 0:
        raise TrainingError("--rate and --head-rate must be above 0.")
    return settings


@dataclass(frozen=True)
class Run:
    """The record of a run: `base` says where the base's weights really came from; `data` is the folder of
    faces and `split` the SHA-256 of its split file; `side` is the faces' width and height in pixels;
    `finished` says whether training is complete.
    """

    settings: ClassifySettings
    names: tuple[str, ...]
    data: str
    split: str
    side: int
    base: str
    versions: dict[str, str]
    finished: bool = False
    seconds: float = 0.0
    format: int = FORMAT


def versions() -> dict[str, str]:
    """Return the versions of the packages that a run depends on."""
    return {package: version(package) for package in PACKAGES}


def save_run(run: Run, folder: Path) -> None:
    """Write the record of a run into its folder."""
    write_text(folder / RUN_FILE, json.dumps(asdict(run), indent=2, ensure_ascii=False) + "\n")


def load_run(folder: Path) -> Run:
    """Read the record of a run.

    Raises MissingFileError when there is none, TrainingError when it is damaged or of another format.
    """
    missing = f"There is no run in {folder}; make one with: python -m lookalike.training classify"
    with reading(folder / RUN_FILE, missing=missing, damaged="train again"):
        fields: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        if fields["format"] != FORMAT:
            raise TrainingError(
                f"{folder} holds a run of format {fields['format']}, this version reads format {FORMAT}; "
                "train again, or use the version that made it."
            )
        settings = fields.pop("settings")
        settings["augmentation"] = Augmentation(**settings["augmentation"])
        settings["members"] = tuple(settings["members"])
        return Run(**{**fields, "names": tuple(fields["names"])}, settings=ClassifySettings(**settings))


def resumed(stored: ClassifySettings, given: Sequence[str], wanted: ClassifySettings) -> ClassifySettings:
    """Return the settings of a resumed run: the stored ones, with another number of epochs if it is `given`.

    Raises TrainingError when another option that was given differs from the stored one.
    """
    others = [name for name in given if name != "epochs" and getattr(stored, name) != getattr(wanted, name)]
    if others:
        raise TrainingError(
            f"The run has other settings ({', '.join(others)}); leave these options out with --resume, or "
            "choose another folder with --run."
        )
    return replace(stored, epochs=wanted.epochs) if "epochs" in given else stored
