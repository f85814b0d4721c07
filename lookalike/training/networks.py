"""The networks that this project trains, as Keras models."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers, ops

INPUT_SIZE = 112  # ArcFace's five-point template
EMBEDDING_DIM = 128  # the teacher's; 512 bytes a name in float32


@dataclass(frozen=True)
class CompactWidths:
    """Channels of `compact`, stage by stage; every stage halves the resolution.

    The convolutions are plain and strided: with a million parameters, training on two cores took 121 images a
    second, against 41 with depthwise convolutions.
    """

    stem: int = 32  # 112 -> 56
    early: tuple[int, int, int] = (64, 48, 5)  # 56 -> 28: channels, bottleneck, blocks
    middle: tuple[int, int, int] = (144, 72, 12)  # 28 -> 14
    late: tuple[int, int, int] = (320, 128, 8)  # 14 -> 7


def compact(widths: CompactWidths, dim: int = EMBEDDING_DIM) -> keras.Model:
    """Return the network (n, 112, 112, 3) float RGB 0..1 -> (n, dim) float32, not yet of unit length.

    Residual bottlenecks follow He et al. 2016 (https://arxiv.org/abs/1512.03385); the last 7x7 map is
    weighted cell by cell (global depthwise convolution) as in MobileFaceNets, Chen et al. 2018
    (https://arxiv.org/abs/1804.07573).
    """
    image = keras.Input((INPUT_SIZE, INPUT_SIZE, 3), name="face")
    x = layers.Rescaling(2.0, offset=-1.0, name="centre")(image)
    x = _conv(x, widths.stem, kernel=3, stride=2)
    for channels, bottleneck, blocks in (widths.early, widths.middle, widths.late):
        x = _conv(x, channels, kernel=3, stride=2)
        for _ in range(blocks):
            x = _bottleneck(x, bottleneck)
    # (n, 7, 7, c) -> (n, 1, 1, c)
    x = layers.DepthwiseConv2D(x.shape[1], use_bias=False, name="weigh_cells")(x)
    x = layers.BatchNormalization()(layers.Flatten()(x))
    x = layers.Dense(dim, use_bias=False, name="project")(x)
    x = layers.BatchNormalization(dtype="float32", name="embedding")(x)
    return keras.Model(image, x, name="compact")


def mirrored(network: keras.Model) -> keras.Model:
    """Return the network that sums the unit embeddings of each face and of its mirror image. Their errors
    differ, so the sum is better than either embedding.
    """
    image = keras.Input(network.input_shape[1:], name="face")
    both = network(ops.concatenate([image, ops.flip(image, axis=2)], axis=0))  # (2n, h, w, 3) -> (2n, d)
    face, mirror = ops.split(ops.normalize(both, axis=-1), 2, axis=0)
    return keras.Model(image, ops.add(face, mirror), name=f"mirrored_{network.name}")


def _conv(x: keras.KerasTensor, channels: int, *, kernel: int, stride: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(channels, kernel, stride, "same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def _bottleneck(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    y = _conv(x, channels, kernel=1)
    y = _conv(y, channels, kernel=3)
    y = layers.Conv2D(x.shape[-1], 1, use_bias=False)(y)
    y = layers.BatchNormalization(gamma_initializer="zeros")(y)  # every block starts as the identity
    return layers.ReLU()(layers.Add()([x, y]))
