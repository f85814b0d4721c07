"""The default detector: MTCNN on onnxruntime, with five landmarks and nothing to download.

The cascade is that of Zhang et al. 2016 (https://arxiv.org/abs/1604.02878): P-Net slides over the photo at
many sizes and proposes boxes, R-Net and O-Net look at ever fewer of them ever more closely. They see pixels
of the photo itself, halved by 2x2 as often as it takes. The landmarks come from
a last look at each face with its eyes level.

Inside, coordinates are edges: 0 is the photo's left or upper edge, so a pixel's centre lies at a half.
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
from lookalike.faces.mtcnn_graphs import NETWORKS, WINDOWS, build_graph
from lookalike.faces.mtcnn_inputs import (
    MARGIN,
    Floats,
    Halvings,
    Size,
    brighten,
    halve,
    pack,
    patches,
    pyramid_sizes,
    rotation,
    turn,
)


class Look(NamedTuple):
    """One search of the photo.

    The photo is turned clockwise by so many degrees. The smallest face is this share of the root of its area:
    in a 4:3 photo 480 pixels wide, 1/12 is 35 pixels. So many of P-Net's boxes are looked at more closely.
    """

    degrees: float
    smallest: float
    proposals: int = 32  # enough for a family; twice as many found no more


class Stage(NamedTuple):
    """A network that looks closer at boxes, the confidence it asks for, and how far two faces may overlap."""

    network: str
    threshold: float
    overlap: float


LOOKS = (Look(0, 1 / 12), Look(0, 1 / 18), Look(35, 1 / 12), Look(-35, 1 / 12))  # until one finds a face
NEAR = 2  # times the smallest that a look finds; where a face is smaller, still smaller ones are likely
CROWD_LOOK = Look(0, 1 / 24, 256)
STAGES = (Stage("rnet", 0.6, 0.6), Stage("onet", 0.8, 0.6))
BATCH = 32  # patches a run; more are no faster, and the half a gigabyte that 200 took was kept
LEVEL_THRESHOLD = 0.6  # for the last look: it loses no face, and a third of what only looked like one
P_THRESHOLD, P_OVERLAP = 0.6, 0.6  # the paper's threshold; its two overlaps, 0.5 and 0.7, in one
LONGEST_TURNED = 8  # times as long as wide; a longer strip would, turned, fill a canvas many times its area


class Mtcnn:
    """MTCNN; loads at first use, and any number of threads may use one object."""

    def __init__(self, *, threads: int = 2) -> None:
        self._threads = threads
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The name that the detector goes by."""
        return "mtcnn"

    def warm_up(self) -> None:
        """Load the networks and run each, once; raise WeightsError where weights are missing or strange."""
        with self._lock:
            if self._sessions:
                return
            sessions = {name: open_session(build_graph(name), threads=self._threads) for name in NETWORKS}
            for name, session in sessions.items():
                session.run(None, {"patches": np.zeros((1, WINDOWS[name], WINDOWS[name], 3), np.uint8)})
            self._sessions = sessions

    def detect(self, image: RGB) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 RGB photo, largest first; none is `[]`.

        Boxes end at the photo's edge; landmarks of a face that is cut off there may lie beyond. Raise
        WeightsError as `warm_up` does.
        """
        self.warm_up()
        photo = halve(brighten(image))
        for look in LOOKS:
            faces = self._search(photo, look)
            if faces and _smallest(faces, image) < NEAR * look.smallest:
                faces = max(self._search(photo, CROWD_LOOK), faces, key=len)
            if faces:
                return largest_first(faces)
        return []

    def _search(self, photo: Halvings, look: Look) -> list[Face]:
        height, width = photo[0].shape[:2]
        if look.degrees and max(height, width) > LONGEST_TURNED * min(height, width):
            return []
        turned, back = turn(photo, look.degrees)
        smallest = look.smallest * np.sqrt(height * width) / np.hypot(back[0, 0], back[0, 1])
        boxes, scores = self._propose(turned, smallest)
        boxes = boxes[_suppress(boxes, scores, P_OVERLAP, most=look.proposals)]
        for stage in STAGES:
            if not len(boxes):
                return []
            boxes, scores, points = self._examine(turned, boxes, stage)
        if not len(boxes):
            return []
        level, points = self._level(turned, boxes, points)
        sure = level > LEVEL_THRESHOLD
        found = zip(boxes[sure], scores[sure], points[sure], strict=True)
        faces = [_face(box, score, marks, back, width, height) for box, score, marks in found]
        return [face for face in faces if face.area > 0]

    def _run(self, network: str, pictures: NDArray[np.uint8]) -> Floats:
        """Take (n, h, w, 3) uint8 RGB; return what `build_graph` says."""
        parts = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
        session = self._sessions[network]
        return np.concatenate([session.run(None, {"patches": part})[0] for part in parts])

    def _propose(self, photo: Halvings, smallest: float) -> tuple[Floats, Floats]:
        """Return P-Net's (n, 4) boxes and (n,) scores for faces from so many pixels."""
        height, width = photo[0].shape[:2]
        sizes = pyramid_sizes(width, height, WINDOWS["pnet"] / smallest)
        if not sizes:
            return np.zeros((0, 4)), np.zeros(0)
        canvas, corners = pack(photo, sizes)
        found = self._run("pnet", canvas[None])[0]  # (5, rows, columns)
        peaks = cv2.dilate(found[0], np.ones((3, 3), np.uint8)) == found[0]
        rows, columns = np.nonzero(peaks & (_sigmoid(found[0]) > P_THRESHOLD))
        windows = 2.0 * np.c_[columns, rows]  # P-Net's step is 2 pixels
        boxes = _moved(np.c_[windows, np.full(len(rows), WINDOWS["pnet"])], found[1:, rows, columns].T)
        level = _level_of(windows, corners, sizes)
        scales = np.array([[w / width, h / height] * 2 for w, h in sizes])
        boxes = (boxes - np.tile(corners, 2)[level]) / scales[level]
        return boxes[level >= 0], _sigmoid(found[0, rows, columns])[level >= 0]

    def _examine(self, photo: Halvings, boxes: Floats, stage: Stage) -> tuple[Floats, Floats, Floats]:
        """Return the (n, 4) boxes that a network takes for faces, (n,) scores and (n, points, 2) landmarks.

        O-Net gives five points, R-Net none.
        """
        squares = _squares(boxes)
        upright = np.zeros(len(squares))
        found = self._run(stage.network, patches(photo, squares, WINDOWS[stage.network], upright))[:, :, 0, 0]
        scores = _sigmoid(found[:, 0])
        sure = scores > stage.threshold
        squares, found, scores = squares[sure], found[sure], scores[sure]
        boxes = _moved(squares, found[:, 1:5])
        points = squares[:, None, :2] + _landmarks(found) * squares[:, None, 2:]
        kept = _suppress(boxes, scores, stage.overlap, most=len(boxes), nested=stage.network == "onet")
        return boxes[kept], scores[kept], points[kept]

    def _level(self, photo: Halvings, boxes: Floats, points: Floats) -> tuple[Floats, Floats]:
        """Return the (n,) scores and (n, 5, 2) landmarks of O-Net with the first ones' eyes made level.

        It was trained on upright faces: at 45 degrees a mouth is off by up to half the eyes' distance.
        """
        squares, eyes = _squares(boxes), points[:, 1] - points[:, 0]
        angles = np.arctan2(eyes[:, 1], eyes[:, 0])
        found = self._run("onet", patches(photo, squares, WINDOWS["onet"], angles))[:, :, 0, 0]
        turns = rotation(angles).transpose(2, 0, 1)  # (n, 2, 2)
        steps = (_landmarks(found) - 0.5) @ turns.transpose(0, 2, 1)  # from the middle, in sides: (n, 5, 2)
        middles = squares[:, :2] + squares[:, 2:] / 2
        return _sigmoid(found[:, 0]), middles[:, None] + steps * squares[:, None, 2:]


