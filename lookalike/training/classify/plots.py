"""The figures of a classifier's report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lookalike.training.classify.photo_split import LabelledFaces
from lookalike.training.classify.photo_split_plot import COLOURS
from lookalike.training.classify.report import Prediction, Report

MAX_ROWS = 48  # of a confusion matrix; of more names, only those that are confused most
PER_ROW = 4  # mistakes in a row, two faces each


def draw_curves(report: Report) -> Figure | None:
    """Return the learning curves: loss and accuracy by epoch; None when nothing was trained."""
    if not report.log:
        return None
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    epochs = [row["epoch"] for row in report.log]
    for axes, column, title in zip(
        figure.subplots(1, 2), ("loss", "accuracy"), ("loss", "accuracy, %"), strict=True
    ):
        for part, name in (("train", column), ("validation", f"val_{column}")):
            scale = 100 if column == "accuracy" else 1
            values = [scale * row[name] for row in report.log]
            axes.plot(epochs, values, label=part, color=COLOURS[part])  # type: ignore[index]
        head = report.run.settings.head_epochs
        if 0 < head < len(epochs):
            axes.axvline(head + 0.5, color="grey", linestyle=":", label="fine-tuning begins")
        axes.set(title=title, xlabel="epoch", ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def draw_names(report: Report) -> Figure:
    """Return a bar chart of each name's test accuracy, the lowest on top, with its numbers of photos."""
    accuracy, photos = report.by_name["test"], report.photos
    order = np.argsort(-np.nan_to_num(accuracy, nan=-1), kind="stable")
    figure = Figure(figsize=(8, 0.2 * len(order) + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.barh(range(len(order)), 100 * np.nan_to_num(accuracy[order]), color=COLOURS["test"])
    labels = [
        f"{report.run.names[place][:24]} ({photos['test'][place]} of {photos['train'][place]})"
        for place in order
    ]
    axes.set_yticks(range(len(order)), labels, fontsize=7, parse_math=False)
    axes.set(xlim=(0, 100), ylim=(-0.7, len(order) - 0.3))
    axes.set_xlabel("test accuracy, % (in brackets: test photos of training photos)")
    axes.grid(alpha=0.3, axis="x")
    return figure


def draw_confusion(report: Report) -> Figure:
    """Return the confusion matrix in percent of each name's test photos."""
    matrix = report.matrix
    percentages = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    wrong = percentages - np.diag(np.diag(percentages))
    worst = np.sort(np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:MAX_ROWS])
    side = max(4.0, 0.2 * len(worst) + 2.5)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(percentages[np.ix_(worst, worst)], cmap="Oranges", vmin=0, vmax=100)
    labels = [report.run.names[place][:24] for place in worst]
    axes.set_xticks(range(len(worst)), labels, rotation=90, fontsize=7, parse_math=False)
    axes.set_yticks(range(len(worst)), labels, fontsize=7, parse_math=False)
    axes.set(xlabel="predicted name", ylabel="true name")
    figure.colorbar(image, label="% of the name's test photos", shrink=0.6)
    return figure


def draw_calibration(report: Report) -> Figure:
    """Return the calibration curve: accuracy by confidence, and how many photos have each confidence."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    curve, counts = figure.subplots(1, 2)
    confidence = [100 * part.confidence for part in report.bins]
    curve.plot((0, 100), (0, 100), color="grey", linestyle=":", label="perfect calibration")
    curve.plot(confidence, [100 * part.accuracy for part in report.bins], "o-", color=COLOURS["test"])
    curve.set(xlabel="confidence, %", ylabel="accuracy, %", xlim=(0, 100), ylim=(0, 103))
    curve.legend()
    counts.bar(confidence, [part.photos for part in report.bins], width=7, color=COLOURS["test"])
    counts.set(xlabel="confidence, %", ylabel="test photos", xlim=(0, 103))
    for axes in (curve, counts):
        axes.grid(alpha=0.3)
    return figure


def draw_mistakes(
    mistakes: Sequence[Prediction], report: Report, test: LabelledFaces, train: LabelledFaces
) -> Figure | None:
    """Return misclassified photos, each beside a similar training photo of the predicted name."""
    if not mistakes:
        return None
    rows = -(-len(mistakes) // PER_ROW)
    figure = Figure(figsize=(3.4 * PER_ROW, 2.15 * rows), layout="constrained")
    panels = figure.subplots(rows, 2 * PER_ROW, squeeze=False)
    for axes in panels.ravel():
        axes.set_axis_off()
    for number, mistake in enumerate(mistakes):
        row, column = divmod(number, PER_ROW)
        left, right = panels[row, 2 * column], panels[row, 2 * column + 1]
        left.imshow(test.faces.images[mistake.place])
        left.set_title(
            f"{mistake.name[:18]}\n{100 * mistake.own_probability:.0f} %", fontsize=8, parse_math=False
        )
        right.imshow(_nearest(test.faces.embeddings[mistake.place], mistake.predicted, report, train))
        right.set_title(
            f"predicted: {mistake.predicted[:14]}\n{100 * mistake.confidence:.0f} %",
            fontsize=8,
            parse_math=False,
        )
    return figure


def _nearest(probe: np.ndarray, name: str, report: Report, train: LabelledFaces) -> np.ndarray:
    """Return the training photo of a name that is most similar to the probe, by the bundled network."""
    mine = np.flatnonzero(train.labels == report.run.names.index(name))
    cosines = train.faces.embeddings[mine] @ probe  # (k, d) x (d,)
    image: np.ndarray = train.faces.images[mine[cosines.argmax()]]
    return image


def draw_hits(hits: Sequence[Prediction], test: LabelledFaces) -> Figure | None:
    """Return the correctly classified photos with the highest confidence."""
    if not hits:
        return None
    figure = Figure(figsize=(1.5 * 6, 1.95 * -(-len(hits) // 6)), layout="constrained")
    panels = figure.subplots(-(-len(hits) // 6), 6, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, hit in zip(panels, hits, strict=False):
        axes.imshow(test.faces.images[hit.place])
        axes.set_title(f"{hit.name[:18]}\n{100 * hit.confidence:.1f} %", fontsize=8, parse_math=False)
    return figure
