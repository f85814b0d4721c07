"""Teach a small network to give a strong one's embeddings.

The student sees changed and degraded views of a face, many times over, and is asked each time for the
embedding that the teacher gave to the untouched face. One loss pulls each embedding to the teacher's; the
other makes the cosines inside a batch agree with the teacher's, after relational knowledge distillation,
Park et al. 2019 (https://arxiv.org/abs/1904.05068).
"""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from lookalike.evaluation.aligned import AlignedFaces
from lookalike.evaluation.metrics import pair_cosines, roc_auc
from lookalike.training.augmentation import degrade, reframe
from lookalike.training.networks import CompactWidths, compact

Embeddings = NDArray[np.float32]


@dataclass(frozen=True)
class DistillSettings:
    """All that decides a run; stored beside its weights."""

    passes: int = 36
    batch: int = 64
    peak_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up: float = 0.08  # share of the steps in which the rate rises
    relation_weight: float = 5.0  # at the end 0.05 of the loss beside 0.26 for the embeddings
    precision: str = "mixed_bfloat16"  # 1.3 to 1.6 times the speed of float32 on a CPU that has it
    seed: int = 0
    widths: CompactWidths = field(default_factory=CompactWidths)


class Views(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of (changed view 0..1, the teacher's embedding), new views in every pass.

    A batch depends on seed, pass and index alone, so a resumed run sees what an undisturbed one would have
    seen.
    """

    def __init__(self, faces: AlignedFaces, *, batch: int, seed: int, first_pass: int) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=6)
        self._faces, self._batch, self._seed, self._pass = faces, batch, seed, first_pass

    def __len__(self) -> int:
        return len(self._faces) // self._batch

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], Embeddings]:
        order = np.random.default_rng((self._seed, self._pass)).permutation(len(self._faces))
        chosen = order[index * self._batch : (index + 1) * self._batch]
        rng = np.random.default_rng((self._seed, self._pass, index))
        views = degrade(rng, reframe(rng, self._faces.images[chosen]))
        return views.astype(np.float32) / np.float32(255), self._faces.teacher[chosen]

    def on_epoch_end(self) -> None:
        self._pass += 1


def distillation_loss(relation_weight: float) -> Callable[[Any, Any], Any]:
    """Return the loss of a batch: (n, d) teacher's unit rows, (n, d) student's rows -> (n,)."""

    def loss(teacher: Any, student: Any) -> Any:  # tensors of whichever backend Keras runs on
        teacher = ops.cast(teacher, "float32")
        student = ops.normalize(ops.cast(student, "float32"), axis=-1)
        apart = 1 - ops.sum(teacher * student, axis=-1)
        relations = ops.matmul(student, ops.transpose(student)) - ops.matmul(teacher, ops.transpose(teacher))
        return apart + relation_weight * ops.mean(ops.square(relations), axis=-1)

    return loss


class Judge(keras.callbacks.Callback):  # type: ignore[misc]
    """After each pass: embed people that training never sees, log how well it went, say when the run will
    end.
    """

    def __init__(self, faces: AlignedFaces, log: Path, passes: int) -> None:
        super().__init__()
        self._faces, self._log, self._passes = faces, log, passes
        self._images = faces.images.astype(np.float32) / 255
        self._started: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self._started is None:
            self._started, self._first = time.monotonic(), epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        raw = np.asarray(self.model.predict(self._images, batch_size=96, verbose=0), np.float32)
        embeddings = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        same, different = pair_cosines(embeddings, self._faces.names)
        row = {
            "pass": epoch + 1,
            "loss": round(float((logs or {}).get("loss", math.nan)), 4),
            "teacher_cosine": round(float((embeddings * self._faces.teacher).sum(axis=1).mean()), 4),
            "auc": round(roc_auc(same, different), 4),
        }
        _append(self._log, row)
        assert self._started is not None
        left = (time.monotonic() - self._started) / (epoch + 1 - self._first) * (self._passes - epoch - 1)
        print(
            " · ".join(f"{name} {value}" for name, value in row.items()),
            f"· {left / 60:.0f} min left",
            flush=True,
        )


def distill(train: AlignedFaces, judge: AlignedFaces, run: Path, settings: DistillSettings) -> keras.Model:
    """Train `compact` and return it in float32, weights in `run/student.weights.h5`; go on from the last
    whole pass if `run` holds one.
    """
    run.mkdir(parents=True, exist_ok=True)
    (run / "settings.json").write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
    keras.utils.set_random_seed(settings.seed)
    keras.config.set_dtype_policy(settings.precision)
    try:
        student = compact(settings.widths)
    finally:
        keras.config.set_dtype_policy("float32")
    log = run / "log.csv"
    views = Views(train, batch=settings.batch, seed=settings.seed, first_pass=_passes_done(log))
    student.compile(
        _optimizer(settings, steps=settings.passes * len(views)), distillation_loss(settings.relation_weight)
    )
    student.fit(
        views,
        epochs=settings.passes,
        verbose=0,
        callbacks=[
            Judge(judge, log, settings.passes),
            keras.callbacks.BackupAndRestore(
                run / "checkpoint", double_checkpoint=True, delete_checkpoint=False
            ),
        ],
    )
    final = compact(settings.widths)
    final.set_weights(student.get_weights())
    final.save_weights(run / "student.weights.h5")
    return final


def _optimizer(settings: DistillSettings, *, steps: int) -> keras.optimizers.Optimizer:
    """One-cycle rate, Smith & Topin 2018 (https://arxiv.org/abs/1708.07120), with cosine flanks."""
    rising = round(settings.warm_up * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        settings.peak_rate / 25,
        steps - rising,
        alpha=1e-2,
        warmup_target=settings.peak_rate,
        warmup_steps=rising,
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay, clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer


def _passes_done(log: Path) -> int:
    if not log.exists():
        return 0
    with log.open(newline="", encoding="utf-8") as file:
        return max((int(row["pass"]) for row in csv.DictReader(file)), default=0)


def _append(log: Path, row: dict[str, float]) -> None:
    new = not log.exists()
    with log.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
