"""Load an exported ONNX network back into a Keras network, to continue training.

The export folds batch normalization into the convolutions; loading measures its statistics again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from google.protobuf.message import DecodeError
from keras import layers
from numpy.typing import NDArray
from onnx import numpy_helper

from lookalike.errors import MissingFileError, WeightsError
from lookalike.training.networks import CompactWidths

Floats = NDArray[np.float32]
BATCH = 64
FILTER_NORM = 2**0.5  # as after He initialization; the norm of the weights sets how fast Adam changes them


def load_exported(network: keras.Model, path: Path, images: NDArray[np.uint8]) -> None:
    """Load the weights of `path` into `network`. `export_onnx` wrote the file from a network of the same
    shape or with fewer blocks; blocks that the file lacks stay as initialized, which is the identity.

    An export folds each batch normalization into the layer before it. Here each gets its mean and variance
    back, measured on `images` ((n, h, w, 3) uint8 RGB, a few hundred), so that training continues where it
    stopped. Raises MissingFileError, and WeightsError when the shapes differ in another way.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no network at {path} to start from.")
    kinds = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
    linear = [layer for layer in network.layers if isinstance(layer, kinds)]
    norms = [layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)]
    stored = _stored_layers(onnx.load(path))
    for layer, norm in zip(linear, norms, strict=True):
        if not stored or stored[0][0].shape != tuple(layer.kernel.shape):
            continue  # the file lacks this block
        kernel, bias = stored.pop(0)
        axes = tuple(range(kernel.ndim - 1)) if not _is_depthwise(layer) else (0, 1, 3)
        length = np.sqrt((kernel**2).sum(axis=axes, keepdims=True)) / FILTER_NORM + 1e-12
        layer.set_weights([kernel / length])
        scale = length.ravel()
        norm.set_weights([scale, bias, np.zeros_like(bias), np.full_like(bias, 1 - norm.epsilon)])
    if stored:
        raise WeightsError(
            f"{path} is a network of another shape; use the same widths, or train from random weights."
        )
    _measure(network, norms, images)


def widths_of(path: Path) -> tuple[CompactWidths, int]:
    """Return the widths and the embedding's dimension of a `compact` network that `export_onnx` wrote.

    Raises MissingFileError when there is no file, WeightsError when it holds another network.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no network at {path} to start from.")
    try:
        kernels = [kernel.shape for kernel, _ in _stored_layers(onnx.load(path))]
        stages: list[tuple[int, int, int]] = []
        inner = iter(kernels[1:-2])  # between the stem and the last two layers
        for height, _, _, channels in inner:
            if height == 3:  # a new stage, at half the resolution
                stages.append((channels, 0, 0))
            else:  # a block: 1x1, 3x3, 1x1
                next(inner), next(inner)
                stages[-1] = (stages[-1][0], channels, stages[-1][2] + 1)
        early, middle, late = stages
        return CompactWidths(kernels[0][3], early, middle, late), kernels[-1][1]
    except (DecodeError, ValueError, IndexError, StopIteration) as error:
        raise WeightsError(
            f"{path} is not an exported `compact` network; choose a file that training exported."
        ) from error


def _measure(network: keras.Model, norms: list[layers.Layer], images: NDArray[np.uint8]) -> None:
    """Set each normalization's mean and variance to those of its input, and keep its output the same."""
    inside = keras.Model(network.input, [norm.input for norm in norms])
    sums = [np.zeros((2, norm.gamma.shape[0])) for norm in norms]
    cells = np.zeros(len(norms))
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH].astype(np.float32) / 255
        for place, output in enumerate(inside.predict_on_batch(batch)):
            values = np.asarray(output, np.float64).reshape(-1, output.shape[-1])
            sums[place] += values.sum(axis=0), (values**2).sum(axis=0)
            cells[place] += len(values)
    for norm, total, count in zip(norms, sums, cells, strict=True):
        mean, square = total / count
        variance = np.maximum(square - mean**2, 0)
        scale, bias = (np.asarray(weight) for weight in (norm.gamma, norm.beta))
        norm.set_weights([scale * np.sqrt(variance + norm.epsilon), bias + scale * mean, mean, variance])


def _is_depthwise(layer: layers.Layer) -> bool:
    return isinstance(layer, layers.DepthwiseConv2D)


def _stored_layers(model: onnx.ModelProto) -> list[tuple[Floats, Floats]]:
    """Return kernel (axes in Keras's order) and bias of every convolution and matrix product, in order."""
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in weights:  # stored as float16, as version 0 was
            weights[node.output[0]] = weights[node.input[0]].astype(np.float32)
        elif node.op_type == "DequantizeLinear" and node.input[0] in weights:
            weights[node.output[0]] = _dequantized(node, weights)
    found: list[tuple[Floats, Floats]] = []
    for node in model.graph.node:
        constants = [weights[name] for name in node.input if name in weights]
        if node.op_type == "Conv":
            kernel = constants[0].transpose(2, 3, 1, 0)  # (out, in, h, w) -> (h, w, in, out)
            if any(field.name == "group" and field.i > 1 for field in node.attribute):
                kernel = kernel.transpose(0, 1, 3, 2)  # (h, w, 1, channels) -> (h, w, channels, 1)
            found.append(
                (kernel, constants[1] if len(constants) > 1 else np.zeros(len(constants[0]), np.float32))
            )
        elif node.op_type == "MatMul":
            found.append((constants[0], np.zeros(constants[0].shape[1], np.float32)))
        elif node.op_type in ("Mul", "Add") and found and constants:  # a normalization that was not folded
            kernel, bias = found[-1]
            if node.op_type == "Add":
                found[-1] = kernel, bias + constants[0]
            else:
                by_filter = constants[0][:, None] if kernel.ndim == 4 else constants[0]  # depthwise or dense
                found[-1] = kernel * by_filter, bias * constants[0]
    return found


def _dequantized(node: onnx.NodeProto, weights: dict[str, NDArray[Any]]) -> Floats:
    """Return the float values of an 8-bit (or, for biases, 32-bit) tensor."""
    stored, scale, zero = (weights[name] for name in node.input)
    axis = next((field.i for field in node.attribute if field.name == "axis"), 1)
    if scale.ndim:  # one scale a channel
        shape = [-1 if place == axis else 1 for place in range(stored.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return np.asarray((stored.astype(np.float32) - zero) * scale, np.float32)
