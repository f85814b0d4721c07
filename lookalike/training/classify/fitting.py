"""Train a classifier in one or two phases: first the last layers on a frozen base, then all layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from lookalike.errors import TrainingError
from lookalike.training.callbacks import (
    BACKUP,
    BEST,
    ProgressCallback,
    ResumableEarlyStopping,
    epochs_since_best,
    saving_callbacks,
)
from lookalike.training.classify.photo_split import LabelledFaces
from lookalike.training.classify.settings import ClassifySettings
from lookalike.training.run_log import Rows, read_log

CLIP = 5.0  # the largest gradient norm, so that one bad batch early on does little harm
OLD_CHECKPOINTS = "checkpoint-*.npz"  # of runs that an earlier version began


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of (faces 0..1, labels, sample weights), in an order that depends only on seed and epoch, so
    that a resumed run gets the same batches as an undisturbed one.
    """

    def __init__(self, part: LabelledFaces, settings: ClassifySettings, names: int) -> None:
        super().__init__(workers=1)
        self._images, self._labels = part.faces.images, part.labels
        self._batch, self._seed, self._epoch = settings.batch, settings.seed, 0
        self._weights = class_weights(part.labels, names) if settings.class_weights else np.ones(names)

    def __len__(self) -> int:
        return -(-len(self._labels) // self._batch)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.float32]]:
        order = np.random.default_rng((self._seed, self._epoch)).permutation(len(self._labels))
        chosen = order[index * self._batch : (index + 1) * self._batch]
        labels = self._labels[chosen]
        weights = self._weights[labels].astype(np.float32)
        return self._images[chosen].astype(np.float32) / np.float32(255), labels, weights

    def begin(self, epoch: int) -> None:
        """Switch to the order of this epoch, counted from 0."""
        self._epoch = epoch


class EpochSeeding(keras.callbacks.Callback):  # type: ignore[misc]
    """At the start of each epoch, order the batches and seed the random layers by seed and epoch.

    Keras does not save the state of random layers, so a resumed run would see other augmentations.
    """

    def __init__(self, batches: Batches, seed: int) -> None:
        super().__init__()
        self._batches, self._seed = batches, seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._batches.begin(epoch)
        states = (state for state in self.model.variables if state.name == "seed_generator_state")
        for place, state in enumerate(states):
            random = np.random.default_rng((self._seed, epoch, place))
            state.assign(random.integers(0, 2**31, state.shape))


def class_weights(labels: NDArray[np.intp], names: int) -> NDArray[np.float64]:
    """Return the weight of each name's photos, larger for rarer names; its mean over photos is 1."""
    counts = np.maximum(np.bincount(labels, minlength=names), 1)
    return np.asarray(len(labels) / (names * counts))


@dataclass(frozen=True)
class Phase:
    """Part of a run: the epochs from `first` to `last`, counted from 0 and without `last`, with the peak
    learning rate `rate`.
    """

    title: str
    first: int
    last: int
    rate: float
    frozen: bool

    def rows(self, log: Rows) -> Rows:
        """Return the log's rows of this phase."""
        return [row for row in log if self.first < row["epoch"] <= self.last]

    def is_over(self, log: Rows, patience: int) -> bool:
        """Return whether the log reaches the end of this phase, or the phase stopped early."""
        if max((row["epoch"] for row in log), default=0) >= self.last:
            return True
        return epochs_since_best([row["val_loss"] for row in self.rows(log)]) >= patience


def phases_of(settings: ClassifySettings, pretrained: bool) -> list[Phase]:
    """Return the phases of a run; without a pretrained base there is nothing to freeze."""
    head = settings.head_epochs if pretrained else 0
    phases = [Phase("head", 0, head, settings.head_rate, True)] if head else []
    title = "fine-tuning" if pretrained else "training"
    return [*phases, Phase(title, head, head + settings.epochs, settings.rate, False)]


def fit(
    network: keras.Model,
    base: keras.Model | None,
    train: LabelledFaces,
    validation: LabelledFaces,
    run: Path,
    settings: ClassifySettings,
    names: int,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Train `network`, faces 0..1 -> probabilities, and leave it with the weights of its best epoch. If `run`
    holds an interrupted run, continue after its last complete epoch.

    `base` is the part that the first phase freezes. `callbacks` run after all others. Raises TrainingError
    when an earlier version began the run.
    """
    if any(run.glob(OLD_CHECKPOINTS)):
        raise TrainingError(
            f"An earlier version began the run in {run}, and this one cannot resume it; train again in "
            "another folder."
        )
    batches = Batches(train, settings, names)
    for phase in phases_of(settings, base is not None):
        if base is not None:
            base.trainable = not phase.frozen
        log = read_log(run)
        if phase.is_over(log, settings.patience):
            continue
        if any(row["epoch"] <= phase.first for row in log):  # an earlier phase is over
            _without_optimizer(network).load_weights(run / BEST)
        _fit_phase(_without_optimizer(network), phase, batches, validation, run, settings, callbacks)
    _without_optimizer(network).load_weights(run / BEST)


def _fit_phase(
    trainer: keras.Model,
    phase: Phase,
    batches: Batches,
    validation: LabelledFaces,
    run: Path,
    settings: ClassifySettings,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    trainer.compile(_optimizer(phase, len(batches)), "sparse_categorical_crossentropy", metrics=["accuracy"])
    trainer.fit(
        batches,
        initial_epoch=phase.first,
        epochs=phase.last,
        shuffle=False,  # the batches have an order of their own
        validation_data=(validation.faces.images.astype(np.float32) / 255, validation.labels),
        validation_batch_size=64,
        verbose=0,
        callbacks=[
            EpochSeeding(batches, settings.seed),
            ProgressCallback(phase.last, title=phase.title),
            *saving_callbacks(run, monitor="val_loss", mode="min", backup=f"{BACKUP}-{phase.title}"),
            ResumableEarlyStopping(phase.rows(read_log(run)), patience=settings.patience),
            *callbacks,
        ],
    )


def _without_optimizer(network: keras.Model) -> keras.Model:
    """Return a model that shares all layers and weights, without an optimizer and an epoch of its own."""
    return keras.Model(network.inputs, network.outputs, name=network.name)


def _optimizer(phase: Phase, steps: int) -> keras.optimizers.Optimizer:
    """Adam; the learning rate rises for a twentieth of the phase and then falls as a cosine (Loshchilov &
    Hutter 2017, https://arxiv.org/abs/1608.03983).
    """
    total = steps * (phase.last - phase.first)
    rising = max(1, total // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        phase.rate / 20, max(1, total - rising), alpha=0.02, warmup_target=phase.rate, warmup_steps=rising
    )
    return keras.optimizers.Adam(rate, clipnorm=CLIP)
