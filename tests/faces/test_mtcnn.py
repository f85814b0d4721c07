"""The default detector: its networks against plain NumPy, and the faces that it finds in drawn photos."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from lookalike.errors import WeightsError
from lookalike.faces import mtcnn_graphs
from lookalike.faces.face import Face
from lookalike.faces.mtcnn import Mtcnn
from lookalike.faces.mtcnn_attempts import FINE, TILTED, UPRIGHT, attempts_for
from tests.support.drawing import draw_face, draw_group, draw_landscape

# The pooling of each layer in the paper and in the wheel's own code: (side, "same" padding).
POOLS = {
    "pnet": [(2, True), None, None],
    "rnet": [(3, True), (3, False), None],
    "onet": [(3, True), (3, False), (2, True), None],
}


@pytest.fixture(scope="module")
def detector() -> Mtcnn:
    return Mtcnn(threads=1)


def convolve(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(n, h, w, in) and (rows, columns, in, out) -> (n, h - rows + 1, w - columns + 1, out)"""
    views = np.lib.stride_tricks.sliding_window_view(
        x, kernel.shape[:2], axis=(1, 2)
    )  # (n, h, w, in, rows, columns)
    return np.einsum("nhwirc,rcio->nhwo", views, kernel)


def prelu(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, slope * x)


