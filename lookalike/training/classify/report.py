"""What a trained network can do: every figure of a report, and which faces it shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.classification import (
    Bin,
    Scores,
    by_name,
    calibrate,
    confusion,
    judge,
    nearest_names,
)
from lookalike.models.embedder import Embeddings, unit_rows
from lookalike.models.registry import EMBEDDER_FILE, load_embedder
from lookalike.training.classify.faces import FaceTable, read_about
from lookalike.training.classify.loading import BATCH, features_of, open_classifier, predict
from lookalike.training.classify.run import Data
from lookalike.training.classify.settings import Run, load_run
from lookalike.training.classify.split import Labelled

SHOWN = 12  # mistakes, and hits
THIRDS = ("low", "middle", "high")


@dataclass(frozen=True)
class Group:
    """Test photos that share a word of the source, an age in tens of years, or a third of a column."""

    column: str
    value: str
    photos: int
    top1: float


@dataclass(frozen=True)
class Shown:
    """A test photo by its place: its right name, the name that came first, and the shares of both."""

    place: int
    name: str
    taken_for: str
    share: float
    own_share: float


@dataclass(frozen=True)
class Compared:
    """Another way to name the same test photos: the share, 0..1, of right first names."""

    title: str
    top1: float


@dataclass(frozen=True, eq=False)
class Report:
    """All figures; `matrix` (names, names) counts test photos, a row a right name, a column the first."""

    run: Run
    log: list[dict[str, float]]
    scores: dict[str, Scores]
    by_name: dict[str, NDArray[np.float64]]
    photos: dict[str, NDArray[np.intp]]
    matrix: NDArray[np.intp]
    bins: list[Bin]
    mistakes: list[Shown]
    hits: list[Shown]
    groups: list[Group]
    compared: list[Compared]
    account: str
    split: list[str]

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        names = self.run.names
        return {
            "run": asdict(self.run),
            "data": self.account,
            "split": self.split,
            "scores": {part: asdict(scores) for part, scores in self.scores.items()},
            "names": [
                {"name": name}
                | {part: _number(values[place]) for part, values in self.by_name.items()}
                | {f"{part} photos": int(counts[place]) for part, counts in self.photos.items()}
                for place, name in enumerate(names)
            ],
            "confusions": [
                {"name": names[row], "taken for": names[column], "photos": int(self.matrix[row, column])}
                for row, column in np.argwhere(self.matrix)
                if row != column
            ],
            "calibration": [asdict(part) for part in self.bins],
            "groups": [asdict(group) for group in self.groups],
            "compared": [asdict(way) for way in self.compared],
            "passes": self.log,
        }


def make_report(folder: Path, data: Data, log: list[dict[str, float]]) -> Report:
    """Judge the run in `folder` on all parts of its data."""
    run, classifier = load_run(folder), open_classifier(folder)
    said = {part: predict(classifier, photos.faces.images) for part, photos in data.parts.items()}
    labels = {part: photos.labels for part, photos in data.parts.items()}
    names, test = len(run.names), data.parts["test"]
    return Report(
        run=run,
        log=log,
        scores={part: judge(said[part], labels[part]) for part in said},
        by_name={part: by_name(said[part], labels[part], names) for part in said},
        photos={part: np.bincount(labels[part], minlength=names) for part in said},
        matrix=confusion(said["test"], test.labels),
        bins=calibrate(said["test"], test.labels),
        mistakes=_shown(said["test"], test.labels, run.names, right=False),
        hits=_shown(said["test"], test.labels, run.names, right=True),
        groups=groups_of(test.faces, said["test"].argmax(axis=1) == test.labels),
        compared=[*_members(run, test), *_nearest(classifier, data)],
        account=read_about(data.folder).sentence,
        split=data.drawn.lines,
    )


def _shown(
    shares: NDArray[np.float64], labels: NDArray[np.intp], names: tuple[str, ...], *, right: bool
) -> list[Shown]:
    """Return the surest hits, or the mistakes that the network was surest of."""
    first, sure = shares.argmax(axis=1), shares.max(axis=1)
    places = np.flatnonzero((first == labels) == right)
    ordered = places[np.argsort(-sure[places], kind="stable")][:SHOWN]
    return [
        Shown(
            int(place),
            names[labels[place]],
            names[first[place]],
            float(sure[place]),
            float(shares[place, labels[place]]),
        )
        for place in ordered
    ]


def groups_of(faces: FaceTable, right: NDArray[np.bool_]) -> list[Group]:
    """Return how often photos were named right by the source's words, by age, and by thirds of its other
    numbers and of what was measured.
    """
    columns = {name: np.asarray(values) for name, values in faces.words.items()}
    for name, values in faces.numbers.items():
        column = _tens(values) if name == "age" else _thirds(values)
        if column is not None:
            columns[name] = column
    groups = []
    for name, column in columns.items():
        there = [value for value in _ordered(column) if value]
        for value in there if len(there) > 1 else []:
            mine = column == value
            groups.append(Group(name, str(value), int(mine.sum()), float(right[mine].mean())))
    return groups


def _tens(values: NDArray[np.float64]) -> NDArray[np.str_]:
    return np.array([f"{value // 10 * 10:.0f}s" if np.isfinite(value) else "" for value in values])


def _thirds(values: NDArray[np.float64]) -> NDArray[np.str_] | None:
    there = values[np.isfinite(values)]
    if len(there) < len(THIRDS) or np.ptp(there) == 0:
        return None
    edges = np.quantile(there, (1 / 3, 2 / 3))
    if edges[0] == edges[1]:
        return None
    thirds = np.asarray(THIRDS)[np.searchsorted(edges, np.nan_to_num(values))]
    return np.where(np.isfinite(values), thirds, "")


def _ordered(column: NDArray[np.str_]) -> list[str]:
    found = sorted(set(column.tolist()))
    return [third for third in THIRDS if third in found] if set(found) <= {*THIRDS, ""} else found


def _members(run: Run, test: Labelled) -> list[Compared]:
    """Judge each network of an ensemble alone."""
    ways = []
    for member in run.settings.members:
        shares = predict(open_classifier(Path(member)), test.faces.images)
        ways.append(Compared(f"{Path(member).name} alone", judge(shares, test.labels).top1))
    return ways


def _nearest(classifier: keras.Model, data: Data) -> list[Compared]:
    """Name each test photo as the app would, by its nearest photo among those that trained: by the bundled
    network's embeddings, and by this network's own.
    """
    train, test = data.parts["train"], data.parts["test"]
    features = features_of(classifier)
    ways = {
        f"nearest training photo by {load_embedder().model.name}'s embeddings": (
            train.faces.embeddings,
            test.faces.embeddings,
        ),
        f"nearest training photo by this network's features ({EMBEDDER_FILE})": (
            _embedded(features, train.faces.images),
            _embedded(features, test.faces.images),
        ),
    }
    found = []
    for title, (enrolled, probes) in ways.items():
        names = nearest_names(
            enrolled.astype(np.float64), train.labels, probes.astype(np.float64), len(data.drawn.names)
        )
        found.append(Compared(title, float((names == test.labels).mean())))
    return found


def _embedded(features: keras.Model, images: NDArray[np.uint8]) -> Embeddings:
    """Return (n, d) unit rows: the sum of the unit features of each face and of its mirror image."""
    rows = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH].astype(np.float32) / 255
        looks = (np.asarray(features.predict_on_batch(look)) for look in (batch, batch[:, :, ::-1]))
        rows.append(sum(unit_rows(look) for look in looks))
    return unit_rows(np.concatenate(rows))


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
