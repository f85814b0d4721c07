"""YuNet: its faces and landmarks, and the errors when weights are damaged or cannot be downloaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from lookalike.errors import WeightsError
from lookalike.faces.detectors import load_detector, open_yunet
from lookalike.faces.yunet import CONFIDENCE, OVERLAP, YuNet
from lookalike.images import read_image
from lookalike.models.registry import load_embedder
from tests.support.deepface_process import run_deepface
from tests.support.drawing import draw_face, draw_landscape
from tests.support.paths import SHARED

YUNET_FILE = "face_detection_yunet_2023mar.onnx"


@pytest.fixture
def yunet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> YuNet:
    """YuNet, with its weights in the folder where DeepFace keeps them."""
    weights = SHARED / "weights" / YUNET_FILE
    if not weights.is_file():
        pytest.skip("shared/weights has no weights of YuNet")
    home = tmp_path / ".deepface" / "weights"
    home.mkdir(parents=True)
    shutil.copy(weights, home)
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    return open_yunet()


def test_yunet_and_mtcnn_agree_on_the_landmarks_of_a_drawn_face(yunet: YuNet):
    image = draw_face(seed=1)
    (ours,), (theirs,) = load_detector("mtcnn").detect(image), yunet.detect(image)
    eyes = np.linalg.norm(ours.landmarks[0] - ours.landmarks[1])
    assert np.abs(ours.landmarks - theirs.landmarks).max() < 0.3 * eyes  # in the same order
    assert yunet.detect(draw_landscape()) == []


def test_yunet_finds_the_same_faces_as_opencv_with_the_same_weights(yunet: YuNet, photos: Path):
    opencv = cv2.FaceDetectorYN.create(str(SHARED / "weights" / YUNET_FILE), "", (0, 0), CONFIDENCE, OVERLAP)
    for name in ("obama.jpg", "biden.jpg", "paul_rudd.jpg"):
        image = cv2.resize(read_image(photos / name), (500, 333))  # not a multiple of 32
        opencv.setInputSize((500, 333))
        _, rows = opencv.detect(np.ascontiguousarray(image[:, :, ::-1]))
        found = yunet.detect(image)
        assert [face.box for face in found] == [pytest.approx(row[:4], abs=0.01) for row in by_area(rows)]
        assert [face.confidence for face in found] == pytest.approx(list(by_area(rows)[:, 14]), abs=1e-4)


def by_area(rows: np.ndarray) -> np.ndarray:
    return rows[np.argsort(-rows[:, 2] * rows[:, 3])]


def test_a_damaged_file_of_yunet_is_a_clear_error():
    with pytest.raises(WeightsError, match="delete it, and it will be downloaded again"):
        YuNet(b"half a file")


def test_a_shrunk_photo_gives_the_same_landmarks(yunet: YuNet):
    large = draw_face(seed=1)
    small = cv2.resize(large, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    (one,), (other,) = yunet.detect(large), yunet.detect(small)
    wanted = (one.landmarks + 0.5) * 0.2 - 0.5
    eyes = np.linalg.norm(wanted[0] - wanted[1])
    assert np.abs(wanted - other.landmarks).max() < 0.1 * eyes


def test_the_embedding_hardly_depends_on_the_detector(yunet: YuNet, photos: Path):
    embedder, mtcnn = load_embedder(), load_detector("mtcnn")
    cosines = []
    for name in ("obama.jpg", "biden.jpg", "paul_rudd.jpg", "shea_whigham.jpg", "kate_siegel.jpg"):
        image = read_image(photos / name)
        one, other = (embedder.embed(image, detector.detect(image)[:1])[0] for detector in (mtcnn, yunet))
        cosines.append(float(one @ other))
    assert np.median(cosines) > 0.85


def test_a_failed_download_of_weights_is_a_clear_error(tmp_path: Path):
    found = run_deepface(
        """
import os
for proxy in ("http_proxy", "https_proxy"):
    os.environ[proxy] = "http://127.0.0.1:9"  # no server listens there
from lookalike.faces.detectors import load_detector
from lookalike.errors import WeightsError
try:
    load_detector("yunet")
except WeightsError as error:
    print(json.dumps({"message": str(error)}))
""",
        tmp_path,
    )
    assert str(found["message"]).endswith("use the detector 'mtcnn', which needs no download.")
