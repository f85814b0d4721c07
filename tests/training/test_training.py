"""Distillation on a few drawn faces: it learns, it resumes, and its export gives the same embeddings."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lookalike.errors import MissingFileError, SourceError, TrainingError, WeightsError
from lookalike.evaluation.aligned_faces import AlignedFaces, read_faces
from lookalike.evaluation.models import open_model
from lookalike.evaluation.splits import Split, load_split, photo_key
from lookalike.faces.alignment import align
from lookalike.faces.detectors import load_detector
from lookalike.files import BUNDLED, sha256_of
from lookalike.models.embedder import Embedder, embed_both_sides, unit_rows
from lookalike.training.__main__ import main
from lookalike.training.augmentation import blend, degrade, reframe, stretch
from lookalike.training.callbacks import has_plateaued
from lookalike.training.distillation import DistillSettings, distill, embedding_loss, name_centres
from lookalike.training.export import export_embedder, export_onnx
from lookalike.training.face_table import prepare
from lookalike.training.networks import CompactWidths, compact
from lookalike.training.run_log import read_log, upgrade_log
from lookalike.training.view_batches import Views
from lookalike.training.warm_start import load_exported
from tests.support.deepface_process import run_deepface
from tests.support.drawing import draw_face
from tests.support.fakes import ColourEmbedder, write_public_embedder, write_random_arcface

WIDTHS = CompactWidths(8, (8, 4, 1), (16, 8, 1), (16, 8, 1))
TINY = DistillSettings(epochs=2, batch=16, precision="float32", widths=WIDTHS)


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


@pytest.fixture(scope="module")
def network(faces: AlignedFaces, tmp_path_factory: pytest.TempPathFactory) -> keras.Model:
    """A network of WIDTHS after two epochs."""
    return distill(faces, faces, tmp_path_factory.mktemp("run"), TINY)


def _crop(image: np.ndarray) -> np.ndarray:
    return align(image, load_detector().detect(image)[0])


class WideEmbedder(ColourEmbedder):
    """Embeds a face as its mean colour, in 128 numbers."""

    def embed_crops(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        return unit_rows(super().embed_crops(crops) @ np.random.default_rng(0).normal(size=(3, 128)))


def make_views(faces: AlignedFaces, teacher: Embedder | None, *, worse: float = 0.4) -> Views:
    return Views(faces, teacher, batch=8, mix=0.5, worse=worse, seed=1)


@pytest.mark.parametrize("teacher", [None, WideEmbedder()])
def test_a_batch_depends_only_on_seed_epoch_and_index(faces: AlignedFaces, teacher: Embedder | None):
    views, again = make_views(faces, teacher), make_views(faces, teacher)
    assert len(views) == 4 and np.array_equal(views[2][0], again[2][0])
    assert views[2][0].dtype == np.float32 and views[2][0].min() >= 0 and views[2][0].max() <= 1
    again.begin(1)
    assert not np.array_equal(views[2][0], again[2][0])
    resumed = make_views(faces, teacher)
    resumed.begin(1)
    assert all(np.array_equal(mine, theirs) for mine, theirs in zip(resumed[2], again[2], strict=True))


def test_without_a_teacher_a_view_keeps_the_embedding_of_its_face(faces: AlignedFaces):
    _, targets = make_views(faces, None)[0]
    assert all((row == faces.teacher).all(axis=1).any() for row in targets)


def test_a_teacher_embeds_the_same_view_that_the_student_gets(faces: AlignedFaces):
    views, targets = make_views(faces, WideEmbedder(), worse=0)[0]
    expected = WideEmbedder().embed_crops((views * 255).round().astype(np.uint8))
    assert np.allclose(expected, targets, atol=1e-5)


def test_an_epoch_has_as_many_views_as_asked_and_each_of_another_face(faces: AlignedFaces):
    few = Views(faces, None, batch=8, mix=0, worse=0, seed=1, views=16)
    assert len(few) == 2
    targets = np.concatenate([few[0][1], few[1][1]])
    assert len(targets) == 16


def test_a_face_and_its_mirror_image_have_one_embedding_of_both_sides(faces: AlignedFaces):
    mirrored = [np.ascontiguousarray(face[:, ::-1]) for face in faces.images]
    ours, theirs = (embed_both_sides(WideEmbedder(), crops) for crops in (list(faces.images), mirrored))
    assert np.allclose(ours, theirs, atol=1e-5) and np.allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    assert embed_both_sides(WideEmbedder(), []).shape == (0, 3)


def test_augmentation_keeps_shape_and_type_and_leaves_its_input_alone(faces: AlignedFaces):
    before = faces.images.copy()
    random = np.random.default_rng(3)
    for change in (reframe, stretch, degrade, partial(blend, partners=faces.images[::-1])):
        changed = change(random, faces.images)
        assert (changed.shape, changed.dtype) == (faces.images.shape, np.uint8)
        assert not np.array_equal(changed, faces.images)
    assert np.array_equal(faces.images, before)


def test_an_embedding_that_is_closer_to_another_name_has_a_higher_loss():
    centres = np.eye(4, dtype=np.float32)[:2]
    teacher = centres[:1]
    towards_another, nowhere = np.float32([[0.6, 0.8, 0, 0]]), np.float32([[0.6, 0, 0.8, 0]])
    for weight, is_higher in ((0.0, False), (0.5, True)):
        loss = embedding_loss(centres, relation_weight=0.0, name_weight=weight)
        wrong, neutral = (float(keras.ops.sum(loss(teacher, face))) for face in (towards_another, nowhere))
        assert (wrong > 1.1 * neutral) == is_higher
        assert float(keras.ops.sum(loss(teacher, 3 * teacher))) == pytest.approx(0, abs=1e-5)


def test_a_name_has_the_mean_embedding_of_its_photos_and_unnamed_faces_are_left_out(faces: AlignedFaces):
    some = replace(faces, names=("", *faces.names[1:]), teacher=faces.teacher.copy())
    some.teacher[0] = -some.teacher[1]
    centres = name_centres(some)
    assert centres == pytest.approx(faces.teacher[::8], abs=1e-6)
    alone = embedding_loss(centres[:1], relation_weight=0.0, name_weight=0.5)
    assert float(keras.ops.sum(alone(centres[:1], -centres[:1]))) == pytest.approx(2, abs=1e-5)


@pytest.mark.slow(eager=True)
def test_a_run_learns_is_continued_and_returns_its_best_epoch(faces: AlignedFaces, tmp_path: Path):
    distill(faces, faces, tmp_path, replace(TINY, epochs=3), teacher=WideEmbedder())
    network = distill(faces, faces, tmp_path, replace(TINY, epochs=4), teacher=WideEmbedder())
    log = read_log(tmp_path)
    assert [row["epoch"] for row in log] == [1, 2, 3, 4] and log[-1]["loss"] < log[0]["loss"]
    assert json.loads((tmp_path / "settings.json").read_text())["epochs"] == 4
    rows = unit_rows(np.asarray(network(faces.images.astype(np.float32) / 255)))
    best = max(row["val_teacher_cosine"] for row in log)
    targets = embed_both_sides(WideEmbedder(), list(faces.images))
    assert (rows * targets).sum(axis=1).mean() == pytest.approx(best, abs=1e-3)
    assert Image.open(tmp_path / "curves.png").width > 600
    curves = tmp_path / "both.png"
    assert main(["curves", str(tmp_path), str(tmp_path), "--output", str(curves)]) == 0 and curves.exists()
    assert main(["curves", str(tmp_path / "nowhere"), "--output", str(curves)]) == 2


class Interrupted(WideEmbedder):
    """A teacher that is interrupted after some batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._left = batches

    def embed_crops(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return super().embed_crops(crops)


@pytest.mark.slow(eager=True)
def test_an_interrupted_run_ends_as_an_undisturbed_one(faces: AlignedFaces, tmp_path: Path):
    settings = replace(TINY, epochs=3)
    whole = distill(faces, faces, tmp_path / "whole", settings, teacher=WideEmbedder())
    with pytest.raises(BaseException):  # noqa: B017 - TensorFlow wraps it as it likes
        # the first call embeds the validation set
        distill(faces, faces, tmp_path / "cut", settings, teacher=Interrupted(5))
    assert 0 < len(read_log(tmp_path / "cut")) < 3
    rest = distill(faces, faces, tmp_path / "cut", settings, teacher=WideEmbedder())
    mine, theirs = ([{**row, "seconds": 0} for row in read_log(tmp_path / run)] for run in ("cut", "whole"))
    assert len(mine) == 3
    for row, expected in zip(mine, theirs, strict=True):
        assert row == pytest.approx(expected, abs=1e-4)
    for mine, theirs in zip(rest.get_weights(), whole.get_weights(), strict=True):
        assert np.allclose(mine, theirs, atol=1e-4)


def test_a_run_cannot_be_continued_with_other_settings(faces: AlignedFaces, tmp_path: Path):
    (tmp_path / "log.csv").write_text("epoch,loss,seconds,val_auc,val_teacher_cosine\n0,0.5,1,0.9,0.7\n")
    (tmp_path / "settings.json").write_text(json.dumps(asdict(TINY)))
    with pytest.raises(TrainingError, match=r"other settings \(peak_rate\)"):
        distill(faces, faces, tmp_path, replace(TINY, epochs=3, peak_rate=1.0))
    assert json.loads((tmp_path / "settings.json").read_text())["peak_rate"] == TINY.peak_rate


@pytest.mark.slow
def test_a_run_that_no_longer_improves_stops_early_and_stays_stopped(faces: AlignedFaces, tmp_path: Path):
    settings = replace(TINY, epochs=30, patience=1, peak_rate=0.0)
    distill(faces, faces, tmp_path, settings)
    epochs = len(read_log(tmp_path))
    assert 2 <= epochs < 30
    distill(faces, faces, tmp_path, settings)
    assert len(read_log(tmp_path)) == epochs


def test_a_plateau_is_a_mean_that_is_no_higher_than_the_one_before():
    assert has_plateaued([0.5, 0.6, 0.6, 0.5], 2) and not has_plateaued([0.5, 0.6, 0.6, 0.51], 2)
    assert not has_plateaued([0.5, 0.4, 0.3], 2)  # too few epochs


def test_a_log_of_the_first_version_is_read_and_continued_with_the_columns_of_today(tmp_path: Path):
    (tmp_path / "log.csv").write_text("pass,loss,teacher_cosine,auc\n1,0.5,0.7,0.9\n2,0.4,0.8,0.95\n")
    expected = {"epoch": 2, "loss": 0.4, "val_teacher_cosine": 0.8, "val_auc": 0.95}
    assert read_log(tmp_path)[1] == expected
    upgrade_log(tmp_path)
    assert (tmp_path / "log.csv").read_text().splitlines()[
        0
    ] == "epoch,loss,seconds,val_auc,val_teacher_cosine"
    row = read_log(tmp_path)[1]
    assert np.isnan(row.pop("seconds")) and row == expected


def test_a_line_that_a_full_disk_cut_off_is_left_out_of_the_log(tmp_path: Path):
    whole = "epoch,loss,seconds\r\n0,0.5,9.0\r\n"
    (tmp_path / "log.csv").write_text(f"{whole}1,0.4", newline="")
    assert read_log(tmp_path) == [{"epoch": 1, "loss": 0.5, "seconds": 9.0}]
    upgrade_log(tmp_path)
    with (tmp_path / "log.csv").open("a") as log:  # as CSVLogger does
        log.write("1,0.3,8.0\n")
    assert read_log(tmp_path)[1:] == [{"epoch": 2, "loss": 0.3, "seconds": 8.0}]
    (tmp_path / "log.csv").write_text("epo")
    upgrade_log(tmp_path)
    assert not (tmp_path / "log.csv").exists()


@pytest.mark.parametrize("changed", [{"batch": 33}, {"batch": 0}, {"epochs": 0}, {"views": 8}])
def test_a_batch_of_more_faces_than_there_are_is_refused(
    faces: AlignedFaces, tmp_path: Path, changed: dict[str, int]
):
    with pytest.raises(TrainingError, match="--batch from 1 to"):
        distill(faces, faces, tmp_path / "run", replace(TINY, **changed))
    assert not (tmp_path / "run").exists()


def test_the_logs_of_the_bundled_runs_can_be_read():
    for run in sorted((BUNDLED / "compact-runs").iterdir()):
        rows = read_log(run)
        assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))
        assert 0 < rows[-1]["val_teacher_cosine"] < 1


