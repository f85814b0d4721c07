"""MTCNN's three networks as ONNX graphs, built in memory from the weights inside the `mtcnn` wheel.

P-, R- and O-Net are those of Zhang et al. 2016 (https://arxiv.org/abs/1604.02878). The wheel's own code needs
TensorFlow. Its weights are plain arrays, which onnxruntime runs in milliseconds after three changes:

- The scaling of pixels, (v - 127.5) / 128, is folded into the first convolution, so a graph takes raw bytes.
- A PReLU becomes a ReLU and two depthwise 1x1 convolutions, on channels padded to blocks of 16. This keeps
  onnxruntime in its fast blocked layout; its own PRelu operator does not and takes twice as long.
- The dense layers become convolutions as large as their input, and all output heads one convolution.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import WeightsError

Array = NDArray[np.float32]
Weights = Sequence[Array]
Layer = tuple[
    Array, Array, Array
]  # kernel (outputs, inputs, rows, columns), bias (outputs,), PReLU slope (outputs,)

NETWORKS = ("pnet", "rnet", "onet")
WINDOWS = {"pnet": 12, "rnet": 24, "onet": 48}  # side in pixels of the input for one prediction

# The files of mtcnn 1.0.0. They are pickles, which can run code when loaded, so no other file is loaded.
_SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
_HOW_TO_FIX = "install it with `pip install mtcnn==1.0.0`."

# The max pooling after each layer: its side, and whether a last, partial window counts (TensorFlow's "same").
_POOLS: dict[str, tuple[tuple[int, bool] | None, ...]] = {
    "pnet": ((2, True), None, None),
    "rnet": ((3, True), (3, False), None, None),
    "onet": ((3, True), (3, False), (2, True), None, None),
}
_BLOCK = 16  # channels in onnxruntime's blocked layout with AVX-512; a multiple of AVX2's 8


def build_graph(network: str) -> bytes:
    """Return one of NETWORKS as a serialized ONNX model; raise WeightsError if there are no weights.

    The input `patches` is (n, h, w, 3) uint8 RGB, the output `found` (n, channels, rows, columns) float32.
    The channels are the logit of being a face and the offsets of the box's left, top, right and bottom edges
    from those of the patch; in O-Net also five x, then five y of the landmarks from the upper left corner.
    Offsets are shares of the patch's side. Rows and columns are 1, except for P-Net, which slides over
    pictures of at least 12x12 pixels with a stride of 2.
    """
    stages, (heads, bias) = _layers(network, read_weights(network))
    graph = _Builder()
    name = graph.add("Transpose", [graph.add("Cast", ["patches"], to=1)], perm=[0, 3, 1, 2])  # 1 is float32
    channels = 3
    for stage, pool in zip(stages, _POOLS[network], strict=True):
        kernel, offsets, slope = _padded(stage, channels)
        name = graph.prelu(graph.convolution(name, kernel, offsets), slope)
        if pool:
            side, partial = pool
            name = graph.add(
                "MaxPool", [name], kernel_shape=[side] * 2, strides=[2, 2], ceil_mode=int(partial)
            )
        channels = len(offsets)
    heads = np.pad(heads, ((0, 0), (0, channels - heads.shape[1]), (0, 0), (0, 0)))
    graph.convolution(name, heads, bias, output="found")
    return graph.serialize()


def read_weights(network: str) -> Weights:
    """Return the layers' float32 arrays in order; raise WeightsError for any file but mtcnn 1.0.0's.

    They are rounded to float16: the page in the browser loads half the bytes and finds the same faces. It
    moves landmarks by 0.07 pixels in the median.
    """
    import joblib

    spec = importlib.util.find_spec("mtcnn")  # importing the package would import TensorFlow
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(f"The face detector's weights come with the package mtcnn 1.0.0; {_HOW_TO_FIX}")
    path = Path(spec.submodule_search_locations[0], "assets", "weights", f"{network}.lz4")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"The face detector's weights {path} cannot be read; {_HOW_TO_FIX}") from error
    if hashlib.sha256(content).hexdigest() != _SHA256[network]:
        raise WeightsError(f"The face detector's weights {path} are not those of mtcnn 1.0.0; {_HOW_TO_FIX}")
    return [np.asarray(layer, np.float16).astype(np.float32) for layer in joblib.load(io.BytesIO(content))]


class _Builder:
    """An ONNX graph under construction. Each method appends nodes and returns the name of their output."""

    def __init__(self) -> None:
        self._nodes: list[object] = []
        self._constants: list[object] = []

    def add(
        self, operator: str, inputs: Sequence[str], *, output: str = "", **attributes: int | list[int]
    ) -> str:
        """Append one operator with its ONNX attributes."""
        from onnx import helper

        output = output or f"step{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def convolution(self, name: str, kernel: Array, bias: Array, *, groups: int = 1, output: str = "") -> str:
        """Append a convolution of (outputs, inputs / groups, rows, columns) without padding."""
        inputs = [name, self._constant(kernel), self._constant(bias)]
        return self.add("Conv", inputs, output=output, kernel_shape=list(kernel.shape[2:]), group=groups)

    def prelu(self, name: str, slope: Array) -> str:
        """Append slope * x + (1 - slope) * max(x, 0), with one slope per channel."""
        return self.add("Add", [self._scale(name, slope), self._scale(self.add("Relu", [name]), 1 - slope)])

    def serialize(self) -> bytes:
        """Return the model with the input `patches` and the output `found`."""
        from onnx import TensorProto, helper

        patches = helper.make_tensor_value_info("patches", TensorProto.UINT8, ["n", "h", "w", 3])
        found = helper.make_tensor_value_info(
            "found", TensorProto.FLOAT, ["n", "channels", "rows", "columns"]
        )
        graph = helper.make_graph(self._nodes, "mtcnn", [patches], [found], self._constants)
        # operator set 13 and file format 8 run on every onnxruntime in use
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        return bytes(model.SerializeToString())

    def _scale(self, name: str, factors: Array) -> str:
        return self.convolution(
            name, factors[:, None, None, None], np.zeros_like(factors), groups=len(factors)
        )

    def _constant(self, values: Array) -> str:
        from onnx import numpy_helper

        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name


def _padded(layer: Layer, inputs: int) -> Layer:
    """Add zero channels: input channels up to `inputs`, output channels up to whole blocks."""
    kernel, bias, slope = layer
    more = -len(bias) % _BLOCK
    widths = ((0, more), (0, inputs - kernel.shape[1]), (0, 0), (0, 0))
    return np.pad(kernel, widths), np.pad(bias, (0, more)), np.pad(slope, (0, more))


def _layers(network: str, weights: Weights) -> tuple[list[Layer], tuple[Array, Array]]:
    """Return the network's convolutions with their PReLU slopes, and its heads as one kernel and bias.

    Kernels are (outputs, inputs, rows, columns). The input is raw pixels, the first output the logit.
    """
    count = len(_POOLS[network])
    stages = [_stage(*weights[3 * i : 3 * i + 3]) for i in range(count)]
    kernel, bias, slope = stages[0]
    stages[0] = (kernel / np.float32(128), bias - kernel.sum(axis=(1, 2, 3)) * np.float32(127.5 / 128), slope)
    rest = weights[3 * count :]
    heads = [
        np.c_[kernel.reshape(-1, len(bias)).T, bias]
        for kernel, bias in zip(rest[::2], rest[1::2], strict=True)
    ]
    faces = heads.pop()  # (2, inputs + 1): a softmax of two is a sigmoid of their difference
    rows = np.concatenate([faces[1:] - faces[:1], *heads])
    return stages, (rows[:, :-1, None, None], rows[:, -1])


def _stage(kernel: Array, bias: Array, slope: Array) -> Layer:
    """Return a layer in the axis order of ONNX.

    TensorFlow stores a convolution as (rows, columns, inputs, outputs), a dense layer as
    (columns*rows*inputs, outputs).
    """
    if kernel.ndim == 2:
        # flattened columns first; the input of the dense layers of R- and O-Net is 3x3
        kernel = kernel.reshape(3, 3, -1, len(bias)).transpose(1, 0, 2, 3)
    return kernel.transpose(3, 2, 0, 1), bias, slope.ravel()