def _face(box: Floats, score: float, points: Floats, back: Floats, width: int, height: int) -> Face:
    """Return the face of a searched picture where it is in the photo, by the (2, 3) matrix back."""
    middle = back[:, :2] @ (box[:2] + box[2:]) / 2 + back[:, 2]
    half = (box[2:] - box[:2]) / 2 * np.hypot(back[0, 0], back[0, 1])  # an upright box round a turned face
    left, top = np.clip(middle - half, 0, [width, height])
    right, bottom = np.clip(middle + half, 0, [width, height])
    landmarks = points @ back[:, :2].T + back[:, 2] - 0.5  # from edges to pixel centres
    return Face(
        (float(left), float(top), float(right - left), float(bottom - top)),
        landmarks.astype(np.float32),
        float(score),
    )


def _smallest(faces: list[Face], image: RGB) -> float:
    """Return the longer side of the smallest face as a share of the root of the photo's area."""
    return min(max(face.box[2:]) for face in faces) / float(np.sqrt(image.shape[0] * image.shape[1]))


def _landmarks(found: Floats) -> Floats:
    """Return the (n, points, 2) landmarks of (n, 5 + 2 * points) outputs, where all x come before all y."""
    count = (found.shape[1] - 5) // 2
    return found[:, 5:].reshape(len(found), 2, count).transpose(0, 2, 1)


def _moved(squares: Floats, offsets: Floats) -> Floats:
    """Return (n, 4) boxes: (n, 3) squares (left, top, side) whose edges move by (n, 4) shares of the side."""
    corners = np.c_[squares[:, :2], squares[:, :2] + squares[:, 2:]]
    return np.asarray(corners + offsets * squares[:, 2:])


def _squares(boxes: Floats) -> Floats:
    """Return (n, 3) squares (left, top, side) with the middles of (n, 4) boxes and their longer sides."""
    sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    return np.asarray(np.c_[(boxes[:, :2] + boxes[:, 2:] - sides) / 2, sides])


def _level_of(windows: Floats, corners: NDArray[np.int64], sizes: list[Size]) -> NDArray[np.int64]:
    """Return for each window's corner the level that it lies in, or its margin; -1 where it meets two."""
    first = windows[:, None] >= corners - MARGIN  # (n, levels, 2)
    last = windows[:, None] + WINDOWS["pnet"] <= corners + np.array(sizes) + MARGIN
    inside = (first & last).all(axis=2)
    return np.where(inside.any(axis=1), inside.argmax(axis=1), -1)


def _suppress(
    boxes: Floats, scores: Floats, overlap: float, *, most: int, nested: bool = False
) -> NDArray[np.int64]:
    """Return the indices of at most so many (n, 4) boxes, the surest first: none overlaps a surer one more.

    The overlap is intersection over union, or over the smaller box where `nested`: no face lies in another.
    """
    order = np.argsort(-scores)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept: list[int] = []
    while len(order) and len(kept) < most:
        best, order = order[0], order[1:]
        kept.append(best)
        common = np.minimum(boxes[best, 2:], boxes[order, 2:]) - np.maximum(boxes[best, :2], boxes[order, :2])
        shared = np.maximum(common, 0).prod(axis=1)
        whole = np.minimum(areas[best], areas[order]) if nested else areas[best] + areas[order] - shared
        order = order[shared <= overlap * whole]
    return np.array(kept, np.int64)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray((1 + np.tanh(logits / 2)) / 2)  # overflows nowhere