@pytest.mark.slow(eager=True)
def test_an_exported_network_can_be_loaded_for_more_training(
    faces: AlignedFaces, network: keras.Model, tmp_path: Path
):
    export_onnx(network, tmp_path / "compact.onnx", faces.images)
    again = compact(TINY.widths)
    load_exported(again, tmp_path / "compact.onnx", faces.images)
    batch = faces.images.astype(np.float32) / 255
    wanted, found = unit_rows(np.asarray(network(batch))), unit_rows(np.asarray(again(batch)))
    assert (wanted * found).sum(axis=1).min() > 0.999
    found = unit_rows(np.asarray(again(batch, training=True)))  # the statistics are those of these faces
    assert (wanted * found).sum(axis=1).min() > 0.99
    with pytest.raises(WeightsError, match="another shape"):
        load_exported(compact(replace(TINY.widths, stem=4)), tmp_path / "compact.onnx", faces.images)
    with pytest.raises(MissingFileError, match="no network"):
        load_exported(again, tmp_path / "nowhere.onnx", faces.images)


@pytest.mark.slow(eager=True)
def test_new_blocks_do_not_change_the_output_of_a_loaded_network(
    faces: AlignedFaces, network: keras.Model, tmp_path: Path
):
    export_onnx(network, tmp_path / "compact.onnx", faces.images)
    deeper = compact(replace(TINY.widths, middle=(16, 8, 3), late=(16, 8, 2)))
    load_exported(deeper, tmp_path / "compact.onnx", faces.images)
    batch = faces.images.astype(np.float32) / 255
    wanted, found = unit_rows(np.asarray(network(batch))), unit_rows(np.asarray(deeper(batch)))
    assert (wanted * found).sum(axis=1).min() > 0.999
    export_onnx(deeper, tmp_path / "deeper.onnx", faces.images)
    with pytest.raises(WeightsError, match="another shape"):  # it cannot shrink again
        load_exported(compact(TINY.widths), tmp_path / "deeper.onnx", faces.images)


