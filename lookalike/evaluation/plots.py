"""Charts of evaluation results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from lookalike.evaluation.groups import Group
from lookalike.evaluation.percentage import GroupCheck
from lookalike.evaluation.verification import PairScores

Floats = NDArray[np.float32]

SAME, STRANGERS = "#2a7f62", "#b5651d"  # distinguishable with colour blindness and in gray
MOST_NAMES = 48  # in a confusion matrix; of more names, those that are confused most


def draw_roc(scores: Mapping[str, PairScores]) -> Figure:
    """Draw the ROC curve of each model, with a logarithmic axis for false accepts."""
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    for name, found in scores.items():
        truth = [pair.same for pair in found.pairs]
        false, true, _ = roc_curve(truth, found.cosines)
        axes.plot(np.maximum(false, 1e-4), true, label=name, drawstyle="steps-post")
    axes.set(
        xscale="log",
        xlim=(1e-3, 1),
        ylim=(0.5, 1.005),
        xlabel="false accept rate",
        ylabel="true accept rate",
    )
    axes.grid(alpha=0.3, which="both")
    axes.legend(loc="lower right")
    return figure


def draw_confusions(taken: Mapping[tuple[str, str], int], names: Mapping[str, str]) -> Figure:
    """Draw the confusion matrix of the MOST_NAMES people who are confused most, without its diagonal: a row
    per person, in percent of the photos of that person.

    `taken` is how often photos of the first person were taken for the second, correct ones included.
    """
    everybody = sorted({person for pair in taken for person in pair})
    row_of = {person: row for row, person in enumerate(everybody)}
    counts = np.zeros((len(everybody), len(everybody)))
    for (person, other), times in taken.items():
        counts[row_of[person], row_of[other]] = times
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    worst = np.sort(np.argsort(-(shares.sum(axis=0) + shares.sum(axis=1)))[:MOST_NAMES])
    side = max(4.0, 0.22 * len(worst) + 2.5)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares[np.ix_(worst, worst)], cmap="Oranges", vmin=0)
    labels = [_short(names[everybody[row]]) for row in worst]
    axes.set_xticks(range(len(worst)), labels, rotation=90, fontsize=7)
    axes.set_yticks(range(len(worst)), labels, fontsize=7)
    axes.set(xlabel="taken for", ylabel="a photo of")
    figure.colorbar(image, label="% of the photos", shrink=0.6)
    return figure


def draw_groups(rows: Sequence[Group]) -> Figure:
    """Draw both accuracies of each group as bars."""
    figure = Figure(figsize=(8, 0.24 * len(rows) + 1.4), layout="constrained")
    axes = figure.subplots()
    heights = np.arange(len(rows))[::-1]
    axes.barh(
        heights + 0.2,
        [100 * (row.accuracy or 0) for row in rows],
        0.4,
        color=SAME,
        label="verification accuracy",
    )
    axes.barh(
        heights - 0.2, [100 * (row.top1 or 0) for row in rows], 0.4, color=STRANGERS, label="top-1 accuracy"
    )
    axes.set_yticks(heights, [f"{row.group}: {row.value}" for row in rows], fontsize=8)
    axes.set(xlim=(0, 100), ylim=(-0.6, len(rows) - 0.4), xlabel="%")
    axes.grid(alpha=0.3, axis="x")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def draw_percentage(found: Mapping[str, Sequence[GroupCheck]]) -> Figure:
    """Return how many strangers of each group reach 40 %, which is promised to one pair in a hundred, with 95
    % intervals, for each kind of score.
    """
    groups = [check.group for check in next(iter(found.values()))]
    figure = Figure(figsize=(8, 0.3 * len(groups) + 1.4), layout="constrained")
    axes = figure.subplots()
    heights = np.arange(len(groups))[::-1]
    for place, (kind, checks) in enumerate(found.items()):
        reached = [check.reached[40.0] for check in checks]
        shares = 100 * np.array([one.share for one in reached])
        errors = 100 * np.array([[one.share - one.low, one.high - one.share] for one in reached]).T
        axes.errorbar(
            shares,
            heights + 0.15 * (1 - 2 * place),
            xerr=np.maximum(errors, 0),
            fmt="o",
            markersize=4,
            color=(STRANGERS, SAME)[place % 2],
            label=kind,
        )
    axes.axvspan(0.5, 2, color="grey", alpha=0.15)
    axes.axvline(1, color="grey", linestyle=":")
    axes.set(xlim=(0, None), xlabel="% of stranger pairs at 40 % or more (promised: 1)")
    axes.set_yticks(heights, groups, fontsize=8)
    axes.grid(alpha=0.3, axis="x")
    axes.legend(loc="lower right")
    return figure


def _short(name: str) -> str:
    return name if len(name) <= 24 else name[:23] + "…"
