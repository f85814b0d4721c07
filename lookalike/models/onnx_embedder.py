"""Networks of our own, run by onnxruntime."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.backends.onnx import open_session
from lookalike.errors import OutOfMemoryError, WeightsError
from lookalike.faces.face import RGB, Face
from lookalike.models.calibration import Calibration
from lookalike.models.embedder import BATCH, Embeddings, Model, crop_face, unit_rows

NO_MEMORY = re.compile("allocate memory|bad_alloc|bad allocation")  # in onnxruntime's messages


class OnnxEmbedder:
    """A network in an ONNX file, with a JSON of the same name beside it.

    The network takes (n, height, width, 3) float32 RGB 0..1 and gives (n, dim). The JSON holds the
    calibration and the file's SHA-256, so that a network that was cut short or exchanged is refused.
    """

    engine = "onnxruntime"

    def __init__(self, path: Path, model: Model, *, threads: int = 2) -> None:
        try:
            settings = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            weights, digest = path.read_bytes(), settings["sha256"]
            self.calibration = Calibration.from_json(settings, model.dim)
        except OSError as error:
            raise WeightsError(
                f"{error.filename} is missing or cannot be read; install the model again."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise WeightsError(f"{path.with_suffix('.json')} is damaged; install the model again.") from error
        self.model = model
        self.weights_hash = hashlib.sha256(weights).hexdigest()
        if self.weights_hash != digest:
            raise WeightsError(
                f"{path} is not the file that {path.with_suffix('.json').name} describes; "
                "install the model again."
            )
        self._session = open_session(weights, threads=threads)
        self._input = self._session.get_inputs()[0].name

    def embed(self, image: RGB, faces: Sequence[Face]) -> Embeddings:
        """Return (len(faces), dim) float32 rows of unit length."""
        return self.embed_crops([crop_face(self.model, image, face) for face in faces])

    def embed_crops(self, crops: Sequence[RGB]) -> Embeddings:
        """Return (len(crops), dim) float32 rows of unit length."""
        if not crops:
            return np.empty((0, self.model.dim), np.float32)
        batches = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
        return unit_rows(np.concatenate([self._run_in_parts(batch) for batch in batches]))

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network: (n, height, width, 3) float32 RGB 0..1 -> (n, dim) float32, not normalized."""
        try:
            (rows,) = self._session.run(None, {self._input: batch})
        except Exception as error:  # onnxruntime has no exception of its own for this
            if NO_MEMORY.search(str(error)):
                raise MemoryError(str(error)[:200]) from error
            raise
        return np.asarray(rows, np.float32)

    def _run_in_parts(self, crops: Sequence[RGB]) -> NDArray[np.float32]:
        """Run all crops at once; if memory runs out, run one half after the other."""
        try:
            return self.run(np.stack(crops).astype(np.float32) / np.float32(255))
        except MemoryError as error:
            if len(crops) == 1:
                raise OutOfMemoryError(
                    "There is not enough memory for a face at the moment; try again later."
                ) from error
        half = len(crops) // 2
        return np.concatenate([self._run_in_parts(crops[:half]), self._run_in_parts(crops[half:])])
