"""YuNet on onnxruntime, with the file that DeepFace downloads, five landmarks, and photos of any size.

The network is that of Wu et al. 2023 (https://doi.org/10.1007/s11633-023-1423-y). OpenCV's own engine takes
three times as long. The network divides the photo into grids with cells of 8, 16 and 32 pixels. For each
cell it predicts the probability that the centre of a face lies in it, and the box and landmarks relative to
it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.backends.onnx import open_session
from lookalike.errors import WeightsError
from lookalike.faces.face import RGB, Face, largest_first

MAX_SIDE = 640  # pixels; larger photos are shrunk to this size, where most faces of 40 pixels are found
# Smaller photos are enlarged to this size. With crops of 64 to 160 pixels this raises the median cosine
# between embeddings by its alignment and by MTCNN's from 0.93 to 0.95.
MIN_SIDE = 320
CONFIDENCE = 0.6  # DeepFace's 0.9 misses a quarter of the faces rotated by 15 degrees
OVERLAP = 0.3  # intersection over union from which two boxes are one face; the authors' value
STEPS = (8, 16, 32)  # pixels a cell
OUTPUTS = tuple(f"{kind}_{step}" for kind in ("cls", "obj", "bbox", "kps") for step in STEPS)

Floats = NDArray[np.float32]


class YuNet:
    """The detector. It is safe to use one object from several threads."""

    name = "yunet"

    def __init__(self, weights: bytes, *, threads: int = 2) -> None:
        """Load the network from the bytes of its file; raise WeightsError if they are damaged."""
        try:
            self._session = open_session(_any_size(weights), threads=threads)
        except Exception as error:  # of many types, by protobuf and onnxruntime
            raise WeightsError(
                "The file with YuNet's weights is damaged; delete it, and it will be downloaded again."
            ) from error

    def detect(self, image: RGB) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 RGB photo, largest first; `[]` if there is none."""
        longer = max(image.shape[:2])
        scale = min(max(longer, MIN_SIDE), MAX_SIDE) / longer
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        resized = image if scale == 1 else cv2.resize(image, size, interpolation=interpolation)
        rows = self._run(resized)
        return largest_first([_face(row, image.shape[1] / size[0]) for row in rows])

    def _run(self, image: RGB) -> Floats:
        """Return (n, 15) float32 rows: box (left, top, width, height), five points (x, y), confidence."""
        below, right = (-side % STEPS[-1] for side in image.shape[:2])
        padded = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT)
        bgr = np.ascontiguousarray(padded[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)  # (1, 3, H, W)
        outputs = dict(zip(OUTPUTS, self._session.run(OUTPUTS, {"input": bgr}), strict=True))
        rows = np.concatenate([_rows(outputs, step, columns=padded.shape[1] // step) for step in STEPS])
        kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), CONFIDENCE, OVERLAP)
        return rows[np.array(kept, np.int64)]


def _any_size(weights: bytes) -> bytes:
    """Return the network with inputs of any height and width; the file fixes them to 640 by 640 pixels."""
    import onnx

    model = onnx.load_from_string(weights)
    shapes = [(model.graph.input[0], {2: "height", 3: "width"})]
    shapes += [(output, {1: f"cells of {output.name}"}) for output in model.graph.output]
    for value, free in shapes:
        for place, name in free.items():
            value.type.tensor_type.shape.dim[place].dim_param = name
    del model.graph.value_info[:]
    serialized: bytes = model.SerializeToString()
    return serialized


def _rows(outputs: dict[str, NDArray[np.float32]], step: int, *, columns: int) -> Floats:
    """Return (n, 15) rows, in pixels, for the cells of one grid that reach CONFIDENCE."""
    confidences = [np.clip(outputs[f"{kind}_{step}"][0, :, 0], 0, 1) for kind in ("cls", "obj")]
    scores = np.sqrt(confidences[0] * confidences[1])  # (cells,)
    cells = np.flatnonzero(scores >= CONFIDENCE)
    corners = np.stack([cells % columns, cells // columns], axis=1)  # (n, 2) x, y
    offsets, sizes = np.split(outputs[f"bbox_{step}"][0, cells], 2, axis=1)
    middles, sizes = corners + offsets, np.exp(sizes)
    points = outputs[f"kps_{step}"][0, cells].reshape(-1, 5, 2) + corners[:, None]
    lengths = np.c_[middles - sizes / 2, sizes, points.reshape(-1, 10)] * step
    return np.c_[lengths, scores[cells]].astype(np.float32)


def _face(row: Floats, scale: float) -> Face:
    """Return the face of a (15,) row; one pixel of the resized photo is `scale` pixels of the original."""
    x, y, width, height = (float(value) * scale for value in row[:4])
    return Face(
        (x, y, width, height),
        ((row[4:14].reshape(5, 2) + 0.5) * scale - 0.5).astype(np.float32),  # scaled between pixel centres
        float(row[14]),
    )
