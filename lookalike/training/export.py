"""Export a trained Keras network to the two files that the app loads: ONNX and a JSON beside it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from lookalike.files import atomic_write, sha256_of, write_text
from lookalike.training.networks import mirrored

CALIBRATION_FACES = 96  # twice as many changed the mean cosine to the teacher by 0.0001 and take 7 GB
CALIBRATION_BATCH = 16
CALIBRATION_PERCENTILE = 99.999  # clips outliers, so that 8 bits resolve all other values better
FIRST_IN_FLOAT = 2  # convolutions; they have few weights, and all later layers would inherit their errors


def export_onnx(network: keras.Model, path: Path, sample: NDArray[np.uint8]) -> None:
    """Write `network`, averaged over the face and its mirror image, as ONNX with 8-bit convolutions, and a
    JSON with its hash beside it. Each file is replaced whole.

    `sample`, (n, h, w, 3) uint8 RGB, sets the ranges of the activations; CALIBRATION_FACES of it are used.
    The first convolutions and the last stay in float. Weights use 7 of their 8 bits: CPUs without VNNI add
    two products in 16 bits, which would overflow. An existing JSON keeps its other fields except the
    percentage, which belongs to the old weights.
    """
    with tempfile.TemporaryDirectory() as folder, atomic_write(path) as partial:
        whole = Path(folder) / "float.onnx"
        _write_float(mirrored(network), whole)
        quantize_static(
            whole,
            partial,
            _Faces(sample[:: max(1, len(sample) // CALIBRATION_FACES)][:CALIBRATION_FACES]),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=_in_float(whole),
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": CALIBRATION_PERCENTILE},
        )
    settings = path.with_suffix(".json")
    fields: dict[str, Any] = json.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    fields.pop("percentage", None)
    _write_settings(path, fields)


def export_embedder(network: keras.Model, path: Path, about: dict[str, Any]) -> None:
    """Write `network`, averaged over the face and its mirror image, as ONNX in float32, and a JSON beside it
    with the fields of `about`, the sizes and the file's hash. Each file is replaced whole.
    """
    with atomic_write(path) as partial:
        _write_float(mirrored(network), partial)
    height, width, _ = network.input_shape[1:]
    _write_settings(
        path, {**about, "dim": int(network.output_shape[-1]), "input_size": [int(width), int(height)]}
    )


def _write_settings(path: Path, fields: dict[str, Any]) -> None:
    fields = {**fields, "sha256": sha256_of(path)}
    write_text(path.with_suffix(".json"), json.dumps(fields, indent=2) + "\n")


def _write_float(network: keras.Model, path: Path) -> None:
    network(np.zeros((1, *network.input_shape[1:]), np.float32))  # Keras exports only a model that was called
    network.export(path, format="onnx", verbose=False)


def _in_float(path: Path) -> list[str]:
    """Return the names of the nodes that stay in float: the first convolutions, and everything from the last
    convolution on.
    """
    nodes = list(onnx.load(path).graph.node)
    places = [place for place, node in enumerate(nodes) if node.op_type == "Conv"]
    first = [nodes[place].name for place in places[:FIRST_IN_FLOAT]]
    return [*first, *(node.name for node in nodes[places[-1] :])]


class _Faces(CalibrationDataReader):  # type: ignore[misc]
    """Batches of faces for the calibration: one after the other, then None."""

    def __init__(self, faces: NDArray[np.uint8]) -> None:
        self._batches = self._cut(faces)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._batches, None)

    @staticmethod
    def _cut(faces: NDArray[np.uint8]) -> Iterator[dict[str, NDArray[np.float32]]]:
        size = min(CALIBRATION_BATCH, len(faces))
        for start in range(
            0, len(faces) - size + 1, size
        ):  # full batches only: the histograms need one shape
            batch = faces[start : start + size]
            yield {"face": batch.astype(np.float32) / np.float32(255)}
