"""Evaluate a trained classifier: the metrics of its report, and the faces that the report shows."""

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
    nearest_names,
    score,
)
from lookalike.models.embedder import Embeddings, unit_rows
from lookalike.models.registry import EMBEDDER_FILE, load_embedder
from lookalike.training.classify.faces import FaceTable, read_info
from lookalike.training.classify.loading import BATCH, features_of, open_classifier, predict
from lookalike.training.classify.photo_split import LabelledFaces
from lookalike.training.classify.run import Data
from lookalike.training.classify.settings import Run, load_run

SHOWN = 12  # mistakes, and hits
THIRDS = ("low", "middle", "high")


@dataclass(frozen=True)
class Group:
    """Test photos with the same label of the source, decade of age, or third of a column."""

    column: str
    value: str
    photos: int
    top1: float


@dataclass(frozen=True)
class Prediction:
    """A test photo by its index: its true name, the predicted name, and the probabilities of both."""

    place: int
    name: str
    predicted: str
    confidence: float
    own_probability: float


@dataclass(frozen=True)
class Baseline:
    """The top-1 accuracy, 0..1, of another method on the same test photos."""

    title: str
    top1: float


@dataclass(frozen=True, eq=False)
class Report:
    """All metrics; `matrix` (names, names) counts test photos by true (row) and predicted name (column)."""

    run: Run
    log: list[dict[str, float]]
    scores: dict[str, Scores]
    by_name: dict[str, NDArray[np.float64]]
    photos: dict[str, NDArray[np.intp]]
    matrix: NDArray[np.intp]
    bins: list[Bin]
    mistakes: list[Prediction]
    hits: list[Prediction]
    groups: list[Group]
    baselines: list[Baseline]
    faces: str
    split: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return the metrics for programs."""
        names = self.run.names
        return {
            "run": asdict(self.run),
            "data": self.faces,
            "split": self.split,
            "scores": {part: asdict(scores) for part, scores in self.scores.items()},
            "names": [
                {"name": name}
                | {part: _number(values[place]) for part, values in self.by_name.items()}
                | {f"{part} photos": int(counts[place]) for part, counts in self.photos.items()}
                for place, name in enumerate(names)
            ],
            "confusions": [
                {"name": names[row], "predicted": names[column], "photos": int(self.matrix[row, column])}
                for row, column in np.argwhere(self.matrix)
                if row != column
            ],
            "calibration": [asdict(part) for part in self.bins],
            "groups": [asdict(group) for group in self.groups],
            "baselines": [asdict(baseline) for baseline in self.baselines],
            "epochs": self.log,
        }


def make_report(folder: Path, data: Data, log: list[dict[str, float]]) -> Report:
    """Evaluate the run in `folder` on all parts of its data."""
    run, classifier = load_run(folder), open_classifier(folder)
    outputs = {part: predict(classifier, photos.faces.images) for part, photos in data.parts.items()}
    labels = {part: photos.labels for part, photos in data.parts.items()}
    names, test = len(run.names), data.parts["test"]
    return Report(
        run=run,
        log=log,
        scores={part: score(outputs[part], labels[part]) for part in outputs},
        by_name={part: by_name(outputs[part], labels[part], names) for part in outputs},
        photos={part: np.bincount(labels[part], minlength=names) for part in outputs},
        matrix=confusion(outputs["test"], test.labels),
        bins=calibrate(outputs["test"], test.labels),
        mistakes=_most_confident(outputs["test"], test.labels, run.names, correct=False),
        hits=_most_confident(outputs["test"], test.labels, run.names, correct=True),
        groups=groups_of(test.faces, outputs["test"].argmax(axis=1) == test.labels),
        baselines=[*_members(run, test), *_nearest(classifier, data)],
        faces=read_info(data.folder).sentence,
        split=data.split.lines,
    )


def _most_confident(
    probabilities: NDArray[np.float64], labels: NDArray[np.intp], names: tuple[str, ...], *, correct: bool
) -> list[Prediction]:
    """Return the correct or the wrong predictions with the highest confidence."""
    first, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    places = np.flatnonzero((first == labels) == correct)
    ordered = places[np.argsort(-confidence[places], kind="stable")][:SHOWN]
    return [
        Prediction(
            int(place),
            names[labels[place]],
            names[first[place]],
            float(confidence[place]),
            float(probabilities[place, labels[place]]),
        )
        for place in ordered
    ]


def groups_of(faces: FaceTable, correct: NDArray[np.bool_]) -> list[Group]:
    """Return the accuracy by the source's labels, by age, and by thirds of all other numbers; `correct` is
    (n,).
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
            groups.append(Group(name, str(value), int(mine.sum()), float(correct[mine].mean())))
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


def _members(run: Run, test: LabelledFaces) -> list[Baseline]:
    """Evaluate each member of an ensemble alone."""
    baselines = []
    for member in run.settings.members:
        probabilities = predict(open_classifier(Path(member)), test.faces.images)
        baselines.append(Baseline(f"{Path(member).name} alone", score(probabilities, test.labels).top1))
    return baselines


def _nearest(classifier: keras.Model, data: Data) -> list[Baseline]:
    """Classify each test photo by its nearest training photo, as the app does: with the bundled network's
    embeddings, and with this network's features.
    """
    train, test = data.parts["train"], data.parts["test"]
    features = features_of(classifier)
    methods = {
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
    for title, (enrolled, probes) in methods.items():
        names = nearest_names(
            enrolled.astype(np.float64), train.labels, probes.astype(np.float64), len(data.split.names)
        )
        found.append(Baseline(title, float((names == test.labels).mean())))
    return found


def _embedded(features: keras.Model, images: NDArray[np.uint8]) -> Embeddings:
    """Return (n, d) unit rows: the sum of the unit features of each face and of its mirror image."""
    rows = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH].astype(np.float32) / 255
        both = (np.asarray(features.predict_on_batch(faces)) for faces in (batch, batch[:, :, ::-1]))
        rows.append(sum(unit_rows(output) for output in both))
    return unit_rows(np.concatenate(rows))


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
