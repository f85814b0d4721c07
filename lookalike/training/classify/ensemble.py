"""Ensembles: the mean of several classifiers' probabilities.

All members have the same weight. Weights fitted to the likelihood of the validation photos gave everything to
the best calibrated member, which gains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
from keras import layers

from lookalike.errors import TrainingError
from lookalike.training.classify.layers import resized
from lookalike.training.classify.loading import MEMBER, open_classifier
from lookalike.training.classify.settings import load_run


@dataclass(frozen=True, eq=False)
class Member:
    """A finished run in an ensemble."""

    title: str
    classifier: keras.Model


def open_members(folders: Sequence[str], split: str) -> list[Member]:
    """Load the runs; raise TrainingError unless all are single networks that were trained on this split."""
    for folder in map(Path, folders):
        run = load_run(folder)
        if run.split != split:
            raise TrainingError(f"{folder} was trained on another split; all members need the same one.")
        if run.settings.network == "ensemble":
            raise TrainingError(f"{folder} is an ensemble itself; list its members instead.")
    return [Member(Path(folder).name, open_classifier(Path(folder))) for folder in folders]


def join(members: Sequence[Member]) -> keras.Model:
    """Return the network that averages the members' probabilities."""
    face = keras.Input(members[0].classifier.input_shape[1:], name="face")
    outputs = []
    for place, member in enumerate(members):
        core = member.classifier.get_layer("core")
        both = [core.output, core.get_layer("features").output]
        inside = keras.Model(core.input, both, name=f"{MEMBER}{place}")
        probabilities, _ = inside(resized(face, core))
        outputs.append(probabilities)
    return keras.Model(face, layers.Average(name="probabilities")(outputs), name="ensemble")
