"""The training room on a handful of drawn faces: it learns, goes on where it stopped, and what it exports
is what it learned.
"""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pyarrow.parquet as pq
import pytest
from drawing import draw_face
from onnx import TensorProto, helper
from PIL import Image

from lookalike.detectors import load_detector
from lookalike.errors import MissingFileError, SourceError
from lookalike.evaluation.aligned import AlignedFaces, read_faces
from lookalike.faces import align
from lookalike.splits import Split, photo_key
from lookalike.training.__main__ import main
from lookalike.training.augmentation import degrade, reframe
from lookalike.training.distillation import DistillSettings, Views, distill
from lookalike.training.export import export_onnx
from lookalike.training.networks import CompactWidths
from lookalike.training.preparation import prepare

TINY = DistillSettings(
    passes=2, batch=8, precision="float32", widths=CompactWidths(8, (8, 4, 1), (16, 8, 1), (16, 8, 1))
)


@pytest.fixture(scope="module")
def faces() -> AlignedFaces:
    """Four drawn people, eight photos each, and a teacher that gives each a direction of their own."""
    people = np.repeat(np.arange(4), 8)
    crops = [_crop(draw_face(seed=seed)) for seed in range(4)]
    random = np.random.default_rng(0)
    directions = random.normal(size=(4, 128)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return AlignedFaces(
        images=np.stack([crops[person] for person in people]),
        names=tuple(f"person {person}" for person in people),
        sources=("drawn",) * 32,
        files=tuple(f"{place}.png" for place in range(32)),
        teacher=directions[people],
    )


def _crop(image: np.ndarray) -> np.ndarray:
    return align(image, load_detector().detect(image)[0])


def read_log(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_batch_depends_on_seed_pass_and_index_alone(faces: AlignedFaces):
    views = Views(faces, batch=8, seed=1, first_pass=0)
    again = Views(faces, batch=8, seed=1, first_pass=0)
    assert len(views) == 4 and np.array_equal(views[2][0], again[2][0])
    assert views[2][0].dtype == np.float32 and views[2][0].min() >= 0 and views[2][0].max() <= 1
    again.on_epoch_end()
    assert not np.array_equal(views[2][0], again[2][0])
    resumed = Views(faces, batch=8, seed=1, first_pass=1)
    assert np.array_equal(resumed[2][0], again[2][0])


def test_augmentation_keeps_shape_and_type_and_leaves_its_input_alone(faces: AlignedFaces):
    before = faces.images.copy()
    random = np.random.default_rng(3)
    for change in (reframe, degrade):
        changed = change(random, faces.images)
        assert (changed.shape, changed.dtype) == (faces.images.shape, np.uint8)
        assert not np.array_equal(changed, faces.images)
    assert np.array_equal(faces.images, before)


def test_a_run_learns_and_an_unfinished_one_goes_on(faces: AlignedFaces, tmp_path: Path):
    run = tmp_path / "run"
    settings = replace(TINY, passes=3)
    distill(faces, faces, run, settings)
    assert [row["pass"] for row in read_log(run)] == ["1", "2", "3"]
    distill(faces, faces, run, replace(TINY, passes=6))
    rows = read_log(run)
    assert [row["pass"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert json.loads((run / "settings.json").read_text())["passes"] == 6


def test_the_exported_network_gives_what_the_trained_one_gave(faces: AlignedFaces, tmp_path: Path):
    network = distill(faces, faces, tmp_path / "run", TINY)
    path = tmp_path / "compact.onnx"
    path.with_suffix(".json").write_text('{"licence": "mine", "percentage": {}}')
    export_onnx(network, path)
    batch = faces.images[::8].astype(np.float32) / 255
    session = onnxruntime.InferenceSession(path)
    (ours,) = session.run(None, {session.get_inputs()[0].name: batch})
    theirs = np.asarray(network(batch))
    cosines = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosines.min() > 0.9999  # float16 weights
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert json.loads(path.with_suffix(".json").read_text()) == {"licence": "mine", "sha256": digest}


def write_teacher(path: Path) -> None:
    """Write a face embedder in ONNX with a batch of one, whose embedding is the mean of each colour."""
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["input0"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["output0"]),
        ],
        "teacher",
        [helper.make_tensor_value_info("input0", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 3])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_prepare_aligns_every_face_it_finds(tmp_path: Path):
    for name, seed in (("Ada", 1), ("Bo", 2)):
        (tmp_path / "stars" / name).mkdir(parents=True)
        Image.fromarray(draw_face(seed=seed)).save(tmp_path / "stars" / name / "1.png")
    (tmp_path / "stars" / "Bo" / "2.jpg").write_bytes(b"no photo")
    write_teacher(tmp_path / "teacher.onnx")
    table = tmp_path / "faces.parquet"
    prepare([str(tmp_path / "stars")], teacher=tmp_path / "teacher.onnx", detector="mtcnn", output=table)
    rows = pq.read_table(table).to_pylist()
    assert [(row["name"], row["source"], row["file"]) for row in rows] == [
        ("Ada", "stars", "1.png"),
        ("Bo", "stars", "1.png"),
    ]
    split = Split(validation=("Bo",), test=(), left_out=(photo_key("stars", "Bo", "9.png"),))
    faces = read_faces(table, split, "train")
    assert faces.names == ("Ada",) and faces.images.shape == (1, 112, 112, 3)
    assert np.linalg.norm(faces.teacher, axis=1) == pytest.approx(1, abs=1e-3)
    expected = _crop(draw_face(seed=1)).astype(int)
    assert np.abs(faces.images[0] - expected).mean() < 4  # WebP
    with pytest.raises(SourceError, match="no faces of the sides test"):
        read_faces(table, split, "test")
    with pytest.raises(MissingFileError, match="nowhere"):
        read_faces(tmp_path / "nowhere.parquet", split, "test")


def test_commands_end_in_a_sentence_and_exit_code_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    missing = str(tmp_path / "nowhere.parquet")
    assert main(["distill", "--faces", missing, "--run", str(tmp_path / "run")]) == 2
    assert main(["prepare", missing, "--teacher", missing, "--output", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("error: There is no") == 2
    assert list(tmp_path.iterdir()) == []