def with_mirror_images(network: keras.Model, batch: np.ndarray) -> np.ndarray:
    """Return the unit embeddings of faces and their mirror images together."""
    face, mirror = (unit_rows(np.asarray(network(side))) for side in (batch, batch[:, :, ::-1]))
    return unit_rows(face + mirror)


def test_the_exported_network_gives_the_embeddings_of_the_trained_one(
    faces: AlignedFaces, network: keras.Model, tmp_path: Path
):
    path = tmp_path / "compact.onnx"
    path.with_suffix(".json").write_text('{"licence": "mine", "percentage": {}}')
    export_onnx(network, path, faces.images)
    batch = faces.images[::8].astype(np.float32) / 255
    session = onnxruntime.InferenceSession(path)
    (ours,) = session.run(None, {session.get_inputs()[0].name: batch})
    theirs = with_mirror_images(network, batch)
    assert ours.shape == (4, 128) and (unit_rows(ours) * theirs).sum(axis=1).min() > 0.99  # 8 bits
    (turned,) = session.run(None, {session.get_inputs()[0].name: batch[:, :, ::-1]})
    assert np.allclose(ours, turned, atol=1e-4)  # a mirror image is the same face
    settings = {"licence": "mine", "sha256": sha256_of(path)}
    assert json.loads(path.with_suffix(".json").read_text()) == settings


