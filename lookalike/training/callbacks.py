"""Callbacks of both kinds of training: validation, early stopping, and what Keras saves after each epoch.

Keras's own ModelCheckpoint, CSVLogger, BackupAndRestore and EarlyStopping do what they can. Three things they
cannot: compute the metrics of face embeddings, compare the means of several epochs, and remember the epochs
before an interruption when they decide whether to stop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import keras
import numpy as np
from tqdm import tqdm

from lookalike.evaluation.aligned_faces import AlignedFaces
from lookalike.evaluation.metrics import Floats, roc_auc
from lookalike.models.embedder import unit_rows
from lookalike.models.pairs import pair_scores
from lookalike.training.run_log import CURVES, LOG, draw_curves, read_log, save_figure, upgrade_log

BEST, BACKUP = "best.weights.h5", "checkpoint"

Logs = dict[str, float]


class ValidationCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Embed the validation `faces` after each epoch and add two metrics to its logs: `val_teacher_cosine`,
    the mean cosine (-1..1) to the teacher's embeddings, and `val_auc`, the ROC AUC (0..1) of all pairs.

    `val_auc` is NaN when there are no pairs of one person, or of different people.
    """

    def __init__(self, faces: AlignedFaces) -> None:
        super().__init__()
        self._faces = faces
        self._images = faces.images.astype(np.float32) / 255

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        raw = self.model.predict(self._images, batch_size=96, verbose=0)
        embeddings = unit_rows(np.asarray(raw, np.float32))
        logs["val_teacher_cosine"] = float((embeddings * self._faces.teacher).sum(axis=1).mean())
        logs["val_auc"] = _auc(*pair_scores(embeddings, self._faces.names))


class ProgressCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Show a progress bar within each epoch and print its metrics after it, with the time that is left; add
    the epoch's duration to its logs as `seconds`. `epochs` counts all epochs of the run.
    """

    def __init__(self, epochs: int, *, title: str = "epoch") -> None:
        super().__init__()
        self._epochs, self._title = epochs, title
        self._durations: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._started = time.monotonic()
        self._bar = tqdm(total=self.params["steps"], unit="batch", leave=False, dynamic_ncols=True)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        self._bar.close()
        metrics = " · ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in logs.items())
        logs["seconds"] = round(time.monotonic() - self._started, 1)
        self._durations.append(logs["seconds"])
        left = (self._epochs - epoch - 1) * float(np.mean(self._durations)) / 60
        print(f"{self._title} {epoch + 1}/{self._epochs} · {metrics} · {left:.0f} min left", flush=True)


class PlateauStopping(keras.callbacks.Callback):  # type: ignore[misc]
    """Draw the learning curves after each epoch, and stop training when `has_plateaued` says so.

    Keras's EarlyStopping compares single epochs, which vary too much while the learning rate is high. The
    scores are read from the log, so a resumed run stops where an undisturbed one would have stopped.
    """

    def __init__(self, run: Path, *, patience: int) -> None:
        super().__init__()
        self._run, self._patience = run, patience

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        rows = read_log(self._run)
        save_figure(draw_curves([rows]), self._run / CURVES, dpi=110)
        if has_plateaued([row["val_teacher_cosine"] for row in rows], self._patience):
            print(
                f"stopped: the last {self._patience} epochs were no better than the {self._patience} before"
            )
            self.model.stop_training = True


class ResumableEarlyStopping(keras.callbacks.EarlyStopping):  # type: ignore[misc]
    """Keras's EarlyStopping on `val_loss`, continued from the logged `rows` of an interrupted run."""

    def __init__(self, rows: Sequence[Logs], *, patience: int) -> None:
        super().__init__("val_loss", mode="min", patience=patience, verbose=1)
        self._rows: Sequence[Logs] | None = rows

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self._rows is None:
            return
        losses = [row["val_loss"] for row in self._rows if row["epoch"] <= epoch]  # `epoch` counts from 0
        if losses:
            self.best, self.wait = min(losses), epochs_since_best(losses)
        self._rows = None


def saving_callbacks(
    run: Path, *, monitor: str, mode: Literal["min", "max"], backup: str = BACKUP
) -> list[keras.callbacks.Callback]:
    """Return Keras's callbacks that keep the best weights, the log and a backup of the last two epochs.

    They run in this order: an epoch that is interrupted before its backup is trained again after a resume.
    """
    upgrade_log(run)
    scores = [row[monitor] for row in read_log(run)]
    best = (max(scores) if mode == "max" else min(scores)) if scores else None
    return [
        keras.callbacks.ModelCheckpoint(
            run / BEST,
            monitor=monitor,
            mode=mode,
            save_best_only=True,
            save_weights_only=True,
            initial_value_threshold=best,
        ),
        keras.callbacks.CSVLogger(run / LOG, append=True),
        keras.callbacks.BackupAndRestore(run / backup, double_checkpoint=True, delete_checkpoint=False),
    ]


def has_plateaued(scores: Sequence[float], patience: int) -> bool:
    """Return whether the mean of the last `patience` scores is no higher than that of as many before them."""
    last, before = scores[-patience:], scores[-2 * patience : -patience]
    return len(before) == patience and sum(last) <= sum(before)


def epochs_since_best(losses: Sequence[float]) -> int:
    """Return how many losses follow the lowest one; 0 for none."""
    return len(losses) - 1 - int(np.argmin(losses)) if losses else 0


def _auc(same: Floats, different: Floats) -> float:
    return roc_auc(same, different) if len(same) and len(different) else math.nan
