"""The log of a training run, one row an epoch, and the learning curves drawn from it."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from matplotlib.figure import Figure

from lookalike.files import atomic_write, write_text

LOG, CURVES = "log.csv", "curves.png"
RENAMED = {"teacher_cosine": "val_teacher_cosine", "auc": "val_auc"}  # columns of older logs
CURVE_COLOURS = (("loss", "#b5651d"), ("val_teacher_cosine", "#2a7f62"), ("val_auc", "#3b5b92"))

Rows = list[dict[str, float]]


def read_log(run: Path) -> Rows:
    """Return the rows of a run's log by column; `epoch` counts from 1. Without a log there are none.

    Keras's CSVLogger counts epochs from 0; older logs have a column `pass` that counts from 1. An epoch that
    was logged but not yet backed up when the run was interrupted is in the file twice; the last row counts.
    A line that a full disk cut off does not count.
    """
    if not (run / LOG).exists():
        return []
    lines = (run / LOG).read_text(encoding="utf-8").splitlines(keepends=True)
    rows = [_renamed(row) for row in csv.DictReader(line for line in lines if line.endswith("\n"))]
    return list({row["epoch"]: row for row in rows}.values())


def upgrade_log(run: Path) -> None:
    """Rewrite an older log with the columns of today, and one whose last line was cut off without that line,
    so that CSVLogger can append to it.
    """
    rows, log = read_log(run), run / LOG
    if not rows:
        log.unlink(missing_ok=True)
        return
    text = log.read_text(encoding="utf-8")
    if text.startswith("epoch,") and text.endswith("\n"):
        return
    columns = sorted({*rows[0], "seconds"} - {"epoch"})
    lines = [",".join(["epoch", *columns])]
    for row in rows:
        lines.append(
            ",".join([str(int(row["epoch"]) - 1), *(str(row.get(name, math.nan)) for name in columns)])
        )
    write_text(log, "\n".join(lines) + "\n")


def draw_curves(runs: Sequence[Rows]) -> Figure:
    """Return the loss and both validation metrics of distillation runs that continue each other, epoch by
    epoch. A dotted line marks where the next run begins.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, metrics = figure.subplots(1, 2)
    ends = [0, *accumulate(len(rows) for rows in runs)]
    for name, colour in CURVE_COLOURS:
        values = [row[name] for rows in runs for row in rows]
        axes = losses if name == "loss" else metrics
        label = name.removeprefix("val_").replace("_", " ")
        axes.plot(range(1, len(values) + 1), values, label=label, color=colour)
    losses.set(title="training", xlabel="epoch")
    metrics.set(title="validation: people who are not in the training set", xlabel="epoch", ylim=(None, 1))
    for axes in (losses, metrics):
        for end in ends[1:-1]:
            axes.axvline(end + 0.5, color="grey", linestyle=":")
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def save_figure(figure: Figure, path: Path, *, dpi: int = 90) -> None:
    """Write a figure as PNG, whole or not at all."""
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=dpi)


def _renamed(row: dict[str, str]) -> dict[str, float]:
    epoch = float(row.pop("pass")) if "pass" in row else float(row.pop("epoch")) + 1
    return {"epoch": epoch} | {RENAMED.get(name, name): float(value) for name, value in row.items()}
