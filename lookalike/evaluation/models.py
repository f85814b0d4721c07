"""Models to evaluate: a registered one by its name, or a network in an ONNX file; and their costs."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from lookalike.backends.onnx import open_session
from lookalike.errors import MissingFileError, WeightsError
from lookalike.evaluation.memory import resident_memory
from lookalike.faces.alignment import align
from lookalike.faces.face import RGB, Face
from lookalike.files import BUNDLED
from lookalike.models.calibration import Calibration
from lookalike.models.embedder import Embedder, Embeddings, Model, unit_rows
from lookalike.models.onnx_embedder import OnnxEmbedder
from lookalike.models.registry import load_embedder

MEAN = np.array(
    [0.485, 0.456, 0.406], np.float32
)  # of ImageNet in RGB, as the public ONNX files of face embedders expect
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
ROUNDS, CALLS = 5, 20  # the fastest round counts; others may have been slowed by other processes


def open_model(spec: str) -> Embedder:
    """Return the registered model `spec`, the model of the training run in the folder `spec`, or the network
    in the ONNX file `spec`.

    With a JSON beside it, an ONNX file is a network of our own, otherwise a PublicEmbedder. Raises
    MissingFileError, UnknownModelError or WeightsError.
    """
    path = Path(spec)
    if path.suffix != ".onnx":
        return load_embedder(spec)
    if not path.is_file():
        raise MissingFileError(f"There is no network at {path}; give an ONNX file or the name of a model.")
    if not path.with_suffix(".json").exists():
        return PublicEmbedder(path)
    output = onnx.load(path).graph.output[0]
    dim = output.type.tensor_type.shape.dim[-1].dim_value
    return OnnxEmbedder(path, Model(path.stem, dim, (112, 112), "template", "", "unknown"))


def short_names(specs: Sequence[str]) -> list[str]:
    """Return a name for each model in tables and file names: its own name, or that of its file without folder
    and suffix. If two names would be the same, it is the whole path with dashes.
    """
    stems = [Path(spec).stem for spec in specs]
    return [
        stem if stems.count(stem) == 1 or stem == spec else spec.strip("/").replace("/", "-")
        for spec, stem in zip(specs, stems, strict=True)
    ]


class PublicEmbedder:
    """A face embedder from a public ONNX collection.

    Its input is (n, 3, 112, 112) float32 RGB, aligned to ArcFace's template and standardized with ImageNet's
    mean and deviation. Its output is (n, dim). Raises WeightsError if the file has another input.
    """

    engine = "onnxruntime"
    calibration: Calibration | None = None

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        weights = path.read_bytes()
        self.weights_hash = hashlib.sha256(weights).hexdigest()
        self._session = open_session(weights, threads=threads)
        inputs = self._session.get_inputs()[0]
        if list(inputs.shape[1:]) != [3, 112, 112]:
            raise WeightsError(
                f"The input of {path} is {inputs.shape}; that of a face embedder must be (n, 3, 112, 112)."
            )
        self._input = inputs.name
        self._one_by_one = inputs.shape[0] == 1  # exported with a batch size of 1; no slower on a CPU
        dim = int(self._session.get_outputs()[0].shape[-1])
        self.model = Model(path.stem, dim, (112, 112), "template", "", "unknown")

    def embed(self, image: RGB, faces: Sequence[Face]) -> Embeddings:
        """Return (len(faces), dim) float32 rows of unit length."""
        return self.embed_crops([align(image, face) for face in faces])

    def embed_crops(self, crops: Sequence[RGB]) -> Embeddings:
        """Return (len(crops), dim) float32 rows of unit length."""
        if not crops:
            return np.empty((0, self.model.dim), np.float32)
        scaled = (np.stack(crops).astype(np.float32) / 255 - MEAN) / DEVIATION
        batch = np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))  # (n, h, w, c) -> (n, c, h, w)
        parts = np.split(batch, len(batch)) if self._one_by_one else [batch]
        return unit_rows(np.concatenate([self._session.run(None, {self._input: part})[0] for part in parts]))


@dataclass(frozen=True)
class Cost:
    """The cost of a model: the size of its file in MB (None if it is not one file), milliseconds per face for
    single faces, and the MB of memory for loading it and embedding one face.
    """

    megabytes: float | None
    milliseconds: float
    memory: float


def cost(spec: str) -> Cost:
    """Measure a model in a new process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        milliseconds, grown = pool.apply(_measure, (spec,))
    path = Path(spec) if spec.endswith(".onnx") else BUNDLED / f"{spec}.onnx"
    return Cost(path.stat().st_size / 1e6 if path.exists() else None, milliseconds, grown)


def _measure(spec: str) -> tuple[float, float]:
    before = resident_memory()
    embedder = open_model(spec)
    width, height = embedder.model.input_size
    crop: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    embedder.embed_crops([crop])
    grown = resident_memory() - before
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(CALLS):
            embedder.embed_crops([crop])
        rounds.append((time.perf_counter() - started) / CALLS * 1000)
    return min(rounds), grown
