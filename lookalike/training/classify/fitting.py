"""Training: the head on a frozen base, then everything; with the best pass kept and every pass saved."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lookalike.training.callbacks import LOG, append, read_log
from lookalike.training.classify.checkpoint import Save, load_state, save_state, write_arrays
from lookalike.training.classify.settings import ClassifySettings
from lookalike.training.classify.split import Labelled

BEST = "best.npz"
CLIP = 5.0  # the longest step of the weights together; a bad batch early on costs no more


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Faces 0..1 with their labels and weights, in an order that depends on seed and pass alone, so that a
    resumed run sees what an undisturbed one would have seen.
    """

    def __init__(self, part: Labelled, settings: ClassifySettings, names: int) -> None:
        super().__init__(workers=1)
        self._images, self._labels = part.faces.images, part.labels
        self._batch, self._seed, self._pass = settings.batch, settings.seed, 0
        self._weights = class_weights(part.labels, names) if settings.class_weights else np.ones(names)

    def __len__(self) -> int:
        return -(-len(self._labels) // self._batch)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.float32]]:
        order = np.random.default_rng((self._seed, self._pass)).permutation(len(self._labels))
        chosen = order[index * self._batch : (index + 1) * self._batch]
        labels = self._labels[chosen]
        weights = self._weights[labels].astype(np.float32)
        return self._images[chosen].astype(np.float32) / np.float32(255), labels, weights

    def begin(self, number: int) -> None:
        """Show the order of this pass, counted from 0, from now on."""
        self._pass = number


def class_weights(labels: NDArray[np.intp], names: int) -> NDArray[np.float64]:
    """Return the weight of each name's photos, 1 in the mean over photos: the rarer, the heavier."""
    counts = np.maximum(np.bincount(labels, minlength=names), 1)
    return np.asarray(len(labels) / (names * counts))


@dataclass(frozen=True)
class Phase:
    """A stretch of a run: passes `first` to `last`, counted from 0 and without the last, at a peak rate, the
    base frozen or not.
    """

    title: str
    first: int
    last: int
    rate: float
    frozen: bool


def phases_of(settings: ClassifySettings, pretrained: bool) -> list[Phase]:
    """Return the stretches of a run; without a base that was trained before, there is nothing to freeze."""
    head = settings.head_epochs if pretrained else 0
    phases = [Phase("head", 0, head, settings.head_rate, True)] if head else []
    title = "fine-tuning" if pretrained else "training"
    return [*phases, Phase(title, head, head + settings.epochs, settings.rate, False)]


def fit(
    trainer: keras.Model,
    base: keras.Model | None,
    train: Labelled,
    validation: Labelled,
    run: Path,
    settings: ClassifySettings,
    names: int,
    *,
    write: Save = write_arrays,
) -> None:
    """Train `trainer`, faces 0..1 -> shares, and leave it with the weights of its best pass; go on from the
    last whole pass if `run` holds one. `base` is the part that a frozen phase leaves alone.
    """
    batches = Batches(train, settings, names)
    judged = (validation.faces.images.astype(np.float32) / 255, validation.labels)
    for phase in phases_of(settings, base is not None):
        if base is not None:
            base.trainable = not phase.frozen
        done = _done(run)
        if done >= phase.last or _ended(run, phase, settings.patience):
            continue
        trainer.compile(
            _optimizer(phase, settings, len(batches)), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        trainer.optimizer.build(trainer.trainable_variables)
        if done > phase.first:
            load_state(_checkpoint(run, done), trainer)
        elif done:
            load_state(run / BEST, trainer, optimizer=False)
        keeper = Keeper(run, phase, batches.begin, patience=settings.patience, write=write)
        trainer.fit(
            batches,
            initial_epoch=max(done, phase.first),
            epochs=phase.last,
            shuffle=False,  # the batches have an order of their own
            validation_data=judged,
            validation_batch_size=64,
            verbose=0,
            callbacks=[keeper],
        )
    load_state(run / BEST, trainer, optimizer=False)


def _optimizer(phase: Phase, settings: ClassifySettings, steps: int) -> keras.optimizers.Optimizer:
    """Adam, its rate rising for a twentieth of the phase and then falling as a cosine (Loshchilov & Hutter
    2017, https://arxiv.org/abs/1608.03983).
    """
    whole = steps * (phase.last - phase.first)
    rising = max(1, whole // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        phase.rate / 20, max(1, whole - rising), alpha=0.02, warmup_target=phase.rate, warmup_steps=rising
    )
    return keras.optimizers.Adam(rate, clipnorm=CLIP)


def _done(run: Path) -> int:
    """Return the last pass that was logged, counted from 1; an earlier phase may have ended early."""
    return int(max((row["pass"] for row in read_log(run)), default=0))


def _checkpoint(run: Path, done: int) -> Path:
    return run / f"checkpoint-{done:04d}.npz"


def _in_phase(run: Path, phase: Phase) -> list[dict[str, float]]:
    return [row for row in read_log(run) if phase.first < row["pass"] <= phase.last]


def _ended(run: Path, phase: Phase, patience: int) -> bool:
    """Say whether a phase was stopped early: `patience` passes in it brought no lower validation loss."""
    losses = [row["val_loss"] for row in _in_phase(run, phase)]
    return len(losses) - 1 - int(np.argmin(losses)) >= patience if losses else False


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """After each pass: save where the run stands, then log it, keep the best weights, and say how it goes.

    All that it decides by is read from the log, so that a resumed run ends where an undisturbed one would.
    """

    def __init__(
        self, run: Path, phase: Phase, begin: Callable[[int], None], *, patience: int, write: Save
    ) -> None:
        super().__init__()
        self._run, self._phase, self._begin = run, phase, begin
        self._patience, self._write = patience, write
        self._seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._begin(epoch)
        self._started = time.monotonic()
        self._bar = tqdm(total=self.params["steps"], unit="batch", leave=False, dynamic_ncols=True)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._bar.close()
        self._seconds.append(time.monotonic() - self._started)
        figures = ("loss", "accuracy", "val_loss", "val_accuracy")
        row = {"pass": float(epoch + 1), **{name: round(float((logs or {})[name]), 4) for name in figures}}
        row["seconds"] = round(self._seconds[-1], 1)
        save_state(_checkpoint(self._run, epoch + 1), self.model, write=self._write)
        best = min((past["val_loss"] for past in read_log(self._run)), default=math.inf)
        if row["val_loss"] < best:
            save_state(self._run / BEST, self.model, optimizer=False, write=self._write)
        append(self._run / LOG, row)
        for old in self._run.glob("checkpoint-*.npz"):
            if old != _checkpoint(self._run, epoch + 1):
                old.unlink()
        self._say(row)
        if _ended(self._run, self._phase, self._patience):
            print(f"stopped: {self._patience} passes brought no lower loss on the validation photos")
            self.model.stop_training = True

    def _say(self, row: dict[str, float]) -> None:
        left = (self._phase.last - row["pass"]) * sum(self._seconds) / len(self._seconds) / 60
        print(
            f"{self._phase.title} {row['pass']:.0f}/{self._phase.last} · loss {row['loss']:.3f}, "
            f"{100 * row['accuracy']:.1f} % right · validation loss {row['val_loss']:.3f}, "
            f"{100 * row['val_accuracy']:.1f} % right · {row['seconds']:.0f} s, {left:.0f} min left",
            flush=True,
        )
