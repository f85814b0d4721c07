"""Several networks that vote: the weighted mean of what each says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from lookalike.errors import TrainingError
from lookalike.training.classify.layers import resized
from lookalike.training.classify.opening import MEMBER, WEIGHT, open_classifier, predict
from lookalike.training.classify.settings import load_run
from lookalike.training.classify.split import Labelled

Shares = NDArray[np.float64]  # (n, names), rows that sum to 1

ROUNDS = 200  # of the weights' search; after 50 they no longer change in the second digit
LEAST_WEIGHT = 0.01  # a member with less adds nothing but time


@dataclass(frozen=True, eq=False)
class Member:
    """A finished run that takes part."""

    title: str
    classifier: keras.Model


def open_members(folders: Sequence[str], split: str) -> list[Member]:
    """Load the runs; raise TrainingError unless all were trained on this split and are single networks."""
    for folder in map(Path, folders):
        run = load_run(folder)
        if run.split != split:
            raise TrainingError(f"{folder} was trained on another split; an ensemble needs one for all.")
        if run.settings.network == "ensemble":
            raise TrainingError(f"{folder} is an ensemble itself; name its members instead.")
    return [Member(Path(folder).name, open_classifier(Path(folder))) for folder in folders]


def join(members: Sequence[Member], validation: Labelled) -> tuple[keras.Model, list[float]]:
    """Return the network that gives the weighted mean of the members' shares, and the weights, which are
    those that explain the validation photos best.
    """
    said = [predict(member.classifier, validation.faces.images) for member in members]
    weights = mixture_weights(said, validation.labels)
    face = keras.Input(members[0].classifier.input_shape[1:], name="face")
    shares = []
    for place, (member, weight) in enumerate(zip(members, weights, strict=True)):
        core = member.classifier.get_layer("core")
        outputs = [core.output, core.get_layer("features").output]
        inside = keras.Model(core.input, outputs, name=f"{MEMBER}{place}")
        share, _ = inside(resized(face, core))
        shares.append(layers.Rescaling(weight, name=f"{WEIGHT}{place}")(share))
    return keras.Model(face, layers.Add(name="shares")(shares), name="ensemble"), weights


def mixture_weights(said: Sequence[Shares], labels: NDArray[np.intp]) -> list[float]:
    """Return weights that sum to 1 under which the mean of `said` gives the labels the highest likelihood:
    expectation maximization for a mixture whose parts are fixed (Dempster et al. 1977).
    """
    right = np.stack([shares[np.arange(len(labels)), labels] for shares in said])  # (members, n)
    weights = np.full(len(said), 1 / len(said))
    for _ in range(ROUNDS):
        parts = weights[:, None] * np.maximum(right, 1e-12)
        weights = (parts / parts.sum(axis=0)).mean(axis=1)
    weights = np.where(weights < LEAST_WEIGHT, 0, weights)
    return [float(weight) for weight in weights / weights.sum()]
