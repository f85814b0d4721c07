"""A report's pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lookalike.training.classify.report import Report, Shown
from lookalike.training.classify.split import Labelled
from lookalike.training.classify.split_plot import COLOURS

MOST_NAMES = 48  # rows of a confusion picture; beyond, only the names that are confused most
PER_ROW = 4  # mistakes side by side, two faces each


def draw_curves(report: Report) -> Figure | None:
    """Return loss and accuracy of training and validation, pass by pass; None where nothing was trained."""
    if not report.log:
        return None
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    passes = [row["pass"] for row in report.log]
    for axes, column, title in zip(
        figure.subplots(1, 2), ("loss", "accuracy"), ("loss", "named right, %"), strict=True
    ):
        for part, name in (("train", column), ("validation", f"val_{column}")):
            scale = 100 if column == "accuracy" else 1
            values = [scale * row[name] for row in report.log]
            axes.plot(passes, values, label=part, color=COLOURS[part])  # type: ignore[index]
        head = report.run.settings.head_epochs
        if 0 < head < len(passes):
            axes.axvline(head + 0.5, color="grey", linestyle=":", label="the base begins to learn")
        axes.set(title=title, xlabel="pass", ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def draw_names(report: Report) -> Figure:
    """Return how often each name's test photos were named right, the worst on top, with the training photos
    that it had.
    """
    right, photos = report.by_name["test"], report.photos
    order = np.argsort(-np.nan_to_num(right, nan=-1), kind="stable")
    figure = Figure(figsize=(8, 0.2 * len(order) + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.barh(range(len(order)), 100 * np.nan_to_num(right[order]), color=COLOURS["test"])
    labels = [
        f"{report.run.names[place][:24]} ({photos['test'][place]} of {photos['train'][place]})"
        for place in order
    ]
    axes.set_yticks(range(len(order)), labels, fontsize=7, parse_math=False)
    axes.set(xlim=(0, 100), ylim=(-0.7, len(order) - 0.3))
    axes.set_xlabel("% of the test photos named right (in brackets: test photos, training photos)")
    axes.grid(alpha=0.3, axis="x")
    return figure


def draw_confusion(report: Report) -> Figure:
    """Return who is taken for whom, in percent of each name's test photos; hits lie on the diagonal."""
    matrix = report.matrix
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    wrong = shares - np.diag(np.diag(shares))
    worst = np.sort(np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:MOST_NAMES])
    side = max(4.0, 0.2 * len(worst) + 2.5)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares[np.ix_(worst, worst)], cmap="Oranges", vmin=0, vmax=100)
    labels = [report.run.names[place][:24] for place in worst]
    axes.set_xticks(range(len(worst)), labels, rotation=90, fontsize=7, parse_math=False)
    axes.set_yticks(range(len(worst)), labels, fontsize=7, parse_math=False)
    axes.set(xlabel="taken for", ylabel="a photo of")
    figure.colorbar(image, label="% of the name's test photos", shrink=0.6)
    return figure


def draw_calibration(report: Report) -> Figure:
    """Return how often the network is right where it says so, beside how often it says so."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    curve, counts = figure.subplots(1, 2)
    said = [100 * part.said for part in report.bins]
    curve.plot((0, 100), (0, 100), color="grey", linestyle=":", label="as sure as it is right")
    curve.plot(said, [100 * part.right for part in report.bins], "o-", color=COLOURS["test"])
    curve.set(xlabel="says, %", ylabel="is right, %", xlim=(0, 100), ylim=(0, 103))
    curve.legend()
    counts.bar(said, [part.photos for part in report.bins], width=7, color=COLOURS["test"])
    counts.set(xlabel="says, %", ylabel="test photos", xlim=(0, 103))
    for axes in (curve, counts):
        axes.grid(alpha=0.3)
    return figure


def draw_mistakes(shown: Sequence[Shown], report: Report, test: Labelled, train: Labelled) -> Figure | None:
    """Return the photos that were named wrongly, each beside a training photo of whom it was taken for."""
    if not shown:
        return None
    rows = -(-len(shown) // PER_ROW)
    figure = Figure(figsize=(3.4 * PER_ROW, 2.15 * rows), layout="constrained")
    panels = figure.subplots(rows, 2 * PER_ROW, squeeze=False)
    for axes in panels.ravel():
        axes.set_axis_off()
    for number, mistake in enumerate(shown):
        row, column = divmod(number, PER_ROW)
        left, right = panels[row, 2 * column], panels[row, 2 * column + 1]
        left.imshow(test.faces.images[mistake.place])
        left.set_title(f"{mistake.name[:18]}\n{100 * mistake.own_share:.0f} %", fontsize=8, parse_math=False)
        right.imshow(_like(test.faces.embeddings[mistake.place], mistake.taken_for, report, train))
        right.set_title(
            f"taken for {mistake.taken_for[:16]}\n{100 * mistake.share:.0f} %", fontsize=8, parse_math=False
        )
    return figure


def _like(probe: np.ndarray, name: str, report: Report, train: Labelled) -> np.ndarray:
    """Return the training photo of a name that looks most like the probe, by the bundled network."""
    mine = np.flatnonzero(train.labels == report.run.names.index(name))
    cosines = train.faces.embeddings[mine] @ probe  # (k, d) x (d,)
    image: np.ndarray = train.faces.images[mine[cosines.argmax()]]
    return image


def draw_hits(shown: Sequence[Shown], test: Labelled) -> Figure | None:
    """Return the photos that were named right most surely."""
    if not shown:
        return None
    figure = Figure(figsize=(1.5 * 6, 1.95 * -(-len(shown) // 6)), layout="constrained")
    panels = figure.subplots(-(-len(shown) // 6), 6, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, hit in zip(panels, shown, strict=False):
        axes.imshow(test.faces.images[hit.place])
        axes.set_title(f"{hit.name[:18]}\n{100 * hit.share:.1f} %", fontsize=8, parse_math=False)
    return figure
