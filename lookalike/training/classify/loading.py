"""Load the classifier of a run, and predict with it."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from lookalike.errors import TrainingError
from lookalike.training.classify.layers import resized
from lookalike.training.classify.settings import load_run, versions

CLASSIFIER = "classifier.keras"
MEMBER = "member_"  # prefix of the layers that hold an ensemble's members
BATCH = 64


def features_of(classifier: keras.Model) -> keras.Model:
    """Return the network from faces (n, side, side, 3) RGB 0..1 to the features before its last layer; for an
    ensemble, its members' features, each of unit length, concatenated.
    """
    face = keras.Input(classifier.input_shape[1:], name="face")
    found = {layer.name: layer for layer in classifier.layers}
    if "core" in found:
        core = found["core"]
        inside = keras.Model(core.input, core.get_layer("features").output)
        return keras.Model(face, inside(resized(face, core), training=False), name="features_of")
    features = [
        layers.UnitNormalization()(member(resized(face, member), training=False)[1])
        for name, member in found.items()
        if name.startswith(MEMBER)
    ]
    return keras.Model(face, layers.Concatenate()(features), name="features_of")


def open_classifier(folder: Path) -> keras.Model:
    """Load the classifier of a run; raise TrainingError when it is unfinished or cannot be loaded."""
    run = load_run(folder)
    if not run.finished:
        raise TrainingError(f"The run in {folder} is not finished; continue it with --resume.")
    try:
        return keras.models.load_model(folder / CLASSIFIER, compile=False)
    except Exception as error:  # a broken zip, JSON or HDF5 file, or a layer that changed
        now = versions()
        raise TrainingError(
            f"{folder / CLASSIFIER} cannot be loaded (made with Keras {run.versions.get('keras')}, "
            f"installed is {now['keras']}); train again, or install the version that made it."
        ) from error


def predict(classifier: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return (n, names) probabilities for faces (n, side, side, 3) uint8 RGB, rows that sum to 1: the mean
    over each face and its mirror image.
    """
    rows = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH].astype(np.float32) / 255
        both = (classifier.predict_on_batch(faces) for faces in (batch, batch[:, :, ::-1]))
        rows.append(np.mean([np.asarray(output, np.float64) for output in both], axis=0))
    return np.concatenate(rows)
