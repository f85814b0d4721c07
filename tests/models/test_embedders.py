"""The embedders: our own networks from their files, and DeepFace's models through DeepFace."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import WeightsError
from lookalike.faces.alignment import align
from lookalike.faces.detectors import load_detector
from lookalike.files import BUNDLED
from lookalike.models.onnx_embedder import OnnxEmbedder
from lookalike.models.registry import MODELS, find_model, load_embedder
from tests.support.deepface_process import run_deepface
from tests.support.drawing import draw_face
from tests.support.fakes import write_random_arcface


def test_compact_returns_one_unit_row_per_face():
    image = draw_face(seed=1)
    faces = load_detector().detect(image)
    rows = load_embedder().embed(image, faces)
    assert rows.shape == (len(faces), 128) and rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert load_embedder().embed(image, []).shape == (0, 128)


def test_a_batch_gives_the_same_as_single_faces():
    crops = [
        align(image, load_detector().detect(image)[0])
        for image in (draw_face(seed=seed) for seed in range(3))
    ]
    together = load_embedder().embed_crops(crops)
    alone = np.vstack([load_embedder().embed_crops([crop]) for crop in crops])
    assert np.allclose(together, alone, atol=1e-4)


def test_the_bundled_model_has_a_scale_for_percentages():
    calibration = load_embedder().calibration
    assert calibration and calibration.cohort and calibration.cohort.rows.shape == (4000, 128)
    assert calibration.scale.score_at(20) < calibration.scale.score_at(40) < calibration.scale.same
    assert calibration.scale.similarity(30) == 100


def test_the_bundled_model_is_small():
    assert (BUNDLED / "compact.onnx").stat().st_size <= 4_000_000


def test_changed_or_missing_weights_are_refused(tmp_path: Path):
    for file in ("compact.onnx", "compact.json"):
        shutil.copy(BUNDLED / file, tmp_path)
    with (tmp_path / "compact.onnx").open("ab") as weights:
        weights.write(b"\0")
    with pytest.raises(WeightsError, match="not the file"):
        OnnxEmbedder(tmp_path / "compact.onnx", find_model("compact"))
    (tmp_path / "compact.onnx").unlink()
    with pytest.raises(WeightsError, match="missing"):
        OnnxEmbedder(tmp_path / "compact.onnx", find_model("compact"))


def test_names_of_models_are_unique():
    names = [model.name for model in MODELS]
    assert len(names) == len(set(names)) and names[0] == "compact"


def test_deepface_runs_compact_by_its_name(tmp_path: Path):
    found = run_deepface(
        """
import lookalike
from lookalike.faces.detectors import load_detector
from lookalike.models.registry import load_embedder
from lookalike.faces.alignment import align
from deepface import DeepFace
lookalike.register_with_deepface()
images = [draw_face(seed=seed) for seed in (1, 2)]
one, other = (align(image, load_detector().detect(image)[0]) for image in images)
bgr = [np.ascontiguousarray(crop[:, :, ::-1]) for crop in (one, other)]
skip = {"model_name": "compact", "detector_backend": "skip"}
theirs = np.array([DeepFace.represent(crop, **skip)[0]["embedding"] for crop in bgr])
pair = [face[0]["embedding"] for face in DeepFace.represent(bgr, **skip)]
ours = load_embedder().embed_crops([one, other])
verified = DeepFace.verify(bgr[0], bgr[0], **skip)
print(json.dumps({
    "alike": [float(v) for v in (ours * theirs).sum(axis=1)],
    "batch": float(np.abs(theirs - np.array(pair)).max()),
    "verified": bool(verified["verified"]),
    "threshold": float(verified["threshold"]),
    "same": load_embedder().calibration.same_cosine,
    "tensorflow": "tensorflow" in sys.modules,
}))
""",
        tmp_path,
    )
    assert found["alike"] == pytest.approx([1, 1], abs=1e-5) and found["batch"] < 1e-4
    assert found["verified"] is True and found["threshold"] == pytest.approx(1 - found["same"], abs=1e-6)  # type: ignore[operator]
    assert found["tensorflow"] is False


def test_a_deepface_model_gets_our_crop_and_reports_the_hash_of_its_weights(tmp_path: Path):
    write_random_arcface(tmp_path)
    found = run_deepface(
        """
from lookalike.faces.detectors import load_detector
from lookalike.models.embedder import crop_face
from lookalike.models.registry import find_model, load_embedder
image = draw_face(seed=1)
faces = load_detector().detect(image)
embedder = load_embedder("ArcFace")
from deepface import DeepFace
crop = np.ascontiguousarray(crop_face(find_model("ArcFace"), image, faces[0])[:, :, ::-1])
theirs = np.array(DeepFace.represent(crop, model_name="ArcFace", detector_backend="skip")[0]["embedding"])
ours = embedder.embed(image, [faces[0], faces[0]])
print(json.dumps({
    "shape": ours.shape,
    "alike": [float(row @ theirs / np.linalg.norm(theirs)) for row in ours],
    "hash": embedder.weights_hash,
    "engine": embedder.engine,
}))
""",
        tmp_path,
    )
    assert found["shape"] == [2, 512] and found["alike"] == pytest.approx([1, 1], abs=1e-5)
    assert len(str(found["hash"])) == 64 and found["engine"] == "onnx"


def test_a_failed_download_of_weights_is_a_clear_error(tmp_path: Path):
    found = run_deepface(
        """
import os
for proxy in ("http_proxy", "https_proxy"):
    os.environ[proxy] = "http://127.0.0.1:9"  # no server listens there
from lookalike.models.registry import load_embedder
from lookalike.errors import WeightsError
try:
    load_embedder("Facenet512")
except WeightsError as error:
    print(json.dumps({"message": str(error)}))
""",
        tmp_path,
    )
    assert "weights of Facenet512 could not be loaded" in str(found["message"]) and "\n" not in str(
        found["message"]
    )
