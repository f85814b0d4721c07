"""An overview of aligned faces: what was left out or filled in, how balanced the names are, and figures."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lookalike.sources.inspection_report import has_bins
from lookalike.training.classify.faces import FaceTable, FolderInfo

SHOWN_NAMES, SHOWN_FACES = 8, 12  # rows and columns of the figure of faces
BINS = 30  # of a histogram
WIDEST = 60.0  # inches of a figure; a PNG cannot be wider than ten times that
PAIRED = ("face size", "sharpness", "yaw", "brightness", "confidence")
PROJECTED = 1500  # faces; t-SNE of more takes minutes, and the dots cover each other
COLOURED = 20  # names with a colour of their own; more are hard to tell apart
PERPLEXITY = 30.0  # t-SNE's number of neighbours; a name has 50 to 130 photos
UNBALANCED = 3.0  # ratio of the largest to the smallest name from which the names are called unbalanced

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Overview:
    """`notes` are sentences; `numbers` are columns (n,) without missing values; `pictures` are PNG files."""

    notes: list[str]
    numbers: dict[str, Column]
    pictures: dict[str, bytes]


def summarize(table: FaceTable, info: FolderInfo) -> Overview:
    """Return the overview of a folder of faces."""
    numbers = {name: fill(values, table.names) for name, values in table.numbers.items()}
    figures = {
        "faces-as-the-network-sees-them.png": _draw_faces(table),
        "photos-of-each-name.png": draw_counts(table),
        "columns-in-pairs.png": _draw_pairs(numbers),
        "embeddings-in-two-dimensions.png": _draw_projection(table),
    }
    notes = [f"{info.sentence}.", *_filled(table), _balance(table)]
    return Overview(notes, numbers, {name: _png(figure) for name, figure in figures.items() if figure})


def fill(values: Column, names: tuple[str, ...]) -> Column:
    """Return the column with missing values (NaN) replaced by the median of the same name, else of all."""
    filled = values.copy()
    there = np.isfinite(values)
    if there.all() or not there.any():
        return filled
    filled[~there] = np.median(values[there])
    people = np.asarray(names)
    for name in np.unique(people[~there]):
        mine = people == name
        if (mine & there).any():
            filled[mine & ~there] = np.median(values[mine & there])
    return filled


def _filled(table: FaceTable) -> list[str]:
    gaps = {name: int((~np.isfinite(values)).sum()) for name, values in table.numbers.items()}
    listed = ", ".join(f"{name} {number:,}" for name, number in gaps.items() if number)
    rule = (
        "Photos without a name or a face, and unreadable ones, are left out. A missing number is replaced by "
        "the median of the same name, or of all names where that name has none"
    )
    return [f"{rule}: {listed}." if listed else f"{rule}. None is missing here."]


def _balance(table: FaceTable) -> str:
    ranked = Counter(table.names).most_common()
    (largest, most), (smallest, least) = ranked[0], ranked[-1]
    counts = f"{largest} has {most:,} photos, {smallest} {least:,}: {most / least:.1f} times as many. "
    if most / least < UNBALANCED:
        return counts + "The names are fairly balanced; class weights compensate for the rest."
    few = [name for name, number in ranked if number < most / UNBALANCED]
    return (
        counts
        + f"The names are unbalanced: {len(few):,} have less than a third of the largest. Class weights "
        "compensate for this in training; more photos of these names would help more."
    )


def _draw_faces(table: FaceTable) -> Figure:
    ranked = [name for name, _ in Counter(table.names).most_common()]
    chosen = ranked[:: max(1, len(ranked) // SHOWN_NAMES)][:SHOWN_NAMES]
    figure = Figure(figsize=(SHOWN_FACES, 1.12 * len(chosen)), layout="constrained")
    panels = figure.subplots(len(chosen), SHOWN_FACES, squeeze=False)
    for name, row in zip(chosen, panels, strict=True):
        mine = np.flatnonzero(np.asarray(table.names) == name)
        for axes in row:
            axes.set_axis_off()
        for axes, place in zip(row, mine, strict=False):
            axes.imshow(table.images[place])
        row[0].set_title(name[:24], fontsize=8, loc="left", parse_math=False)
    return figure


def draw_counts(table: FaceTable) -> Figure:
    """Draw the number of photos of each name, the most first."""
    ranked = Counter(table.names).most_common()
    figure = Figure(figsize=(min(max(6.0, 0.22 * len(ranked)), WIDEST), 3.6), layout="constrained")
    axes = figure.subplots()
    axes.bar(range(len(ranked)), [number for _, number in ranked], color="#1f6f54")
    if len(ranked) <= 100:  # more labels cover each other
        labels = [name[:24] for name, _ in ranked]
        axes.set_xticks(range(len(ranked)), labels, rotation=90, fontsize=7, parse_math=False)
    axes.set(ylabel="photos with a face", xlim=(-0.7, len(ranked) - 0.3))
    return figure


def _draw_pairs(numbers: dict[str, Column]) -> Figure | None:
    columns = [name for name in numbers if np.ptp(numbers[name]) > 0 and has_bins(numbers[name], BINS)]
    shown = [name for name in columns if name not in PAIRED][:2] + [
        name for name in PAIRED if name in columns
    ]
    if len(shown) < 2:
        return None
    figure = Figure(figsize=(1.7 * len(shown), 1.7 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), len(shown), squeeze=False)
    for (row, column), axes in np.ndenumerate(panels):
        if row == column:
            axes.hist(numbers[shown[row]], BINS, color="#1f6f54")
        else:
            axes.plot(numbers[shown[column]], numbers[shown[row]], ".", markersize=1, color="#1f6f54")
        axes.tick_params(labelsize=6)
        if row == len(shown) - 1:
            axes.set_xlabel(shown[column][:20], fontsize=8, parse_math=False)
        if column == 0:
            axes.set_ylabel(shown[row][:20], fontsize=8, parse_math=False)
    return figure


def _draw_projection(table: FaceTable) -> Figure | None:
    """t-SNE, van der Maaten & Hinton 2008 (https://jmlr.org/papers/v9/vandermaaten08a.html)."""
    from sklearn.manifold import TSNE  # takes a second to import

    places = np.linspace(0, len(table) - 1, min(len(table), PROJECTED)).astype(int)
    if len(places) < 10:
        return None
    near = min(PERPLEXITY, (len(places) - 1) / 3)
    points = TSNE(perplexity=near, init="pca", random_state=0).fit_transform(table.embeddings[places])
    names = np.asarray(table.names)[places]
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    axes = figure.subplots()
    coloured = [name for name, _ in Counter(names.tolist()).most_common(COLOURED)]
    others = ~np.isin(names, coloured)
    axes.plot(*points[others].T, ".", color="#cccccc", markersize=3, label="others" if others.any() else None)
    for number, name in enumerate(coloured):
        marker = "o" if number < 10 else "^"
        axes.plot(*points[names == name].T, marker, markersize=3.5, label=name[:24], color=f"C{number % 10}")
    axes.set_axis_off()
    figure.legend(loc="outside right upper", fontsize=8, markerscale=1.5)
    return figure


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=90)
    return file.getvalue()
