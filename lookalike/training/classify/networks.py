"""The classifiers' networks. Each is a `core`, (n, size, size, 3) float RGB 0..1 -> (n, names) probabilities,
with a layer called "features" before the last one: the embedding that the app can use.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers, regularizers
from numpy.typing import NDArray

from lookalike.files import BUNDLED
from lookalike.training.classify.settings import ClassifySettings
from lookalike.training.networks import compact
from lookalike.training.warm_start import load_exported, widths_of

FEATURES = 256  # dimension of the features of networks without an embedding of their own
SCALE = 16.0  # of compact's unit features before the softmax; cosines alone cannot give high probabilities
STATISTICS = 600  # faces on which the batch statistics of an exported network are measured again
MOMENTUM = 0.9  # of the batch statistics, so that they converge within a hundred steps
RANDOM = "random weights"  # `Built.base` begins with this for a network that starts at random
FETCH_SECONDS = 20.0  # time limit of a download without an answer

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Built:
    """A core and the pretrained layer in it, None when all weights start at random; `base` says in words
    where that layer's weights come from.
    """

    core: keras.Model
    pretrained: keras.Model | None
    base: str


def build(
    settings: ClassifySettings,
    names: int,
    faces: Images,
    *,
    fetch: Callable[..., keras.Model] | None = None,
    like: Built | None = None,
) -> Built:
    """Return the network of these settings for that many names, with its initial weights.

    `faces`, (n, side, side, 3) uint8 RGB of the training part, set the standardization and the batch
    statistics of an exported base. `fetch` makes a network of Keras Applications; when it cannot download the
    weights, the network starts at random and a message says so. A network that is built `like` another loads
    no weights.
    """
    image = keras.Input((settings.size, settings.size, 3), name="face")
    if settings.network == "scratch":
        x = _stages(_standardize(image, settings, faces), settings)
        return Built(_finish(image, x, settings, names), None, RANDOM)
    if settings.network == "compact":
        base, pretrained, origin = _compact_base(settings, faces, like)
        features = base(image, training=False if pretrained else None)
        unit = layers.UnitNormalization(name="features")(features)
        x = layers.Dropout(settings.dropout)(layers.Rescaling(SCALE)(unit))
        core = keras.Model(image, _softmax(x, settings, names), name="core")
    else:
        base, pretrained, origin = _application_base(settings, fetch or APPLICATIONS[settings.network], like)
        x = layers.Rescaling(2.0, offset=-1.0)(image)  # both were pretrained on -1..1
        core = _finish(image, base(x, training=False if pretrained else None), settings, names)
    return Built(core, base if pretrained else None, origin)


def _standardize(image: keras.KerasTensor, settings: ClassifySettings, faces: Images) -> keras.KerasTensor:
    """Scale each colour channel to mean 0 and standard deviation 1 over the training faces."""
    if not settings.standardize:
        return image
    few = faces[:: max(1, len(faces) // STATISTICS)].reshape(-1, 3) / 255  # (n, h, w, 3) -> (pixels, 3)
    mean, deviation = few.mean(axis=0), np.maximum(few.std(axis=0), 1e-3)
    return layers.Rescaling((1 / deviation).tolist(), offset=(-mean / deviation).tolist())(image)


def _stages(x: keras.KerasTensor, settings: ClassifySettings) -> keras.KerasTensor:
    """Alternate convolution and pooling down to 4 to 7 cells a side, as in LeNet and VGG."""
    channels = 16
    for _ in range(int(math.log2(settings.size)) - 2):
        x = layers.Conv2D(
            channels, 3, padding="same", use_bias=False, kernel_regularizer=_regularizer(settings)
        )(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(x))
        x = layers.MaxPooling2D()(x)
        channels = min(2 * channels, 256)
    return layers.Dropout(settings.dropout / 2)(layers.Flatten()(x))


def _finish(
    image: keras.KerasTensor, x: keras.KerasTensor, settings: ClassifySettings, names: int
) -> keras.Model:
    x = layers.Dense(FEATURES, use_bias=False, kernel_regularizer=_regularizer(settings))(x)
    # without the normalization, three quarters of the features are always 0 after 40 steps
    x = layers.ReLU(name="features")(layers.BatchNormalization(momentum=MOMENTUM)(x))
    return keras.Model(image, _softmax(layers.Dropout(settings.dropout)(x), settings, names), name="core")


def _softmax(x: keras.KerasTensor, settings: ClassifySettings, names: int) -> keras.KerasTensor:
    return layers.Dense(
        names, "softmax", kernel_regularizer=_regularizer(settings), dtype="float32", name="probabilities"
    )(x)


def _regularizer(settings: ClassifySettings) -> regularizers.Regularizer | None:
    if not (settings.l1 or settings.l2):
        return None
    return regularizers.L1L2(l1=settings.l1, l2=settings.l2)


def _compact_base(
    settings: ClassifySettings, faces: Images, like: Built | None
) -> tuple[keras.Model, bool, str]:
    """Return `compact` in the shape of the file it starts from, whether its weights are pretrained, and where
    they come from in words.
    """
    random = settings.start == "none"
    path = BUNDLED / "compact.onnx" if settings.start in ("none", "bundled") else Path(settings.start)
    base = compact(*widths_of(path))
    if random or like:
        return base, not random, RANDOM
    load_exported(base, path, faces[:: max(1, len(faces) // STATISTICS)])
    return base, True, path.name


def _application_base(
    settings: ClassifySettings, make: Callable[..., keras.Model], like: Built | None
) -> tuple[keras.Model, bool, str]:
    """Return a network of Keras Applications, whether it is pretrained, and where its weights come from."""
    how = {"include_top": False, "pooling": "avg", "input_shape": (settings.size, settings.size, 3)}
    if like:
        network = make(weights=None, **how)
        return (
            network if like.pretrained else _lower_momentum(network),
            like.pretrained is not None,
            like.base,
        )
    if settings.start == "none":
        return _lower_momentum(make(weights=None, **how)), False, f"{RANDOM}, as requested"
    try:
        with _download_timeout():
            return make(weights=settings.start, **how), True, settings.start
    except Exception as error:  # Keras raises a bare Exception where a download fails
        reason = str(error).splitlines()[0][:200]
        origin = f"{RANDOM}: '{settings.start}' could not be downloaded ({reason})"
        print(f"{settings.network} starts from {origin}. It trains from scratch, with worse results.")
    return _lower_momentum(make(weights=None, **how)), False, origin


def _lower_momentum(network: keras.Model) -> keras.Model:
    """Let the batch statistics of a randomly initialized network converge in a short run too. With the
    momentum of 0.999 that MobileNetV2 has in Keras, it predicted one name for all photos after 400 steps.
    """
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
    return network


@contextmanager
def _download_timeout() -> Iterator[None]:
    """Give up on a server that does not answer; Keras would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(FETCH_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _mobilenet(**how: object) -> keras.Model:
    return keras.applications.MobileNetV2(**how)


def _inception(**how: object) -> keras.Model:
    return keras.applications.InceptionV3(**how)


APPLICATIONS: dict[str, Callable[..., keras.Model]] = {"mobilenet": _mobilenet, "inception": _inception}
