"""From a trained Keras network to the two files that serve it: ONNX and a JSON beside it."""

from __future__ import annotations

import hashlib
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

from lookalike.training.networks import mirrored

CALIBRATION_FACES = (
    96  # twice as many moved the mean cosine to the teacher by 0.0001, and take 7 GB of memory
)
CALIBRATION_BATCH = 16
CALIBRATION_PERCENTILE = 99.999  # values beyond are cut off: 8 bits are then finer for all others
FIRST_IN_FLOAT = 2  # convolutions, of few weights, whose errors all later ones would pass on


def export_onnx(network: keras.Model, path: Path, sample: NDArray[np.uint8]) -> None:
    """Write `network`, made to look at the mirror image too, as ONNX with convolutions in 8 bits, and a JSON
    with its hash beside it.

    The ranges of the activations are those that `sample` shows, (n, h, w, 3) uint8 RGB; evenly spread
    CALIBRATION_FACES of it are looked at. The first convolutions and the last stay in float. Weights keep 7
    of their 8 bits: processors without VNNI add two products in 16 bits, which would overflow. A JSON that is
    there already keeps its other fields except the percentage, which belongs to the old weights.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "float.onnx"
        _write_float(mirrored(network), whole)
        quantize_static(
            whole,
            path,
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
    fields["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    settings.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def export_embedder(network: keras.Model, path: Path, about: dict[str, Any]) -> None:
    """Write `network`, made to look at the mirror image too, as ONNX in float32, and a JSON beside it with
    `about`, the sizes and the file's hash. Each appears when it is whole.
    """
    partial = path.with_name(f"partial-{path.name}")
    _write_float(mirrored(network), partial)
    height, width, _ = network.input_shape[1:]
    fields = {**about, "dim": int(network.output_shape[-1]), "input_size": [int(width), int(height)]}
    fields["sha256"] = hashlib.sha256(partial.read_bytes()).hexdigest()
    partial.replace(path)
    path.with_suffix(".json").write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def _write_float(network: keras.Model, path: Path) -> None:
    network(np.zeros((1, *network.input_shape[1:]), np.float32))  # Keras exports only what was called once
    network.export(path, format="onnx", verbose=False)


def _in_float(path: Path) -> list[str]:
    """Return the names of the nodes that are not worth 8 bits: the first convolutions, the last, and those
    that make the embedding from the last map.
    """
    nodes = list(onnx.load(path).graph.node)
    places = [place for place, node in enumerate(nodes) if node.op_type == "Conv"]
    first = [nodes[place].name for place in places[:FIRST_IN_FLOAT]]
    return [*first, *(node.name for node in nodes[places[-1] :])]


class _Faces(CalibrationDataReader):  # type: ignore[misc]
    """Batches of faces, as the quantization asks for them: one after the other, then None."""

    def __init__(self, faces: NDArray[np.uint8]) -> None:
        self._batches = self._cut(faces)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._batches, None)

    @staticmethod
    def _cut(faces: NDArray[np.uint8]) -> Iterator[dict[str, NDArray[np.float32]]]:
        size = min(CALIBRATION_BATCH, len(faces))
        for start in range(0, len(faces) - size + 1, size):  # whole batches: the histograms want one shape
            batch = faces[start : start + size]
            yield {"face": batch.astype(np.float32) / np.float32(255)}
