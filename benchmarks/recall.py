"""The share of faces that each detector finds, in unchanged photos and in degraded ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from lookalike.errors import WeightsError
from lookalike.evaluation.perturbations import Change, at_edge, changes
from lookalike.evaluation.photos import Photo
from lookalike.faces.detectors import load_detector
from lookalike.faces.face import RGB

GROUPS = ("light", "blur", "size", "rotation")  # of lookalike.evaluation.perturbations
SEED = 0

Box = tuple[float, float, float, float]  # left, top, width, height in pixels
Finder = Callable[[RGB], Sequence[Box]]


@dataclass(frozen=True)
class Recall:
    """For one change to the photos: the share, 0..1, in which each detector finds the face in the middle."""

    group: str
    value: str
    photos: int
    shares: dict[str, float]


def measure_recall(photos: Sequence[Photo], *, most: int) -> list[Recall]:
    """Measure our detectors and DeepFace's MTCNN on a random sample of at most `most` photos.

    Each photo is a crop with one person in the middle. A face counts as found if a box contains the middle.
    """
    chosen = np.random.default_rng(SEED).permutation(len(photos))[:most]
    images = [at_edge(photos[place].image()) for place in chosen]
    finders = _finders()
    rows = tqdm(list(_changes()), desc="recall", unit="change")
    return [
        Recall(group, value, len(images), _shares(finders, images, change)) for group, value, change in rows
    ]


def _changes() -> Iterator[tuple[str, str, Change]]:
    yield "as they are", "", lambda image: image
    yield from (change for change in changes() if change[0] in GROUPS)


def _shares(finders: Mapping[str, Finder], images: Sequence[RGB], change: Change) -> dict[str, float]:
    changed = [change(image) for image in images]
    return {
        name: float(np.mean([_contains_middle(find(image), image) for image in changed]))
        for name, find in finders.items()
    }


def _contains_middle(boxes: Sequence[Box], image: RGB) -> bool:
    height, width = image.shape[:2]
    return any(
        left < width / 2 < left + wide and top < height / 2 < top + tall for left, top, wide, tall in boxes
    )


def _finders() -> dict[str, Finder]:
    finders: dict[str, Finder] = {}
    for name in ("mtcnn", "yunet"):
        try:
            finders[name] = _ours(name)
        except WeightsError:
            continue
    return finders | {"DeepFace, mtcnn": _deepface_mtcnn()}


def _ours(name: str) -> Finder:
    detector = load_detector(name)
    return lambda image: [face.box for face in detector.detect(image)]


def _deepface_mtcnn() -> Finder:
    os.environ.setdefault("DEEPFACE_BACKEND_ENGINE", "onnx")
    from deepface import DeepFace

    def find(image: RGB) -> list[Box]:
        bgr = np.ascontiguousarray(image[:, :, ::-1])
        faces = DeepFace.extract_faces(bgr, detector_backend="mtcnn", enforce_detection=False)
        areas = [face["facial_area"] for face in faces if face["confidence"] > 0]
        return [(area["x"], area["y"], area["w"], area["h"]) for area in areas]

    return find
