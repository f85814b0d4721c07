"""From a trained Keras network to the two files that serve it: ONNX and a JSON beside it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lookalike.training.networks import mirrored

SMALL = 1024  # numbers; a shorter tensor stays float32, it saves next to nothing


def export_onnx(network: keras.Model, path: Path) -> None:
    """Write `network`, made to look at the mirror image too, as ONNX, weights stored as float16 and computed
    with as float32, and a JSON with its hash beside it.

    Half the file at no cost in accuracy or time: onnxruntime widens the weights once, when it loads them. A
    JSON that is there already keeps its other fields except the percentage, which belongs to the old
    weights.
    """
    graph = _to_onnx(mirrored(network))
    _halve_weights(graph)
    path.write_bytes(graph.SerializeToString(deterministic=True))
    settings = path.with_suffix(".json")
    fields: dict[str, Any] = json.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    fields.pop("percentage", None)
    fields["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    settings.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def _to_onnx(network: keras.Model) -> onnx.ModelProto:
    network(np.zeros((1, *network.input_shape[1:]), np.float32))  # Keras exports only what was called once
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        network.export(file, format="onnx", verbose=False)
        return onnx.load(file)


def _halve_weights(model: onnx.ModelProto) -> None:
    graph = model.graph
    casts = []
    for weights in graph.initializer:
        if weights.data_type != TensorProto.FLOAT or int(np.prod(weights.dims)) < SMALL:
            continue
        name = weights.name
        half = numpy_helper.from_array(numpy_helper.to_array(weights).astype(np.float16), f"{name}/half")
        weights.CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
