"""Plot a split, to check that training, validation and test have the same names and similar photos."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lookalike.training.classify.photo_split import PARTS, LabelledFaces

COLOURS = dict(zip(PARTS, ("#3b5b92", "#b5651d", "#2a7f62"), strict=True))
SHOWN = ("brightness", "sharpness", "face size")
MAX_LABELS = 60  # names on the axis; more are not legible


def plot_split(parts: dict[str, LabelledFaces], names: list[str]) -> Figure:
    """Return a figure of the names' shares of each part, and of the faces' brightness, sharpness and size."""
    figure = Figure(figsize=(13, 7.5), layout="constrained")
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.3, 1)).ravel()
    axes = above.subplots()
    order = np.argsort(-sum(shares_of(part, len(names)) for part in parts.values()))
    for title, part in parts.items():
        shares = 100 * shares_of(part, len(names))[order]
        label = f"{title}: {len(part.faces):,} photos"
        axes.plot(shares, "o-", color=COLOURS[title], label=label, markersize=4, linewidth=1)  # type: ignore[index]
    axes.set(ylabel="% of the part's photos", ylim=(0, None), title="names")
    if len(names) <= MAX_LABELS:
        labels = [names[place][:24] for place in order]
        axes.set_xticks(range(len(names)), labels, rotation=90, fontsize=8, parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend()
    columns = [name for name in SHOWN if all(name in part.faces.numbers for part in parts.values())]
    for place, (panel, column) in enumerate(zip(below.subplots(1, len(columns)), columns, strict=True)):
        everything = np.concatenate([part.faces.numbers[column] for part in parts.values()])
        bins = np.histogram_bin_edges(everything[np.isfinite(everything)], 25)
        for title, part in parts.items():
            values = part.faces.numbers[column]
            panel.hist(values, bins, density=True, histtype="step", color=COLOURS[title], linewidth=1.5)  # type: ignore[index]
        panel.set(title=column, ylabel="density" if place == 0 else None)
        panel.grid(alpha=0.3)
    return figure


def shares_of(part: LabelledFaces, names: int) -> NDArray[np.float64]:
    """Return the share, 0..1, of each of the `names` among a part's photos."""
    return np.bincount(part.labels, minlength=names) / max(1, len(part.labels))


def distance(first: LabelledFaces, second: LabelledFaces, names: int) -> float:
    """Return the total variation distance, 0..1, between the names of two parts: the share of photos that
    would have to change names to make them equal.
    """
    return float(np.abs(shares_of(first, names) - shares_of(second, names)).sum() / 2)
