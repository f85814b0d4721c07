"""Networks that name people, on a handful of made-up faces: they learn, go on where they stopped, refuse what
makes no sense, and lose nothing when the disk is full.
"""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from lookalike.errors import MissingFileError, SourceError, TrainingError, WeightsError
from lookalike.evaluation.classification import by_name, calibrate, calibration_error, confusion, judge
from lookalike.files import BUNDLED
from lookalike.models.embedder import unit_rows
from lookalike.models.registry import find_model, load_embedder
from lookalike.training.callbacks import read_log
from lookalike.training.classify.checkpoint import write_arrays
from lookalike.training.classify.commands import settings_from
from lookalike.training.classify.ensemble import Member, join
from lookalike.training.classify.faces import About, FaceTable
from lookalike.training.classify.fitting import class_weights
from lookalike.training.classify.layers import augmenting, resized
from lookalike.training.classify.loading import features_of, open_classifier, predict
from lookalike.training.classify.networks import build
from lookalike.training.classify.overview import fill, look
from lookalike.training.classify.report import groups_of
from lookalike.training.classify.run import Data, classify
from lookalike.training.classify.settings import Augmentation, ClassifySettings, load_run
from lookalike.training.classify.split import PARTS, Drawn, draw, load_split, parts_of, save_split
from lookalike.training.device import use_device
from lookalike.training.networks import CompactWidths, compact
from lookalike.training.warm_start import widths_of

TINY = ClassifySettings("scratch", size=64, epochs=3, batch=8, patience=5, rate=3e-3)