def pool(x: np.ndarray, side: int, same: bool) -> np.ndarray:
    if same:  # a partial window at the end counts
        missing = [max(0, (-(-length // 2) - 1) * 2 + side - length) for length in x.shape[1:3]]
        widths = [(0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)]
        x = np.pad(x, widths, constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(1, 2))[:, ::2, ::2].max(
        axis=(4, 5)
    )


def forward(network: str, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return P(face), (n,), and the other heads, (n, channels), for patches of the network's own size."""
    weights = iter([np.asarray(array, np.float64) for array in mtcnn_graphs.read_weights(network)])
    x = (patches - 127.5) / 128
    for step in POOLS[network]:
        x = prelu(convolve(x, next(weights)) + next(weights), next(weights))
        x = pool(x, *step) if step else x
    x = x.transpose(0, 2, 1, 3).reshape(len(x), -1)  # flattened by columns, rows, channels
    if network != "pnet":
        x = prelu(x @ next(weights) + next(weights), next(weights))
    rest = list(weights)
    heads = [
        x @ kernel.reshape(x.shape[1], -1) + bias for kernel, bias in zip(rest[::2], rest[1::2], strict=True)
    ]
    odds = np.exp(heads.pop())
    return odds[:, 1] / odds.sum(axis=1), np.hstack(heads)


def middle(face: Face) -> np.ndarray:
    x, y, width, height = face.box
    return np.array([x + width / 2, y + height / 2])


@pytest.mark.parametrize("network", mtcnn_graphs.NETWORKS)
def test_a_graph_computes_the_same_as_the_plain_layers(network: str):
    side = mtcnn_graphs.WINDOWS[network]
    patches = np.random.default_rng(0).integers(0, 256, (6, side, side, 3), dtype=np.uint8)
    found = onnxruntime.InferenceSession(mtcnn_graphs.build_graph(network)).run(None, {"patches": patches})[0]
    score, heads = forward(network, patches)
    assert np.allclose(1 / (1 + np.exp(-found[:, 0, 0, 0])), score, atol=1e-4)
    assert np.allclose(found[:, 1:, 0, 0], heads, atol=1e-4)


def test_the_first_network_gives_the_same_for_a_patch_alone_and_inside_a_picture():
    picture = np.random.default_rng(0).integers(0, 256, (31, 44, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(mtcnn_graphs.build_graph("pnet"))
    whole = session.run(None, {"patches": picture[None]})[0]
    assert whole.shape[2:] == ((31 - 12) // 2 + 1 + 1, (44 - 12) // 2 + 1)  # the partial last row counts
    patch = session.run(None, {"patches": picture[None, 6:18, 20:32]})[0]
    assert np.allclose(whole[0, :, 3, 10], patch[0, :, 0, 0], atol=1e-5)


def test_weights_of_another_release_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "mtcnn" / "assets" / "weights"
    folder.mkdir(parents=True)
    (tmp_path / "mtcnn" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(WeightsError, match=r"cannot be read; install it with `pip install mtcnn==1\.0\.0`"):
        mtcnn_graphs.read_weights("pnet")
    (folder / "pnet.lz4").write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"are not those of mtcnn 1\.0\.0; install"):
        mtcnn_graphs.read_weights("pnet")


@pytest.mark.parametrize("seed", range(8))
def test_every_drawn_face_is_found(detector: Mtcnn, seed: int):
    [face] = detector.detect(draw_face(seed))
    assert np.abs(middle(face) - 240).max() < 40
    assert 160 < face.box[2] < 300 and 220 < face.box[3] < 360
    assert 0.8 < face.confidence <= 1


@pytest.mark.parametrize("size", [112, 160, 320, 900])
def test_a_face_is_found_in_the_same_place_at_any_size(detector: Mtcnn, size: int):
    [large], [face] = detector.detect(draw_face(3)), detector.detect(draw_face(3, size=size))
    assert np.allclose(face.landmarks / size, large.landmarks / 480, atol=0.02)


def test_landmarks_are_eyes_nose_and_mouth_from_left_to_right(detector: Mtcnn):
    [face] = detector.detect(draw_face(3))
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0] and left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    x, y, width, height = face.box
    assert np.all((face.landmarks > [x, y]) & (face.landmarks < [x + width, y + height]))
    assert face.landmarks.shape == (5, 2) and face.landmarks.dtype == np.float32


@pytest.mark.parametrize("turn", [30, -30, 45, -45])
def test_a_rotated_face_is_found_with_rotated_landmarks(detector: Mtcnn, turn: int):
    [upright], [face] = detector.detect(draw_face(3)), detector.detect(draw_face(3, turn=turn))
    matrix = cv2.getRotationMatrix2D((240, 240), turn, 1)
    expected = upright.landmarks @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(face.landmarks - expected).max() < 0.2 * np.linalg.norm(expected[0] - expected[1])


def test_several_faces_come_largest_first(detector: Mtcnn):
    faces = detector.detect(draw_group((220, 320, 260)))
    assert [round(middle(face)[0], -2) for face in faces] == [400, 700, 100]


def test_small_faces_in_a_crowd_are_found(detector: Mtcnn):
    row = np.hstack([draw_face(seed, size=100) for seed in range(1, 9)])
    assert len(detector.detect(np.vstack([row] * 6))) >= 46


@pytest.mark.parametrize("side", [160, 110, 80])
def test_a_small_face_next_to_a_larger_one_is_found(detector: Mtcnn, side: int):
    picture = draw_landscape(1200, 900)
    picture[100:340, 100:340] = draw_face(3, size=240)  # itself not large in the picture
    picture[600 : 600 + side, 900 : 900 + side] = draw_face(5, size=side)
    large, small = detector.detect(picture)
    assert large.box[0] < 340 and 900 < small.box[0] < 900 + side


@pytest.mark.parametrize("side", [320, 240, 170])  # of the drawing; the face has about 0.6 of it
def test_a_small_face_alone_in_a_large_photo_is_found(detector: Mtcnn, side: int):
    picture = draw_landscape(4000, 3000)
    picture[1900 : 1900 + side, 900 : 900 + side] = draw_face(5, size=side)
    [face] = detector.detect(picture)
    assert np.abs(middle(face) - (900 + side / 2, 1900 + side / 2)).max() < side / 8


def test_small_faces_of_a_group_in_a_large_photo_are_found(detector: Mtcnn):
    picture = draw_landscape(4000, 3000)
    for place in range(48):
        left, top = 200 + place % 8 * 460, 200 + place // 8 * 440
        picture[top : top + 140, left : left + 140] = draw_face(place, size=140)
    assert len(detector.detect(picture)) >= 46


def test_a_camera_frame_is_searched_no_finer_than_a_large_photo():
    frame, large = (np.zeros((height, width, 3), np.uint8) for height, width in ((480, 640), (3000, 4000)))
    assert attempts_for(frame) == [*UPRIGHT, *TILTED]
    assert attempts_for(large) == [*UPRIGHT, *FINE, *TILTED]


@pytest.mark.parametrize("shape", [(12, 12), (13, 500), (311, 1000), (610, 1000), (2001, 701)])
def test_bands_of_the_canvas_give_the_same_as_the_whole(detector: Mtcnn, shape: tuple[int, int]):
    canvas = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    whole = detector._run("pnet", canvas[None])[0]
    assert np.allclose(detector._slide(canvas), whole, atol=1e-4)


def test_a_face_cut_off_by_the_edge_is_found_and_its_box_ends_there(detector: Mtcnn):
    [face] = detector.detect(draw_face(3)[:, 190:])
    assert face.box[0] == 0 and face.box[2] > 100


@pytest.mark.parametrize("share", [0.5, 0.12, 0.06])
def test_darkening_a_photo_hardly_moves_the_landmarks(detector: Mtcnn, share: float):
    picture = draw_face(3)
    [light], [dark] = detector.detect(picture), detector.detect((picture * share).astype(np.uint8))
    assert np.abs(light.landmarks - dark.landmarks).max() < 4
    assert detector.detect((draw_landscape() * share).astype(np.uint8)) == []


def test_no_face_is_an_empty_list(detector: Mtcnn):
    assert detector.detect(draw_landscape()) == []
    assert detector.detect(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize(
    "shape", [(1, 1), (2, 1), (3, 5), (1, 30000), (70000, 2), (9, 50000), (12, 12), (13, 90)]
)
def test_extreme_sizes_give_no_face(detector: Mtcnn, shape: tuple[int, int]):
    assert detector.detect(np.full((*shape, 3), 200, np.uint8)) == []


def test_an_array_view_gives_the_same_as_a_copy(detector: Mtcnn):
    mirrored = draw_face(3)[:, ::-1]
    [view], [copy] = detector.detect(mirrored), detector.detect(mirrored.copy())
    assert view.box == copy.box


def test_threads_can_share_a_detector():
    detector, pictures = Mtcnn(threads=1), [draw_face(seed, size=240) for seed in range(1, 5)] * 3
    with ThreadPoolExecutor(4) as pool:
        boxes = [[face.box for face in faces] for faces in pool.map(detector.detect, pictures)]
    assert boxes == [[face.box for face in detector.detect(picture)] for picture in pictures]


def test_every_person_in_real_photos_is_found(detector: Mtcnn, photos: Path):
    people = {"angelina_jolie.jpg": 1, "multiface.jpg": 6, "two_people.jpg": 2, "obama_partial_face.jpg": 1}
    found = {name: len(detector.detect(cv2.imread(str(photos / name))[:, :, ::-1])) for name in people}
    assert found == people