def test_an_export_replaces_both_files_whole(tmp_path: Path):
    """A reader that opened the old files still reads them to their end."""
    network, path = compact(WIDTHS, 8), tmp_path / "embedder.onnx"
    settings = path.with_suffix(".json")
    for file in (path, settings):
        file.write_text("{}")
        os.link(file, tmp_path / f"old{file.suffix}")
    export_embedder(network, path, {"name": "mine"})
    assert [(tmp_path / f"old{suffix}").read_text() for suffix in (".onnx", ".json")] == ["{}", "{}"]
    expected = {"name": "mine", "dim": 8, "input_size": [112, 112], "sha256": sha256_of(path)}
    assert json.loads(settings.read_text()) == expected
    left = {"embedder.json", "embedder.onnx", "old.json", "old.onnx"}
    assert {file.name for file in tmp_path.iterdir()} == left


def test_prepare_aligns_every_face_it_finds(tmp_path: Path):
    for name, seed in (("Ada", 1), ("Bo", 2)):
        (tmp_path / "stars" / name).mkdir(parents=True)
        Image.fromarray(draw_face(seed=seed)).save(tmp_path / "stars" / name / "1.png")
    (tmp_path / "stars" / "Bo" / "2.jpg").write_bytes(b"no photo")
    write_public_embedder(tmp_path / "teacher.onnx")
    table = tmp_path / "faces.parquet"
    teacher = open_model(str(tmp_path / "teacher.onnx"))
    prepare([str(tmp_path / "stars")], teacher=teacher, detector="mtcnn", output=table)
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
    with pytest.raises(SourceError, match="no faces for test"):
        read_faces(table, split, "test")
    with pytest.raises(MissingFileError, match="nowhere"):
        read_faces(tmp_path / "nowhere.parquet", split, "test")


