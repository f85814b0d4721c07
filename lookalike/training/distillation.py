"""Distillation: train a small network to reproduce a strong network's face embeddings.

The student sees a new view of each face in every epoch; the target is the teacher's embedding of the same
view. The loss has three terms. One pulls each embedding to the teacher's. One makes the cosines within a
batch agree with the teacher's (relational knowledge distillation, Park et al. 2019,
https://arxiv.org/abs/1904.05068). One makes both classify a view alike, with the teacher's mean embedding of
each name as that name's class weights (after ProxylessKD, Shi et al. 2020, https://arxiv.org/abs/2011.00265).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from lookalike.errors import TrainingError
from lookalike.evaluation.aligned_faces import AlignedFaces
from lookalike.files import sha256_of, write_text
from lookalike.models.embedder import Embedder, Embeddings, embed_both_sides, unit_rows
from lookalike.training.callbacks import (
    BEST,
    PlateauStopping,
    ProgressCallback,
    ValidationCallback,
    has_plateaued,
    saving_callbacks,
)
from lookalike.training.networks import CompactWidths, compact
from lookalike.training.run_log import read_log
from lookalike.training.view_batches import Views
from lookalike.training.warm_start import load_exported

STATISTICS = 600  # faces on which the batch statistics of an exported network are measured again
SHARPNESS = 20.0  # of cosines to names before the softmax: a clean photo gets 0.86 for its likeliest name


@dataclass(frozen=True)
class DistillSettings:
    """All settings of a run besides its faces and its teacher; stored beside its weights.

    `start` is the SHA-256 of the exported network whose weights the run starts from, None for random ones.
    """

    epochs: int = 36
    views: int | None = None  # an epoch; None for as many as there are faces
    batch: int = 64
    peak_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up: float = 0.08  # fraction of the steps in which the learning rate rises
    relation_weight: float = 5.0  # at the end 0.05 of the loss beside 0.26 for the embeddings
    name_weight: float = 0.1  # with 0.5 the embeddings drift from the teacher's
    mix: float = 0.3  # fraction of views in which two faces are blended
    worse: float = 0.3  # fraction of views degraded for the student alone
    patience: int = 10  # epochs that must be better than as many before them, or the run stops
    precision: str = "mixed_bfloat16"  # 1.3 to 1.6 times the speed of float32 on a CPU that has it
    seed: int = 0
    start: str | None = None
    widths: CompactWidths = field(default_factory=CompactWidths)


def distill(
    train: AlignedFaces,
    validation: AlignedFaces,
    run: Path,
    settings: DistillSettings,
    *,
    teacher: Embedder | None = None,
    start: Path | None = None,
) -> keras.Model:
    """Train `compact` and return it in float32 with the weights of the best epoch. If `run` holds an
    interrupted run, continue after its last complete epoch.

    `teacher` embeds every view and its mirror image, so it must take faces aligned to the template; without
    one the embeddings of the table are the targets. `start` is an exported network of the same shape to start
    from. Raises TrainingError when `run` holds a run with other settings (only `epochs` may change), and when
    there are fewer faces or views than a batch has.
    """
    faces = min(settings.views or len(train), len(train))
    if settings.epochs < 1 or not 1 <= settings.batch <= faces:
        raise TrainingError(
            f"--epochs must be at least 1, and --batch from 1 to {faces:,}, the number of faces in an epoch."
        )
    if start:
        settings = replace(settings, start=sha256_of(start))
    _store_settings(run, settings)
    keras.utils.set_random_seed(settings.seed)
    dim = train.teacher.shape[1]
    final = compact(settings.widths, dim)
    if start:
        load_exported(final, start, train.images[:: max(1, len(train) // STATISTICS)])
    student = _in_precision(settings, dim)
    student.set_weights(final.get_weights())
    views = Views(
        train,
        teacher,
        batch=settings.batch,
        mix=settings.mix,
        worse=settings.worse,
        seed=settings.seed,
        views=settings.views,
    )
    if teacher:
        validation = replace(validation, teacher=embed_both_sides(teacher, list(validation.images)))
    if not has_plateaued([row["val_teacher_cosine"] for row in read_log(run)], settings.patience):
        _fit(student, views, name_centres(train), validation, run, settings)
    student.load_weights(run / BEST)
    final.set_weights(student.get_weights())
    return final


def _fit(
    student: keras.Model,
    views: Views,
    centres: Embeddings,
    validation: AlignedFaces,
    run: Path,
    settings: DistillSettings,
) -> None:
    student.compile(
        _optimizer(settings, steps=settings.epochs * len(views)),
        embedding_loss(centres, relation_weight=settings.relation_weight, name_weight=settings.name_weight),
    )
    student.fit(
        views,
        epochs=settings.epochs,
        shuffle=False,  # the views have an order of their own
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: views.begin(epoch)),
            ValidationCallback(validation),
            ProgressCallback(settings.epochs),
            *saving_callbacks(run, monitor="val_teacher_cosine", mode="max"),
            PlateauStopping(run, patience=settings.patience),
        ],
    )


def name_centres(faces: AlignedFaces) -> Embeddings:
    """Return the teacher's mean embedding of each name, (names, d) rows of unit length, without unnamed
    faces.
    """
    names, which = np.unique(faces.names, return_inverse=True)
    sums = np.zeros((len(names), faces.teacher.shape[1]), np.float32)
    np.add.at(sums, which, faces.teacher)
    return unit_rows(sums[names != ""])


def embedding_loss(
    centres: Embeddings, *, relation_weight: float, name_weight: float
) -> Callable[[Any, Any], Any]:
    """Return the loss of a batch: (n, d) teacher's unit rows, (n, d) student's rows -> (n,).

    `centres` is (names, d), as `name_centres` gives them; with fewer than two names the third term is left
    out.
    """
    names = SHARPNESS * centres.T
    name_weight = name_weight if len(centres) > 1 else 0.0

    def loss(teacher: Any, student: Any) -> Any:  # tensors of whichever backend Keras runs on
        teacher = ops.cast(teacher, "float32")
        student = ops.normalize(ops.cast(student, "float32"), axis=-1)
        apart = 1 - ops.sum(teacher * student, axis=-1)
        relations = ops.matmul(student, ops.transpose(student)) - ops.matmul(teacher, ops.transpose(teacher))
        total = apart + relation_weight * ops.mean(ops.square(relations), axis=-1)
        if name_weight:
            log_student, log_teacher = (
                ops.log_softmax(ops.matmul(rows, names)) for rows in (student, teacher)
            )
            divergence = ops.sum(ops.exp(log_teacher) * (log_teacher - log_student), axis=-1)
            total += name_weight * divergence
        return total

    return loss


def _store_settings(run: Path, settings: DistillSettings) -> None:
    """Store the settings in `run`; raise TrainingError when a run with other settings has begun there."""
    run.mkdir(parents=True, exist_ok=True)
    file = run / "settings.json"
    fields = json.loads(json.dumps(asdict(settings)))
    if read_log(run):
        stored = json.loads(file.read_text(encoding="utf-8"))
        others = sorted(name for name in fields if name != "epochs" and fields[name] != stored.get(name))
        if others:
            raise TrainingError(
                f"{run} holds a run with other settings ({', '.join(others)}); "
                "choose another folder with --run, or give the same settings."
            )
    write_text(file, json.dumps(fields, indent=2) + "\n")


def _in_precision(settings: DistillSettings, dim: int) -> keras.Model:
    keras.config.set_dtype_policy(settings.precision)
    try:
        return compact(settings.widths, dim)
    finally:
        keras.config.set_dtype_policy("float32")


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
