"""Back from a run's folder to its network, and what the network says of faces."""

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
MEMBER = "member_"  # how an ensemble's members are called
BATCH = 64


def features_of(classifier: keras.Model) -> keras.Model:
    """Return the network from faces (n, side, side, 3) RGB 0..1 to the features before its last layer; of an
    ensemble, to its members' unit features one after the other.
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
    """Load the network of a run; raise TrainingError where it is not whole, or another Keras wrote it."""
    run = load_run(folder)
    if not run.finished:
        raise TrainingError(f"The run in {folder} has not come to its end; go on with --resume.")
    try:
        return keras.models.load_model(folder / CLASSIFIER, compile=False)
    except Exception as error:  # a zip, a JSON or an HDF5 file that is broken, or a layer that changed
        now = versions()
        raise TrainingError(
            f"{folder / CLASSIFIER} cannot be loaded (made with Keras {run.versions.get('keras')}, here is "
            f"{now['keras']}); train again, or install the version that made it."
        ) from error


def predict(classifier: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return (n, names) shares that sum to 1 for faces (n, side, side, 3) uint8 RGB: the mean of what the
    network says of a face and of its mirror image.
    """
    rows = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH].astype(np.float32) / 255
        looks = (classifier.predict_on_batch(look) for look in (batch, batch[:, :, ::-1]))
        rows.append(np.mean([np.asarray(look, np.float64) for look in looks], axis=0))
    return np.concatenate(rows)