def test_commands_end_in_a_sentence_and_exit_code_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    missing = str(tmp_path / "nowhere.parquet")
    teacher, run = str(tmp_path / "teacher.onnx"), str(tmp_path / "run")
    assert main(["distill", "--faces", missing, "--run", run, "--teacher", teacher]) == 2
    assert main(["prepare", missing, "--teacher", "nobody", "--output", str(tmp_path / "out")]) == 2
    assert list(tmp_path.iterdir()) == []
    write_public_embedder(Path(teacher))
    assert main(["distill", "--faces", missing, "--run", run, "--teacher", teacher]) == 2
    start = ["--start", str(tmp_path / "start.onnx")]
    assert main(["distill", "--faces", missing, "--run", run, "--teacher", teacher, *start]) == 2
    assert capsys.readouterr().err.count("error: There is no") == 4
    assert not Path(run).exists()


@pytest.fixture(scope="module")
def stars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten drawn people with two photos each."""
    folder = tmp_path_factory.mktemp("source") / "stars"
    for seed in range(20):
        (folder / f"Star {seed // 2}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_face(seed=seed)).save(folder / f"Star {seed // 2}" / f"{seed}.png")
    return folder


@pytest.mark.slow(eager=True)
def test_photos_are_prepared_split_and_learned(stars: Path, tmp_path: Path):
    """The teacher's embedding has three numbers, and so has the student's."""
    write_public_embedder(tmp_path / "teacher.onnx")
    arguments = ["distill", "--source", str(stars), "--teacher", str(tmp_path / "teacher.onnx")]
    arguments += ["--run", str(tmp_path / "run"), "--output", str(tmp_path / "mine.onnx"), "--batch", "16"]
    assert main([*arguments, "--passes", "1"], widths=WIDTHS) == 0  # the old name of --epochs
    split = load_split(tmp_path / "run" / "split.json")
    assert len(split.validation) == len(split.test) == 1
    written = (tmp_path / "run" / "faces.parquet").stat().st_mtime_ns
    assert main([*arguments, "--epochs", "2"], widths=WIDTHS) == 0
    assert (tmp_path / "run" / "faces.parquet").stat().st_mtime_ns == written  # nothing is done twice
    assert [row["epoch"] for row in read_log(tmp_path / "run")] == [1, 2]
    assert open_model(str(tmp_path / "mine.onnx")).embed_crops([np.zeros((112, 112, 3), np.uint8)]).shape == (
        1,
        3,
    )


@pytest.mark.slow
def test_a_model_of_deepface_can_be_the_teacher(stars: Path, tmp_path: Path):
    """Its weights are random."""
    write_random_arcface(tmp_path)
    found = run_deepface(
        f"""
from lookalike.evaluation.models import open_model
from lookalike.training.__main__ import main
from lookalike.training.networks import CompactWidths
home = {str(tmp_path)!r}
code = main(["distill", "--source", {str(stars)!r}, "--teacher", "ArcFace", "--run", home + "/run",
             "--output", home + "/mine.onnx", "--batch", "8", "--epochs", "1"],
            widths=CompactWidths(8, (8, 4, 1), (16, 8, 1), (16, 8, 1)))
dim = open_model(home + "/mine.onnx").model.dim
print(json.dumps({{"code": code, "dim": dim}}))
""",
        tmp_path,
    )
    assert found == {"code": 0, "dim": 512}
