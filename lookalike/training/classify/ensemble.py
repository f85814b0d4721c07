"""Several networks that vote: the mean of what each says.

Every member counts alike. Weights that explain the validation photos best give all to the member whose shares
can be believed most, and then there is nothing to gain.
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


def join(members: Sequence[Member]) -> keras.Model:
    """Return the network that gives the mean of the members' shares."""
    face = keras.Input(members[0].classifier.input_shape[1:], name="face")
    shares = []
    for place, member in enumerate(members):
        core = member.classifier.get_layer("core")
        outputs = [core.output, core.get_layer("features").output]
        inside = keras.Model(core.input, outputs, name=f"{MEMBER}{place}")
        share, _ = inside(resized(face, core))
        shares.append(share)
    return keras.Model(face, layers.Average(name="shares")(shares), name="ensemble")
