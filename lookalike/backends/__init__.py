"""Runtimes for networks: onnxruntime sessions, and DeepFace with its weight files."""

from lookalike.backends.deepface import import_deepface
from lookalike.backends.onnx import open_session

__all__ = ["import_deepface", "open_session"]
