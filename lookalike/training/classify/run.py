"""One run from the faces to the files that serve: checked, trained, exported."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from lookalike.errors import TrainingError
from lookalike.models.registry import EMBEDDER_FILE, MODELS
from lookalike.training.callbacks import read_log
from lookalike.training.classify.checkpoint import Save, write_arrays
from lookalike.training.classify.ensemble import join, open_members
from lookalike.training.classify.faces import read_table
from lookalike.training.classify.fitting import fit
from lookalike.training.classify.layers import draw_augmentation, resized, trainable_views
from lookalike.training.classify.loading import CLASSIFIER, features_of
from lookalike.training.classify.networks import RANDOM, Built, build
from lookalike.training.classify.settings import (
    RUN_FILE,
    ClassifySettings,
    Run,
    load_run,
    resumed,
    save_run,
    versions,
)
from lookalike.training.classify.split import SPLIT_FILE, Drawn, Labelled, load_split, parts_of
from lookalike.training.export import export_embedder


@dataclass(frozen=True, eq=False)
class Data:
    """The faces of a folder by part, the split that drew them, and the SHA-256 of its file."""

    folder: Path
    drawn: Drawn
    parts: dict[str, Labelled]
    split: str

    @property
    def side(self) -> int:
        """The width and height of a face in pixels."""
        return int(self.parts["train"].faces.images.shape[1])


def read_data(folder: Path) -> Data:
    """Read the faces and the split of a folder that `split` wrote; raise where something is missing."""
    drawn = load_split(folder)
    digest = hashlib.sha256((folder / SPLIT_FILE).read_bytes()).hexdigest()
    return Data(folder, drawn, parts_of(read_table(folder), drawn), digest)


def classify(
    data: Data,
    folder: Path,
    wanted: ClassifySettings,
    *,
    resume: bool = False,
    given: tuple[str, ...] = (),
    write: Save = write_arrays,
    fetch: Callable[..., keras.Model] | None = None,
) -> Run:
    """Train, or go on with `resume`, and leave in `folder` all that a report and the app need.

    `given` names the settings that somebody asked for, which must be those of a run that goes on. Raises
    TrainingError where the folder holds a run already, or one of other faces.
    """
    members = open_members(wanted.members, data.split)
    run = _begin(data, folder, wanted, resume=resume, given=given)
    if members:
        classifier = join(members)
        run = replace(run, base=" and ".join(member.title for member in members))
    else:
        classifier, run = _train(data, folder, run, write, fetch)
    classifier.save(folder / CLASSIFIER)
    about = {"name": _model_name(folder), "alignment": "template"}
    export_embedder(features_of(classifier), folder / EMBEDDER_FILE, about)
    run = replace(run, finished=True)
    save_run(run, folder)
    return run


def _begin(
    data: Data, folder: Path, wanted: ClassifySettings, *, resume: bool, given: tuple[str, ...]
) -> Run:
    there = (folder / RUN_FILE).exists() and (read_log(folder) or load_run(folder).finished)
    if there and not resume:
        raise TrainingError(f"{folder} holds a run already; go on with --resume, or name another folder.")
    if resume:
        run = load_run(folder)
        if run.split != data.split:
            raise TrainingError(f"{folder} is a run of another split than {data.folder}; name its own faces.")
        return replace(run, settings=resumed(run.settings, given, wanted), finished=False)
    if any(_model_name(folder) == model.name for model in MODELS):
        raise TrainingError(f"A run called {folder.name} would be taken for that model; name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    names = tuple(data.drawn.names)
    where = str(data.folder.resolve())
    run = Run(wanted, names, where, data.split, data.side, "", versions())
    save_run(run, folder)
    return run


def _train(
    data: Data, folder: Path, run: Run, write: Save, fetch: Callable[..., keras.Model] | None
) -> tuple[keras.Model, Run]:
    settings, faces = run.settings, data.parts["train"].faces.images
    if not settings.augmentation.none:
        draw_augmentation(settings.augmentation, faces, settings.size, seed=settings.seed).savefig(
            folder / "augmentation.png", dpi=90
        )
    keras.utils.set_random_seed(settings.seed)
    if run.base.startswith(RANDOM):  # a run goes on as it began, also if the weights are here now
        settings = replace(settings, start="none")
    final = build(settings, len(run.names), faces, fetch=fetch)
    run = replace(run, base=run.base or final.base)
    save_run(run, folder)
    student = _in_precision(settings, final, len(run.names), faces)
    trainer = trainable_views(student.core, settings.augmentation, data.side, settings.seed)
    fit(
        trainer,
        student.pretrained,
        data.parts["train"],
        data.parts["validation"],
        folder,
        settings,
        len(run.names),
        write=write,
    )
    final.core.set_weights(student.core.get_weights())
    face = keras.Input((data.side, data.side, 3), name="face")
    classifier = keras.Model(face, final.core(resized(face, final.core)), name="classifier")
    return classifier, replace(run, seconds=round(sum(row["seconds"] for row in read_log(folder)), 1))


def _in_precision(settings: ClassifySettings, final: Built, names: int, faces: NDArray[np.uint8]) -> Built:
    """Return the network that trains: `final` itself, or the same in fewer bits."""
    if settings.precision == "float32":
        return final
    keras.config.set_dtype_policy(settings.precision)
    try:
        student = build(settings, names, faces, like=final)
    finally:
        keras.config.set_dtype_policy("float32")
    student.core.set_weights(final.core.get_weights())
    return student


def _model_name(folder: Path) -> str:
    """Return what a gallery calls the model: the run folder's own name, fit for a folder."""
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in folder.resolve().name)
    return name.strip("-") or "run"