def made_up(photos: dict[str, int], *, side: int = 64) -> FaceTable:
    """A table of that many photos of each name: a colour and a pattern of its own, and noise."""
    random = np.random.default_rng(0)
    images, embeddings, names = [], [], []
    for number, (name, count) in enumerate(photos.items()):
        mine = random.integers(40, 216, (4, 4, 3)).repeat(side // 4, axis=0).repeat(side // 4, axis=1)
        for _ in range(count):
            images.append(np.clip(mine + random.normal(0, 20, mine.shape), 0, 255).astype(np.uint8))
            embeddings.append(np.eye(16)[number] + random.normal(0, 0.2, 16))
            names.append(name)
    origins = tuple(f"test#{place}" for place in range(len(names)))
    return FaceTable(
        images=np.stack(images),
        names=tuple(names),
        origins=origins,
        sources=("test",) * len(names),
        files=tuple(f"{place}.png" for place in range(len(names))),
        embeddings=unit_rows(np.array(embeddings)),
        numbers={"brightness": np.stack(images).mean(axis=(1, 2, 3)) / 255},
        words={"category": ("film",) * len(names), "gender": ("",) * len(names)},
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    table = made_up({"Ada": 16, "Bo": 16, "Cy": 16})
    drawn = draw(table, validation=0.2, test=0.2, min_photos=6)
    return Data(tmp_path_factory.mktemp("data"), drawn, parts_of(table, drawn), "a split")


# The split


def test_a_split_takes_the_same_shares_of_every_name_and_every_photo_once():
    table = made_up({"Ada": 20, "Bo": 40})
    drawn = draw(table, validation=0.1, test=0.2, min_photos=6)
    parts = parts_of(table, drawn)
    counts = {part: np.bincount(photos.labels).tolist() for part, photos in parts.items()}
    assert counts == {"train": [14, 28], "validation": [2, 4], "test": [4, 8]}
    assert sorted(origin for part in PARTS for origin in drawn.parts[part]) == sorted(table.origins)
    assert drawn == draw(table, validation=0.1, test=0.2, min_photos=6)
    assert drawn.parts != draw(table, validation=0.1, test=0.2, min_photos=6, seed=1).parts


def test_copies_of_a_photo_are_on_one_side_also_under_two_names():
    table = made_up({"Ada": 20, "Bo": 20})
    for copy, original in ((1, 0), (2, 0), (30, 0)):  # 30 is one of Bo's
        table.embeddings[copy] = table.embeddings[original]
    for seed in range(5):
        drawn = draw(table, validation=0.3, test=0.3, min_photos=6, seed=seed)
        sides = {part for part in PARTS for origin in drawn.parts[part] if origin in ("test#0", "test#30")}
        assert len(sides) == 1 and drawn.copies == 4


def test_only_photos_that_no_training_saw_may_judge():
    table = made_up({"Ada": 20, "Bo": 20, "Cy": 20})
    unseen = {"3.png", "4.png", "25.png"}
    drawn = draw(
        table, validation=0.1, test=0.2, min_photos=6, may_judge=lambda source, name, file: file in unseen
    )
    assert set(drawn.parts["test"]) == {"test#3", "test#4", "test#25"} and drawn.untested == ["Cy"]
    assert "no photo of Cy may judge" in " ".join(drawn.lines)
    with pytest.raises(SourceError, match="No photo is left for test"):
        draw(table, validation=0.1, test=0.2, min_photos=6, may_judge=lambda *photo: False)


def test_names_with_too_few_photos_are_left_out_and_one_name_alone_is_refused():
    drawn = draw(made_up({"Ada": 8, "Bo": 5, "Cy": 8}), validation=0.2, test=0.2, min_photos=6)
    assert drawn.names == ["Ada", "Cy"] and drawn.few == {"Bo": 5}
    assert "left out for too few photos: Bo (5); give them more photos" in " ".join(drawn.lines)
    with pytest.raises(SourceError, match="needs two names with at least 6 photos each; there is one"):
        draw(made_up({"Ada": 8, "Bo": 5}), validation=0.2, test=0.2, min_photos=6)


def test_a_split_comes_back_from_its_file_and_a_missing_one_says_how_to_make_it(tmp_path: Path):
    drawn = Drawn({part: [part] for part in PARTS}, ["Ada"], {}, [], 0, 0, {"test": 0.1})
    save_split(drawn, tmp_path)
    assert load_split(tmp_path) == drawn
    with pytest.raises(TrainingError, match="3 photos of the split are not among the faces"):
        parts_of(made_up({"Ada": 1}), drawn)
    with pytest.raises(MissingFileError, match="make one with: python -m"):
        load_split(tmp_path / "nowhere")
    (tmp_path / "split.json").write_text("{")
    with pytest.raises(TrainingError, match="split again"):
        load_split(tmp_path)


# A look at the faces


def test_a_gap_is_filled_with_the_median_of_the_name_else_of_all():
    values = np.array([1.0, 3.0, np.nan, 10.0, np.nan, np.nan])
    assert fill(values, ("Ada", "Ada", "Ada", "Bo", "Bo", "Cy")).tolist() == [1, 3, 2, 10, 10, 3]


def test_uneven_names_are_named_and_gaps_counted():
    table = made_up({"Ada": 40, "Bo": 10})
    table.numbers["age"] = np.where(np.arange(50) < 8, np.nan, 20.0 + np.arange(50) % 3)
    seen = look(table, About("test", 64, "mtcnn", "", 50, {"unreadable": 3}))
    assert seen.notes[0] == "50 faces · unreadable 3."
    assert "all where the name has none: age 8." in seen.notes[1]
    assert "Ada has 40 photos, Bo 10: 4.0 times as many. The names are uneven: 1 have less" in seen.notes[2]
    assert np.isfinite(seen.numbers["age"]).all() and len(seen.pictures) == 4


# Settings and networks


def test_an_option_that_is_not_given_is_the_networks_own_default():
    settings, named = settings_from({"epochs": 2, "zoom": 0.0, "run": "x"}, "mobilenet")
    assert (settings.size, settings.epochs, settings.augmentation.zoom) == (96, 2, 0.0)
    assert settings.augmentation.rotation == Augmentation().rotation
    assert named == ("epochs", "augmentation")


@pytest.mark.parametrize(
    ("network", "given", "sentence"),
    [
        ("scratch", {"size": 32}, "--size is 32; scratch takes 64 to 224 pixels"),
        ("compact", {"size": 96}, "--size is 96; compact takes 112 pixels"),
        ("scratch", {"epochs": 0}, "--epochs, --batch and --patience are at least 1"),
        ("scratch", {"dropout": 1.0}, "--dropout is at least 0 and under 1"),
        ("scratch", {"rate": 0.0}, "--rate and --head-rate are above 0"),
        ("ensemble", {"members": ["one"]}, "needs at least two runs"),
    ],
)
def test_settings_that_make_no_sense_are_refused(network: str, given: dict[str, object], sentence: str):
    with pytest.raises(TrainingError, match=sentence):
        settings_from(given, network)


def test_a_gpu_that_is_not_there_is_told():
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU here")
    with pytest.raises(TrainingError, match="finds no GPU here; leave --device away"):
        use_device("gpu")


def test_the_shape_of_the_bundled_network_is_read_from_its_file(tmp_path: Path):
    widths, dim = widths_of(BUNDLED / "compact.onnx")
    assert dim == 128 and widths.late[2] >= 6 and (widths.stem, widths.early[0]) == (32, 64)
    assert widths == replace(CompactWidths(), middle=widths.middle, late=widths.late)
    (tmp_path / "other.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError, match="is no `compact`"):
        widths_of(tmp_path / "other.onnx")
    with pytest.raises(MissingFileError, match="no network at"):
        widths_of(tmp_path / "nowhere.onnx")


def tiny_application(*, weights: str | None, input_shape: tuple[int, ...], **how: object) -> keras.Model:
    """A network of one layer as Keras Applications would make it; its weights are out of reach."""
    if weights:
        raise Exception("URL fetch failure on https://somewhere: None -- Name or service not known")
    image = keras.Input(input_shape)
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
    return keras.Model(image, pooled)


def test_where_weights_cannot_be_fetched_the_network_starts_at_random_and_says_so(capsys):
    settings, _ = settings_from({}, "mobilenet")
    built = build(settings, 3, np.zeros((2, 64, 64, 3), np.uint8), fetch=tiny_application)
    assert built.pretrained is None and "could not be had (URL fetch failure" in built.base
    assert "It is trained from scratch" in capsys.readouterr().out
    assert built.core.output_shape == (None, 3)
    assert built.core.get_layer("features").output.shape == (None, 256)


@pytest.mark.parametrize("network", ["mobilenet", "inception"])
def test_the_networks_of_keras_applications_take_their_smallest_faces(network: str):
    settings, _ = settings_from({"start": "none"}, network)
    built = build(settings, 3, np.zeros((2, 64, 64, 3), np.uint8))
    assert built.core.input_shape == (None, settings.size, settings.size, 3)
    assert built.core.output_shape == (None, 3)


def test_augmentation_changes_faces_only_in_training_and_can_be_turned_off():
    faces = np.random.default_rng(0).random((4, 32, 32, 3)).astype(np.float32)
    for layer in augmenting(Augmentation(), seed=0):
        assert not np.allclose(np.asarray(layer(faces, training=True)), faces, atol=1e-3), layer.name
        assert np.allclose(np.asarray(layer(faces, training=False)), faces), layer.name
    assert augmenting(Augmentation(0, 0, 0, 0, 0, flip=False), seed=0) == []
    assert Augmentation(0, 0, 0, 0, 0, flip=False).none


def test_rare_names_weigh_more():
    assert class_weights(np.array([0, 0, 0, 1]), 2).tolist() == [4 / 6, 2]


# Runs


def test_a_network_learns_and_its_run_holds_all_that_a_report_and_the_app_need(data: Data, tmp_path: Path):
    run = classify(data, tmp_path / "mine", replace(TINY, epochs=12))
    assert run.finished and run.names == ("Ada", "Bo", "Cy") and run.versions["keras"] == keras.__version__
    assert load_run(tmp_path / "mine") == run
    classifier = open_classifier(tmp_path / "mine")
    test = data.parts["test"]
    assert judge(predict(classifier, test.faces.images), test.labels).top1 == 1.0
    embedder = load_embedder(str(tmp_path / "mine"))
    assert (embedder.model.name, embedder.model.dim, embedder.model.input_size) == ("mine", 256, (64, 64))
    batch = test.faces.images.astype(np.float32) / 255
    features = features_of(classifier)
    looks = [unit_rows(np.asarray(features(look))) for look in (batch, batch[:, :, ::-1])]
    exported = embedder.embed_crops(list(test.faces.images))
    assert np.allclose(exported, unit_rows(looks[0] + looks[1]), atol=1e-4)
    files = {file.name for file in (tmp_path / "mine").iterdir()}
    assert {"run.json", "log.csv", "best.npz", "augmentation.png", "classifier.keras"} <= files
    with pytest.raises(TrainingError, match="holds a run already; go on with --resume"):
        classify(data, tmp_path / "mine", TINY)


class FullDisk:
    """Writes checkpoints until there is no room for another byte."""

    def __init__(self, files: int) -> None:
        self.left = files

    def __call__(self, file, arrays) -> None:
        self.left -= 1
        if self.left < 0:
            file.write(b"half a checkpoint")
            raise OSError(errno.ENOSPC, "No space left on device")
        write_arrays(file, arrays)


def test_a_full_disk_ends_in_a_sentence_and_the_run_goes_on_as_if_nothing_had_happened(
    data: Data, tmp_path: Path
):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    settings = replace(TINY, epochs=4)
    classify(data, whole, settings)
    with pytest.raises(TrainingError, match="make room and go on with --resume"):
        classify(data, cut, settings, write=FullDisk(3))
    assert [file.name for file in cut.glob("*.npz*")] and not list(cut.glob("*.partial"))
    assert 1 <= len(read_log(cut)) < 4
    with pytest.raises(TrainingError, match="has not come to its end"):
        open_classifier(cut)
    with pytest.raises(WeightsError, match="when it has come to its end"):
        find_model(str(cut))
    classify(data, cut, settings, resume=True)
    mine, theirs = ([{**row, "seconds": 0} for row in read_log(run)] for run in (cut, whole))
    assert [row["pass"] for row in mine] == [1, 2, 3, 4]
    for mine_row, their_row in zip(mine, theirs, strict=True):
        assert mine_row == pytest.approx(their_row, abs=5e-3)


def test_a_run_goes_on_only_with_its_own_settings_and_faces(data: Data, tmp_path: Path):
    classify(data, tmp_path, replace(TINY, epochs=1))
    with pytest.raises(TrainingError, match=r"other settings \(rate\)"):
        classify(data, tmp_path, replace(TINY, rate=1.0), resume=True, given=("rate",))
    with pytest.raises(TrainingError, match="a run of another split"):
        classify(replace(data, split="other"), tmp_path, TINY, resume=True)
    classify(data, tmp_path, replace(TINY, epochs=2), resume=True, given=("epochs",))
    assert [row["pass"] for row in read_log(tmp_path)] == [1, 2]
    fields = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**fields, "format": 0}))
    with pytest.raises(TrainingError, match="is a run of format 0, this program reads format 1; train again"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(TrainingError, match="cannot be read; train again"):
        load_run(tmp_path)
    with pytest.raises(MissingFileError, match="There is no run in"):
        load_run(tmp_path / "nowhere")


def test_a_broken_network_says_which_keras_made_it(data: Data, tmp_path: Path):
    classify(data, tmp_path, replace(TINY, epochs=1))
    (tmp_path / "classifier.keras").write_bytes(b"cut short")
    with pytest.raises(TrainingError, match=f"made with Keras {keras.__version__}"):
        open_classifier(tmp_path)
    (tmp_path / "embedder.json").write_text("{}")
    with pytest.raises(WeightsError, match="train the run again"):
        find_model(str(tmp_path))


# Figures


def test_an_ensemble_says_the_mean_of_what_its_members_say():
    faces = made_up({"Ada": 2, "Bo": 2, "Cy": 2}).images
    members = []
    for size in (64, 80):
        core = build(replace(TINY, size=size), 3, faces).core
        face = keras.Input((64, 64, 3))
        members.append(Member(f"{size}", keras.Model(face, core(resized(face, core)))))
    ensemble = join(members)
    shares = [predict(member.classifier, faces) for member in members]
    assert np.ptp(shares, axis=0).max() > 0.01
    assert predict(ensemble, faces) == pytest.approx(np.mean(shares, axis=0), abs=1e-5)
    features = [features_of(member.classifier).predict(faces / np.float32(255)) for member in members]
    whole = features_of(ensemble).predict(faces / np.float32(255))
    assert whole == pytest.approx(np.hstack([unit_rows(rows) for rows in features]), abs=1e-5)


def test_the_figures_of_a_classification_by_hand():
    shares = np.array([[0.8, 0.2, 0.0], [0.6, 0.4, 0.0], [0.0, 0.3, 0.7], [0.5, 0.0, 0.5]])
    labels = np.array([0, 1, 2, 1])
    scores = judge(shares, labels)
    assert (scores.photos, scores.top1, scores.top5) == (4, 0.5, 1.0)
    assert scores.loss == pytest.approx(-np.log([0.8, 0.4, 0.7, 1e-12]).mean())
    assert by_name(shares, labels, 4)[:3].tolist() == [1, 0, 1] and np.isnan(by_name(shares, labels, 4)[3])
    assert confusion(shares, labels).tolist() == [[1, 0, 0], [2, 0, 0], [0, 0, 1]]
    bins = calibrate(np.array([[0.95, 0.05], [0.91, 0.09], [0.4, 0.6]]), np.array([0, 1, 1]))
    assert [(part.photos, part.right) for part in bins] == [(1, 1.0), (2, 0.5)]
    assert calibration_error(bins) == pytest.approx((0.4 + 2 * abs(0.93 - 0.5)) / 3)


def test_groups_come_from_words_ages_and_thirds():
    table = made_up({"Ada": 6})
    table.words["gender"] = ("f", "m", "f", "m", "", "f")
    table.numbers["age"] = np.array([21, 25, 33, 38, np.nan, 39])
    table.numbers["brightness"] = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    right = np.array([True, False, True, True, True, False])
    found = [(group.column, group.value, group.photos, group.top1) for group in groups_of(table, right)]
    assert found == [
        ("gender", "f", 3, pytest.approx(2 / 3)),
        ("gender", "m", 2, 0.5),
        ("brightness", "low", 2, 0.5),
        ("brightness", "middle", 2, 1.0),
        ("brightness", "high", 2, 0.5),
        ("age", "20s", 2, 0.5),
        ("age", "30s", 3, pytest.approx(2 / 3)),
    ]


def test_a_compact_network_of_any_depth_is_recognized(tmp_path: Path):
    from lookalike.training.export import export_onnx

    widths = CompactWidths(8, (8, 4, 1), (16, 8, 3), (24, 8, 2))
    faces = np.random.default_rng(0).integers(0, 256, (32, 112, 112, 3), np.uint8)
    export_onnx(compact(widths, 32), tmp_path / "small.onnx", faces)
    assert widths_of(tmp_path / "small.onnx") == (widths, 32)
