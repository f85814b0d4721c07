"""Sessions of onnxruntime, all with the same options."""

from __future__ import annotations

import onnxruntime


def open_session(model: bytes, *, threads: int) -> onnxruntime.InferenceSession:
    """Load a serialized ONNX model on the CPU. Idle threads sleep instead of spinning, since cores are
    shared.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
