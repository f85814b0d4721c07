"""The default detector: MTCNN on onnxruntime, with five landmarks and nothing to download.

The cascade is that of Zhang et al. 2016 (https://arxiv.org/abs/1604.02878). P-Net slides over the photo at
many sizes and proposes boxes. R-Net and O-Net examine these at higher resolution and keep fewer and fewer.
Their input is cut from the photo itself, shrunk by powers of two. A final run of O-Net on each face, rotated
until its eyes are level, gives the landmarks.

Coordinates inside this module are edges: 0 is the photo's left or upper edge, a pixel's centre is at a half.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from lookalike.backends.onnx import open_session
from lookalike.faces.face import RGB, Face, largest_first
from lookalike.faces.mtcnn_attempts import Attempt, attempts_for, crowd_attempts, has_smaller
from lookalike.faces.mtcnn_boxes import move_edges, squares_around, suppress
from lookalike.faces.mtcnn_graphs import NETWORKS, WINDOWS, build_graph
from lookalike.faces.mtcnn_inputs import (
    MARGIN,
    Floats,
    Pyramid,
    Size,
    brighten,
    halvings,
    pack,
    patches,
    pyramid_sizes,
    rotate,
    rotation,
)


class Stage(NamedTuple):
    """A network that examines boxes, the confidence that it requires, and how far two faces may overlap."""

    network: str
    threshold: float
    overlap: float


STAGES = (Stage("rnet", 0.6, 0.6), Stage("onet", 0.8, 0.6))
BATCH = 32  # patches per run; more are no faster, and onnxruntime keeps the memory (0.5 GB for 200)
BAND_PIXELS = 300_000  # of P-Net's canvas per run, for the same reason; a camera frame has fewer
LEVEL_THRESHOLD = 0.6  # in the final run; it drops no face and a third of the false detections
P_THRESHOLD, P_OVERLAP = 0.6, 0.6  # the paper's threshold; one overlap in place of its 0.5 and 0.7
# Edges and landmarks are rounded to this share of a patch's side. Processors add float32 numbers in different
# order; a step of one gray level in the crop that follows moves a percentage by up to three points.
STEPS = 1024
MAX_ASPECT_ROTATED = 8  # a longer strip would fill a canvas many times its area when rotated


class Mtcnn:
    """The detector. It loads at first use. It is safe to use one object from several threads."""

    def __init__(self, *, threads: int = 2) -> None:
        self._threads = threads
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The detector's name in the registry."""
        return "mtcnn"

    def warm_up(self) -> None:
        """Load the networks and run each once; raise WeightsError if the weights are missing or
        unexpected.
        """
        with self._lock:
            if self._sessions:
                return
            sessions = {name: open_session(build_graph(name), threads=self._threads) for name in NETWORKS}
            for name, session in sessions.items():
                session.run(None, {"patches": np.zeros((1, WINDOWS[name], WINDOWS[name], 3), np.uint8)})
            self._sessions = sessions

    def detect(self, image: RGB) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 RGB photo, largest first; `[]` if there is none.

        Boxes end at the photo's edge; the landmarks of a face that is cut off there may lie outside. Raises
        WeightsError as `warm_up` does.
        """
        self.warm_up()
        photo = halvings(brighten(image))
        for attempt in attempts_for(image):
            if faces := self._search(photo, attempt):
                return largest_first(self._add_smaller(photo, faces, attempt))
        return []

    def is_upright(self, image: RGB, face: Face) -> bool:
        """Return False if O-Net is more certain of the face after one, two or three quarter turns.

        Of 459 upright faces this is 4 %, of 36 faces that were found upside down 94 %.
        """
        self.warm_up()
        left, top, width, height = face.box
        square = squares_around(np.array([[left, top, left + width, top + height]]))
        eyes = face.landmarks[1] - face.landmarks[0]
        angles = np.arctan2(eyes[1], eyes[0]) + np.pi / 2 * np.arange(4)
        part, square = _cut_out(image, square)
        pictures = patches(halvings(brighten(part)), np.repeat(square, 4, axis=0), WINDOWS["onet"], angles)
        logits = self._run("onet", pictures)[:, 0, 0, 0]
        return bool(logits.argmax() == 0)

    def _add_smaller(self, photo: Pyramid, faces: list[Face], attempt: Attempt) -> list[Face]:
        """Return the faces that `attempt` found or, where finer attempts find more, those."""
        for finer in crowd_attempts(photo[0], attempt):
            if not has_smaller(faces, photo[0], attempt):
                break
            faces, attempt = max(self._search(photo, finer), faces, key=len), finer
        return faces

    def _search(self, photo: Pyramid, attempt: Attempt) -> list[Face]:
        height, width = photo[0].shape[:2]
        if attempt.degrees and max(height, width) > MAX_ASPECT_ROTATED * min(height, width):
            return []
        rotated, back = rotate(photo, attempt.degrees)
        smallest = attempt.smallest * np.sqrt(height * width) / np.hypot(back[0, 0], back[0, 1])
        boxes, scores = self._propose(rotated, smallest)
        boxes = boxes[suppress(boxes, scores, P_OVERLAP, most=attempt.proposals)]
        for stage in STAGES:
            if not len(boxes):
                return []
            boxes, scores, points = self._examine(rotated, boxes, stage)
        if not len(boxes):
            return []
        level, points = self._level(rotated, boxes, points)
        kept = level > LEVEL_THRESHOLD
        found = zip(boxes[kept], scores[kept], points[kept], strict=True)
        faces = [_face(box, score, marks, back, width, height) for box, score, marks in found]
        return [face for face in faces if face.area > 0]

    def _run(self, network: str, pictures: NDArray[np.uint8]) -> Floats:
        """Run a network on (n, h, w, 3) uint8 RGB pictures; `build_graph` describes the output, which is
        rounded to STEPS except for the logit.
        """
        parts = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
        session = self._sessions[network]
        found = np.concatenate([session.run(None, {"patches": part})[0] for part in parts])
        found[:, 1:] = np.floor(found[:, 1:] * STEPS + 0.5) / STEPS
        return found

    def _slide(self, canvas: RGB) -> Floats:
        """Return P-Net's (5, rows, columns) output for a canvas, computed in bands to save memory."""
        height, width = canvas.shape[:2]
        step = max(2, BAND_PIXELS // width // 2 * 2)  # P-Net's stride is 2 pixels
        overlap = WINDOWS["pnet"] - 2
        bands = []
        for top in range(0, max(1, height - overlap), step):
            bottom = top + step + overlap
            found = self._run("pnet", canvas[None, top:bottom])[0]
            bands.append(found[:, : step // 2] if bottom < height else found)
        return np.concatenate(bands, axis=1)

    def _propose(self, photo: Pyramid, smallest: float) -> tuple[Floats, Floats]:
        """Return P-Net's (n, 4) boxes and (n,) scores for faces of at least `smallest` pixels."""
        height, width = photo[0].shape[:2]
        sizes = pyramid_sizes(width, height, WINDOWS["pnet"] / smallest)
        if not sizes:
            return np.zeros((0, 4)), np.zeros(0)
        canvas, corners = pack(photo, sizes)
        found = self._slide(canvas)
        peaks = cv2.dilate(found[0], np.ones((3, 3), np.uint8)) == found[0]
        rows, columns = np.nonzero(peaks & (_sigmoid(found[0]) > P_THRESHOLD))
        windows = 2.0 * np.c_[columns, rows]  # P-Net's stride is 2 pixels
        boxes = move_edges(np.c_[windows, np.full(len(rows), WINDOWS["pnet"])], found[1:, rows, columns].T)
        level = _level_of(windows, corners, sizes)
        scales = np.array([[w / width, h / height] * 2 for w, h in sizes])
        boxes = (boxes - np.tile(corners, 2)[level]) / scales[level]
        return boxes[level >= 0], _sigmoid(found[0, rows, columns])[level >= 0]

    def _examine(self, photo: Pyramid, boxes: Floats, stage: Stage) -> tuple[Floats, Floats, Floats]:
        """Return the (n, 4) boxes that a network accepts as faces, (n,) scores and (n, points, 2) landmarks.

        O-Net gives five points, R-Net none.
        """
        squares = squares_around(boxes)
        upright = np.zeros(len(squares))
        found = self._run(stage.network, patches(photo, squares, WINDOWS[stage.network], upright))[:, :, 0, 0]
        scores = _sigmoid(found[:, 0])
        accepted = scores > stage.threshold
        squares, found, scores = squares[accepted], found[accepted], scores[accepted]
        boxes = move_edges(squares, found[:, 1:5])
        points = squares[:, None, :2] + _landmarks(found) * squares[:, None, 2:]
        kept = suppress(boxes, scores, stage.overlap, most=len(boxes), nested=stage.network == "onet")
        return boxes[kept], scores[kept], points[kept]

    def _level(self, photo: Pyramid, boxes: Floats, points: Floats) -> tuple[Floats, Floats]:
        """Run O-Net on the faces rotated until their eyes are level; return (n,) scores, (n, 5, 2) landmarks.

        O-Net was trained on upright faces. At 45 degrees its mouth is off by up to half the eye distance.
        """
        squares, eyes = squares_around(boxes), points[:, 1] - points[:, 0]
        angles = np.arctan2(eyes[:, 1], eyes[:, 0])
        found = self._run("onet", patches(photo, squares, WINDOWS["onet"], angles))[:, :, 0, 0]
        rotations = rotation(angles).transpose(2, 0, 1)  # (n, 2, 2)
        steps = (_landmarks(found) - 0.5) @ rotations.transpose(
            0, 2, 1
        )  # from the middle, in side lengths: (n, 5, 2)
        middles = squares[:, :2] + squares[:, 2:] / 2
        return _sigmoid(found[:, 0]), middles[:, None] + steps * squares[:, None, 2:]


def _face(box: Floats, score: float, points: Floats, back: Floats, width: int, height: int) -> Face:
    """Return a face in coordinates of the photo; `back` is the (2, 3) matrix from the rotated photo to it."""
    middle = back[:, :2] @ (box[:2] + box[2:]) / 2 + back[:, 2]
    half = (box[2:] - box[:2]) / 2 * np.hypot(back[0, 0], back[0, 1])  # an upright box around a rotated face
    left, top = np.clip(middle - half, 0, [width, height])
    right, bottom = np.clip(middle + half, 0, [width, height])
    landmarks = points @ back[:, :2].T + back[:, 2] - 0.5  # from edges to pixel centres
    return Face(
        (float(left), float(top), float(right - left), float(bottom - top)),
        landmarks.astype(np.float32),
        float(score),
    )


def _cut_out(image: RGB, square: Floats) -> tuple[RGB, Floats]:
    """Return the part of the photo around a (1, 3) square that a rotated square may need, and the square
    there.
    """
    left, top, side = square[0]
    margin = side / 4  # half of a square's diagonal is 0.71 sides
    first = np.floor(np.maximum([left - margin, top - margin], 0)).astype(int)
    last = np.ceil([left + side + margin, top + side + margin]).astype(int)
    return image[first[1] : last[1], first[0] : last[0]], square - [*first, 0]


def _landmarks(found: Floats) -> Floats:
    """Return the (n, points, 2) landmarks of (n, 5 + 2 * points) outputs, where all x come before all y."""
    count = (found.shape[1] - 5) // 2
    return found[:, 5:].reshape(len(found), 2, count).transpose(0, 2, 1)


def _level_of(windows: Floats, corners: NDArray[np.int64], sizes: list[Size]) -> NDArray[np.int64]:
    """Return the pyramid level whose area with margin contains each window; -1 if the window meets two."""
    first = windows[:, None] >= corners - MARGIN  # (n, levels, 2)
    last = windows[:, None] + WINDOWS["pnet"] <= corners + np.array(sizes) + MARGIN
    inside = (first & last).all(axis=2)
    return np.where(inside.any(axis=1), inside.argmax(axis=1), -1)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray((1 + np.tanh(logits / 2)) / 2)  # cannot overflow
