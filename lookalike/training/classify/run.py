"""One run of a classifier: check its settings, train it, and export the files that the app loads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from lookalike.errors import TrainingError
from lookalike.files import atomic_write, sha256_of
from lookalike.models.registry import EMBEDDER_FILE, MODELS
from lookalike.training.classify.ensemble import join, open_members
from lookalike.training.classify.faces import read_table
from lookalike.training.classify.fitting import fit
from lookalike.training.classify.layers import draw_augmentation, resized, with_augmentation
from lookalike.training.classify.loading import CLASSIFIER, features_of
from lookalike.training.classify.networks import RANDOM, Built, build
from lookalike.training.classify.photo_split import (
    LabelledFaces,
    PhotoSplit,
    labelled_parts,
    load_photo_split,
    photo_split_path,
)
from lookalike.training.classify.settings import (
    RUN_FILE,
    ClassifySettings,
    Run,
    load_run,
    resumed,
    save_run,
    versions,
)
from lookalike.training.export import export_embedder
from lookalike.training.run_log import read_log, save_figure


@dataclass(frozen=True, eq=False)
class Data:
    """The faces of a folder by part, the split that assigned them, and the SHA-256 of its file."""

    folder: Path
    split: PhotoSplit
    parts: dict[str, LabelledFaces]
    split_hash: str

    @property
    def side(self) -> int:
        """The width and height of a face in pixels."""
        return int(self.parts["train"].faces.images.shape[1])


def read_data(folder: Path) -> Data:
    """Read the faces and the split of a folder that `split` wrote.

    Raises MissingFileError or TrainingError when something is missing or damaged.
    """
    split = load_photo_split(folder)
    parts = labelled_parts(read_table(folder), split)
    return Data(folder, split, parts, sha256_of(photo_split_path(folder)))


def classify(
    data: Data,
    folder: Path,
    wanted: ClassifySettings,
    *,
    resume: bool = False,
    given: tuple[str, ...] = (),
    fetch: Callable[..., keras.Model] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Run:
    """Train a classifier, or resume its training, and write all that a report and the app need to `folder`.

    `given` lists the settings that were given explicitly; a resumed run must have the same. `fetch` makes a
    network of Keras Applications, and `callbacks` are added to the training. Raises TrainingError when the
    folder holds a run already, or a run on other faces.
    """
    members = open_members(wanted.members, data.split_hash)
    run = _begin(data, folder, wanted, resume=resume, given=given)
    if members:
        classifier = join(members)
        run = replace(run, base=" and ".join(member.title for member in members))
    else:
        classifier, run = _train(data, folder, run, fetch, callbacks)
    with atomic_write(folder / CLASSIFIER) as partial:
        classifier.save(partial)
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
        raise TrainingError(
            f"{folder} holds a run already; continue it with --resume, or choose another folder."
        )
    if resume:
        run = load_run(folder)
        if run.split != data.split_hash:
            raise TrainingError(
                f"{folder} holds a run on another split than that of {data.folder}; give the folder of faces "
                "it was trained on."
            )
        return replace(run, settings=resumed(run.settings, given, wanted), finished=False)
    if any(_model_name(folder) == model.name for model in MODELS):
        raise TrainingError(
            f"{folder.name} is the name of a built-in model; choose another name for the folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    names = tuple(data.split.names)
    where = str(data.folder.resolve())
    run = Run(wanted, names, where, data.split_hash, data.side, "", versions())
    save_run(run, folder)
    return run


def _train(
    data: Data,
    folder: Path,
    run: Run,
    fetch: Callable[..., keras.Model] | None,
    callbacks: Sequence[keras.callbacks.Callback],
) -> tuple[keras.Model, Run]:
    settings, faces = run.settings, data.parts["train"].faces.images
    if not settings.augmentation.none:
        figure = draw_augmentation(settings.augmentation, faces, settings.size, seed=settings.seed)
        save_figure(figure, folder / "augmentation.png")
    keras.utils.set_random_seed(settings.seed)
    if run.base.startswith(RANDOM):  # resume it so, even if the weights can be downloaded now
        settings = replace(settings, start="none")
    final = build(settings, len(run.names), faces, fetch=fetch)
    run = replace(run, base=run.base or final.base)
    save_run(run, folder)
    student = _in_precision(settings, final, len(run.names), faces)
    network = with_augmentation(student.core, settings.augmentation, data.side, settings.seed)
    fit(
        network,
        student.pretrained,
        data.parts["train"],
        data.parts["validation"],
        folder,
        settings,
        len(run.names),
        callbacks=callbacks,
    )
    final.core.set_weights(student.core.get_weights())
    face = keras.Input((data.side, data.side, 3), name="face")
    classifier = keras.Model(face, final.core(resized(face, final.core)), name="classifier")
    return classifier, replace(run, seconds=round(sum(row["seconds"] for row in read_log(folder)), 1))


def _in_precision(settings: ClassifySettings, final: Built, names: int, faces: NDArray[np.uint8]) -> Built:
    """Return the network to train: `final` itself, or a copy in mixed precision."""
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
    """Return the model's name in galleries: the name of the run's folder, with safe characters only."""
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in folder.resolve().name)
    return name.strip("-") or "run"
