"""YuNet on onnxruntime: the file that DeepFace fetches, with five landmarks, for photos of any size.

The network is that of Wu et al. 2023 (https://doi.org/10.1007/s11633-023-1423-y); OpenCV's own engine takes
three times as long over it. It sees each photo at three steps, of 8, 16 and 32 pixels; every cell of a step
says whether a face's middle lies in it, and where its box and its points are from there.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.backends.onnx import open_session
from lookalike.errors import WeightsError
from lookalike.faces.face import RGB, Face, largest_first

MOST_SIDE = 640  # pixels; larger photos are searched at this size, where most faces of 40 pixels are found
LEAST_SIDE = 320  # smaller ones are enlarged: on crops of 64 to 160 pixels its landmarks are then steadier,
# and the median cosine between embeddings by its alignment and by MTCNN's goes from 0.93 to 0.95
CONFIDENCE = 0.6  # at DeepFace's 0.9 a quarter of the faces turned by 15 degrees are lost
OVERLAP = 0.3  # of two boxes over their union, as its authors have it: one face, not two
STEPS = (8, 16, 32)  # pixels
OUTPUTS = tuple(f"{kind}_{step}" for kind in ("cls", "obj", "bbox", "kps") for step in STEPS)

Floats = NDArray[np.float32]


class YuNet:
    """YuNet; any number of threads may use one object."""

    name = "yunet"

    def __init__(self, weights: bytes, *, threads: int = 2) -> None:
        """Open the network in the bytes of its file; raise WeightsError where they are not it."""
        try:
            self._session = open_session(_any_size(weights), threads=threads)
        except Exception as error:  # protobuf's and onnxruntime's own, of many kinds
            raise WeightsError(
                "The file of YuNet's weights is damaged; delete it, and it is fetched again."
            ) from error

    def detect(self, image: RGB) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 RGB photo, largest first."""
        longer = max(image.shape[:2])
        scale = min(max(longer, LEAST_SIDE), MOST_SIDE) / longer
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        seen = image if scale == 1 else cv2.resize(image, size, interpolation=kind)
        rows = self._look(seen)
        return largest_first([_face(row, image.shape[1] / size[0]) for row in rows])

    def _look(self, image: RGB) -> Floats:
        """Return (n, 15) float32 rows: box (left, top, width, height), five points (x, y), confidence."""
        below, right = (-side % STEPS[-1] for side in image.shape[:2])
        padded = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT)
        bgr = np.ascontiguousarray(padded[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)  # (1, 3, H, W)
        said = dict(zip(OUTPUTS, self._session.run(OUTPUTS, {"input": bgr}), strict=True))
        rows = np.concatenate([_rows(said, step, columns=padded.shape[1] // step) for step in STEPS])
        kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), CONFIDENCE, OVERLAP)
        return rows[np.array(kept, np.int64)]


def _any_size(weights: bytes) -> bytes:
    """Return the network with an input of any height and width; its file asks for 640 by 640 pixels."""
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


def _rows(said: dict[str, NDArray[np.float32]], step: int, *, columns: int) -> Floats:
    """Return (n, 15) rows, in pixels of what was looked at, of the cells of one step that are sure enough."""
    surely = [np.clip(said[f"{kind}_{step}"][0, :, 0], 0, 1) for kind in ("cls", "obj")]
    scores = np.sqrt(surely[0] * surely[1])  # (cells,)
    cells = np.flatnonzero(scores >= CONFIDENCE)
    corners = np.stack([cells % columns, cells // columns], axis=1)  # (n, 2) x, y
    offsets, sizes = np.split(said[f"bbox_{step}"][0, cells], 2, axis=1)
    middles, sizes = corners + offsets, np.exp(sizes)
    points = said[f"kps_{step}"][0, cells].reshape(-1, 5, 2) + corners[:, None]
    lengths = np.c_[middles - sizes / 2, sizes, points.reshape(-1, 10)] * step
    return np.c_[lengths, scores[cells]].astype(np.float32)


def _face(row: Floats, scale: float) -> Face:
    """Return the face of a (15,) row; a pixel of what was looked at is `scale` wide."""
    x, y, width, height = (float(value) * scale for value in row[:4])
    return Face(
        (x, y, width, height),
        ((row[4:14].reshape(5, 2) + 0.5) * scale - 0.5).astype(np.float32),  # between pixel centres
        float(row[14]),
    )
