"""How a run goes: judged after every pass on people that it never trains on, logged, drawn, and ended when it
no longer gets better.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure

from lookalike.evaluation.aligned_faces import AlignedFaces
from lookalike.evaluation.metrics import Floats, roc_auc
from lookalike.models.embedder import unit_rows
from lookalike.models.similarity import pair_cosines

LOG, BEST, CURVES = "log.csv", "best.weights.h5", "curves.png"


class Judge(keras.callbacks.Callback):  # type: ignore[misc]
    """After each pass: embed `faces`, append to `run/log.csv`, draw `run/curves.png`, say when the run will
    end; keep the weights of the best pass, and stop when the last `patience` passes were on the whole no
    better than as many before them (one pass alone says little while the rate is high).

    All this is read from the log, so a resumed run stops where an undisturbed one would have stopped.
    """

    def __init__(self, faces: AlignedFaces, run: Path, *, passes: int, patience: int) -> None:
        super().__init__()
        self._faces, self._run = faces, run
        self._passes, self._patience = passes, patience
        self._images = faces.images.astype(np.float32) / 255
        self._started: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self._started is None:
            self._started, self._first = time.monotonic(), epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        raw = self.model.predict(self._images, batch_size=96, verbose=0)
        embeddings = unit_rows(np.asarray(raw, np.float32))
        row = {
            "pass": epoch + 1,
            "loss": round(float((logs or {}).get("loss", math.nan)), 4),
            "teacher_cosine": round(float((embeddings * self._faces.teacher).sum(axis=1).mean()), 4),
            "auc": round(_auc(*pair_cosines(embeddings, self._faces.names)), 4),
        }
        append(self._run / LOG, row)
        rows = read_log(self._run)
        best = max(rows, key=lambda past: past["teacher_cosine"])
        if best["pass"] == row["pass"]:
            self.model.save_weights(self._run / BEST)
        if stands_still([past["teacher_cosine"] for past in rows], self._patience):
            print(f"stopped: the last {self._patience} passes were no better than those before")
            self.model.stop_training = True
        draw_curves([rows], self._run / CURVES)
        self._say(epoch, row)

    def _say(self, epoch: int, row: dict[str, float]) -> None:
        assert self._started is not None
        seconds = (time.monotonic() - self._started) / (epoch + 1 - self._first)
        left = seconds * (self._passes - epoch - 1) / 60
        figures = " · ".join(f"{name} {value}" for name, value in row.items())
        print(f"{figures} · {left:.0f} min left", flush=True)


def stands_still(scores: Sequence[float], patience: int) -> bool:
    """Say whether the mean of the last `patience` scores is no higher than that of as many before them."""
    last, before = scores[-patience:], scores[-2 * patience : -patience]
    return len(before) == patience and sum(last) <= sum(before)


def _auc(same: Floats, different: Floats) -> float:
    """Return the ROC AUC, not a number where one person alone judges, or nobody has two photos."""
    return roc_auc(same, different) if len(same) and len(different) else math.nan


def read_log(run: Path) -> list[dict[str, float]]:
    """Return the log's rows, one a pass; none where there is no log. A pass that was logged but not saved
    when the run was killed is there twice in the file, and counts as it went the second time.
    """
    if not (run / LOG).exists():
        return []
    with (run / LOG).open(newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return list({row["pass"]: row for row in rows}.values())


def append(log: Path, row: dict[str, float]) -> None:
    """Add a row to a CSV file, with the names of its columns where the file is new."""
    new = not log.exists()
    with log.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def draw_curves(runs: Sequence[list[dict[str, float]]], path: Path) -> None:
    """Draw the loss and the two judgements of runs that went on from each other, pass by pass, a dotted line
    where the next one begins.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, judged = figure.subplots(1, 2)
    ends = [0, *accumulate(len(rows) for rows in runs)]
    for axes, name, colour in (
        (losses, "loss", "#b5651d"),
        (judged, "teacher_cosine", "#2a7f62"),
        (judged, "auc", "#3b5b92"),
    ):
        scores = [row[name] for rows in runs for row in rows]
        axes.plot(range(1, len(scores) + 1), scores, label=name.replace("_", " "), color=colour)
    losses.set(title="training", xlabel="pass")
    judged.set(title="people that training never sees", xlabel="pass", ylim=(None, 1))
    for axes in (losses, judged):
        for end in ends[1:-1]:
            axes.axvline(end + 0.5, color="grey", linestyle=":")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=110)
