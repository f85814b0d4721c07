"""Augmentation layers of the classifiers, and a figure that shows their effect."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lookalike.training.classify.settings import Augmentation

SHOWN_FACES, SHOWN_VIEWS = 4, 7


def augmenting(strengths: Augmentation, seed: int) -> list[layers.Layer]:
    """Return the layers that randomly change faces, (n, h, w, 3) float RGB 0..1, in training only. They
    work in float32 whatever the precision of the network.
    """

    def how(number: int) -> dict[str, object]:  # with one seed for all, rotation and shift would correlate
        return {"seed": seed + number, "dtype": "float32"}

    reflect = {"fill_mode": "reflect"}
    made: list[layers.Layer] = []
    if strengths.flip:
        made.append(layers.RandomFlip("horizontal", **how(1)))
    if strengths.rotation:
        made.append(layers.RandomRotation(strengths.rotation / 360, **reflect, **how(2)))
    if strengths.shift:
        made.append(layers.RandomTranslation(strengths.shift, strengths.shift, **reflect, **how(3)))
    if strengths.shear:
        factor = math.tan(math.radians(strengths.shear))
        made.append(layers.RandomShear(factor, factor, **reflect, **how(4)))
    if strengths.zoom:
        made.append(layers.RandomZoom((-strengths.zoom, strengths.zoom), **reflect, **how(5)))
    if strengths.brightness:
        made.append(layers.RandomBrightness(strengths.brightness, value_range=(0, 1), **how(6)))
    return made


def draw_augmentation(
    strengths: Augmentation, faces: NDArray[np.uint8], size: int, *, seed: int = 0
) -> Figure:
    """Return a figure of some faces at the network's input size, each followed by augmented views."""
    steps = [layers.Resizing(size, size), *augmenting(strengths, seed)]
    few = faces[:: max(1, len(faces) // SHOWN_FACES)][:SHOWN_FACES].astype(np.float32) / 255
    plain = np.asarray(steps[0](few))
    columns = [plain]
    for _ in range(SHOWN_VIEWS):
        views = plain
        for step in steps[1:]:
            views = step(views, training=True)
        columns.append(np.asarray(views))
    figure = Figure(figsize=(1.3 * len(columns), 1.3 * len(few) + 0.4), layout="constrained")
    for row, panels in enumerate(figure.subplots(len(few), len(columns), squeeze=False)):
        for place, axes in enumerate(panels):
            axes.imshow(np.clip(columns[place][row], 0, 1))
            axes.set_axis_off()
            if row == 0:
                axes.set_title("original" if place == 0 else f"view {place}", fontsize=9)
    return figure


def with_augmentation(core: keras.Model, strengths: Augmentation, side: int, seed: int) -> keras.Model:
    """Return `core` after resizing and augmentation; its input is faces (n, side, side, 3) RGB 0..1."""
    face = keras.Input((side, side, 3), name="face")
    x = resized(face, core)
    for layer in augmenting(strengths, seed):
        x = layer(x)
    return keras.Model(face, core(x))


def resized(face: keras.KerasTensor, core: keras.Model) -> keras.KerasTensor:
    """Resize stored faces to the input size of `core`."""
    size = core.input_shape[1]
    return face if face.shape[1] == size else layers.Resizing(size, size, dtype="float32")(face)
