"""One photo, from its bytes to matches: by stage, compared with DeepFace, and for growing photos."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import product
from statistics import median

import cv2
import numpy as np

from benchmarks.clock import Seconds, median_ratio, run_alternating
from benchmarks.systems import NETWORKS, open_find, open_ours, open_represent
from benchmarks.workers import Run, Worker
from lookalike.errors import NoFaceError, WeightsError
from lookalike.faces.detectors import load_detector
from lookalike.faces.face import RGB
from lookalike.gallery.gallery import Gallery
from lookalike.models.registry import is_installed

CAMERA, PHONE = (640, 480), (4000, 3000)  # pixels, width and height
QUALITY = 90  # JPEG quality, about that of phones and browsers
WIDTHS = (320, 640, 1280, 2000, 4000, 6000)  # of 4:3 photos with one face; the last has 27 megapixels
CROWDS = (1, 2, 4, 8, 16, 32)  # faces in one photo
TILE, COLUMNS, ROWS = 200, 8, 6  # a crowd is a grid of tiles of TILE x TILE pixels
OURS = "mtcnn (default)"
MARGIN = 0.15  # of the face's height, kept around each face of a crowd; all faces stay large enough to find
GREY = (127, 127, 127)


@dataclass(frozen=True)
class Comparison:
    """One system on one photo: the medians over the rounds of its seconds, its seconds by stage, and its peak
    memory in MB. `times_ours` is how many times as long it takes as our default; None for our default itself.
    """

    photo: str
    system: str
    seconds: float
    stages: Seconds
    memory: float
    times_ours: float | None


@dataclass(frozen=True)
class Growth:
    """Medians for one photo size (megapixels) or one number of faces."""

    size: float
    seconds: float
    stages: Seconds
    memory: float


def compare(portrait: RGB, group: RGB, *, rounds: int) -> list[Comparison]:
    """Compare our detectors and DeepFace on a camera frame, a phone photo and a photo of a group.

    Each system alternates with our default only: a dozen processes with TensorFlow would fill the memory.
    """
    photos = {
        "camera frame, 640×480": frame(portrait, CAMERA),
        "phone, 12 megapixels": frame(portrait, PHONE),
        f"group, {group.shape[1]}×{group.shape[0]}": _jpeg(group),
    }
    found: list[Comparison] = []
    with ExitStack() as stack, tempfile.TemporaryDirectory() as home:
        ours = stack.enter_context(closing(Worker(open_ours, "mtcnn")))
        for name, opener in _others(home).items():
            print(name, file=sys.stderr)
            try:
                with closing(opener()) as other:
                    for photo, data in photos.items():
                        found += _compare_two(photo, data, {OURS: ours, name: other}, rounds=rounds)
            except WeightsError as error:
                print(f"skipped from here on: {name}. {error}", file=sys.stderr)
    return [one for photo in photos for one in _once([one for one in found if one.photo == photo])]


def grow(photos: Mapping[float, bytes], *, rounds: int) -> list[Growth]:
    """Measure our default on each of `photos`, whose keys are their sizes."""
    worker = Worker(open_ours, "mtcnn")
    try:
        runs = {
            size: [worker.process(photo) for _ in range(rounds + 1)][1:] for size, photo in photos.items()
        }
    finally:
        worker.close()
    return [Growth(size, *_medians(of_size)) for size, of_size in runs.items()]


def sizes_of(portrait: RGB) -> dict[float, bytes]:
    """Return one face in photos of growing size, keyed by megapixels."""
    frames = {width: frame(portrait, (width, width * 3 // 4)) for width in WIDTHS}
    return {round(width * width * 0.75 / 1e6, 2): photo for width, photo in frames.items()}


def crowds_of(portrait: RGB) -> dict[float, bytes]:
    """Return photos of one size with more and more copies of the portrait's face, keyed by their number.

    Raises NoFaceError when the portrait shows none.
    """
    tile = _fitted(_close_up(portrait), (TILE, TILE))
    crowds = {}
    for count in CROWDS:
        canvas = np.full((ROWS * TILE, COLUMNS * TILE, 3), GREY, np.uint8)
        for place in range(count):
            top, left = TILE * (place // COLUMNS), TILE * (place % COLUMNS)
            canvas[top : top + TILE, left : left + TILE] = tile
        crowds[float(count)] = _jpeg(canvas)
    return crowds


def _close_up(portrait: RGB) -> RGB:
    """Return the part of a photo around its largest face."""
    faces = load_detector().detect(portrait)
    if not faces:
        raise NoFaceError("No face was found in the portrait; choose another photo.")
    x, y, width, height = (round(value) for value in faces[0].box)
    margin = round(MARGIN * height)
    return portrait[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]


def frame(image: RGB, size: tuple[int, int]) -> bytes:
    """Return the photo as a JPEG of (width, height) pixels; where its shape differs, edge pixels repeat."""
    return _jpeg(_fitted(image, size))


def _fitted(image: RGB, size: tuple[int, int]) -> RGB:
    scale = min(size[0] / image.shape[1], size[1] / image.shape[0])
    width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(image, (width, height), interpolation=kind)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    right, bottom = size[0] - width - left, size[1] - height - top
    return np.asarray(cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8)


def _jpeg(image: RGB) -> bytes:
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(data)


def _others(home: str) -> dict[str, Callable[[], Worker]]:
    """Return how to open each system other than our default."""
    names = len(Gallery.load().names)
    openers: dict[str, Callable[[], Worker]] = {"yunet": partial(Worker, open_ours, "yunet")}
    for model, engine, detector in product(NETWORKS, ("tensorflow", "onnx"), ("opencv", "mtcnn")):
        openers[f"DeepFace {model}, {detector}, {engine}"] = partial(
            Worker, open_represent, model, detector, engine, home
        )
    if is_installed("Dlib"):
        for detector in ("opencv", "mtcnn"):
            title = f"DeepFace Dlib with its own weights, {detector}"
            openers[title] = partial(Worker, open_represent, "Dlib", detector, "onnx", home)
    for detector in ("opencv", "mtcnn"):
        openers[f"DeepFace find, VGG-Face, {detector}, {names:,} rows"] = partial(
            Worker, open_find, "VGG-Face", detector, names, home
        )
    return openers


def _compare_two(name: str, photo: bytes, workers: Mapping[str, Worker], *, rounds: int) -> list[Comparison]:
    runs: dict[str, list[Run]] = {system: [] for system in workers}

    def run(system: str) -> float:
        runs[system].append(workers[system].process(photo))
        return runs[system][-1].seconds

    seconds = run_alternating({system: partial(run, system) for system in workers}, rounds)
    ratios = {system: median_ratio(seconds[system], seconds[OURS]) for system in workers if system != OURS}
    return [Comparison(name, system, *_medians(runs[system][1:]), ratios.get(system)) for system in workers]


def _once(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return every system once. Our default was measured with each of the others: take its median run."""
    ours = sorted((one for one in comparisons if one.system == OURS), key=lambda one: one.seconds)
    return [*ours[len(ours) // 2 : len(ours) // 2 + 1], *(one for one in comparisons if one.system != OURS)]


def _medians(runs: Sequence[Run]) -> tuple[float, Seconds, float]:
    stages = {stage: median(run.stages[stage] for run in runs) for stage in runs[0].stages}
    return median(run.seconds for run in runs), stages, median(run.peak for run in runs)
