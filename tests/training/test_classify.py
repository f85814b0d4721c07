"""Classifiers on a few synthetic faces: they learn, resume, refuse invalid settings, survive a full disk."""

from __future__ import annotations

import errno
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from lookalike.errors import MissingFileError, SourceError, TrainingError, WeightsError
from lookalike.evaluation.classification import by_name, calibrate, calibration_error, confusion, score
from lookalike.files import BUNDLED
from lookalike.models.embedder import unit_rows
from lookalike.models.registry import find_model, load_embedder
from lookalike.sources.opening import open_sources
from lookalike.training.classify.commands import settings_from
from lookalike.training.classify.ensemble import Member, join
from lookalike.training.classify.faces import FaceTable, FolderInfo, find_faces
from lookalike.training.classify.fitting import class_weights, fit
from lookalike.training.classify.layers import augmenting, resized
from lookalike.training.classify.loading import features_of, open_classifier, predict
from lookalike.training.classify.networks import build
from lookalike.training.classify.overview import WIDEST, draw_counts, fill, summarize
from lookalike.training.classify.photo_split import (
    PARTS,
    PhotoSplit,
    draw_photo_split,
    labelled_parts,
    load_photo_split,
    save_photo_split,
)
from lookalike.training.classify.report import groups_of
from lookalike.training.classify.run import Data, classify
from lookalike.training.classify.settings import (
    Augmentation,
    ClassifySettings,
    Run,
    load_run,
    resumed,
    save_run,
)
from lookalike.training.device import use_device
from lookalike.training.export import export_onnx
from lookalike.training.networks import CompactWidths, compact
from lookalike.training.run_log import read_log
from lookalike.training.warm_start import widths_of
from tests.support.fakes import BrightDetector, ColourEmbedder, speckled

TINY = ClassifySettings(
    "scratch",
    size=64,
    epochs=3,
    batch=8,
    patience=5,
    rate=3e-3,
    augmentation=Augmentation(0, 0, 0, 0, 0.1, flip=True),  # the others take seconds to compile
)


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
    split = draw_photo_split(table, validation=0.2, test=0.2, min_photos=6)
    return Data(tmp_path_factory.mktemp("data"), split, labelled_parts(table, split), "a split")


# The split


def test_a_split_takes_the_same_fraction_of_each_name_and_each_photo_once():
    table = made_up({"Ada": 20, "Bo": 40})
    split = draw_photo_split(table, validation=0.1, test=0.2, min_photos=6)
    parts = labelled_parts(table, split)
    counts = {part: np.bincount(photos.labels).tolist() for part, photos in parts.items()}
    assert counts == {"train": [14, 28], "validation": [2, 4], "test": [4, 8]}
    assert sorted(origin for part in PARTS for origin in split.parts[part]) == sorted(table.origins)
    assert split == draw_photo_split(table, validation=0.1, test=0.2, min_photos=6)
    assert split.parts != draw_photo_split(table, validation=0.1, test=0.2, min_photos=6, seed=1).parts


def test_copies_of_a_photo_are_on_one_side_also_under_two_names():
    table = made_up({"Ada": 20, "Bo": 20})
    for copy, original in ((1, 0), (2, 0), (30, 0)):  # 30 is one of Bo's
        table.embeddings[copy] = table.embeddings[original]
    for seed in range(5):
        split = draw_photo_split(table, validation=0.3, test=0.3, min_photos=6, seed=seed)
        sides = {part for part in PARTS for origin in split.parts[part] if origin in ("test#0", "test#30")}
        assert len(sides) == 1 and split.copies == 4


def test_only_photos_that_were_never_trained_on_are_test_photos():
    table = made_up({"Ada": 20, "Bo": 20, "Cy": 20})
    unseen = {"3.png", "4.png", "25.png"}
    split = draw_photo_split(
        table, validation=0.1, test=0.2, min_photos=6, may_test=lambda source, name, file: file in unseen
    )
    assert set(split.parts["test"]) == {"test#3", "test#4", "test#25"} and split.untested == ["Cy"]
    assert "no test photos of Cy" in " ".join(split.lines)
    with pytest.raises(SourceError, match="No photo is left for test"):
        draw_photo_split(table, validation=0.1, test=0.2, min_photos=6, may_test=lambda *photo: False)


def test_names_with_too_few_photos_are_left_out_and_one_name_alone_is_refused():
    split = draw_photo_split(made_up({"Ada": 8, "Bo": 5, "Cy": 8}), validation=0.2, test=0.2, min_photos=6)
    assert split.names == ["Ada", "Cy"] and split.few == {"Bo": 5}
    assert "left out for too few photos: Bo (5); give them more photos" in " ".join(split.lines)
    with pytest.raises(SourceError, match="needs two names with at least 6 photos each; there is only one"):
        draw_photo_split(made_up({"Ada": 8, "Bo": 5}), validation=0.2, test=0.2, min_photos=6)


def test_a_split_comes_back_from_its_file_and_a_missing_one_says_how_to_make_it(tmp_path: Path):
    split = PhotoSplit({part: [part] for part in PARTS}, ["Ada"], {}, [], 0, 0, {"test": 0.1})
    save_photo_split(split, tmp_path)
    assert load_photo_split(tmp_path) == split
    with pytest.raises(TrainingError, match="3 photos of the split are not among the faces"):
        labelled_parts(made_up({"Ada": 1}), split)
    with pytest.raises(MissingFileError, match="make one with: python -m"):
        load_photo_split(tmp_path / "nowhere")
    (tmp_path / "photo_split.json").rename(tmp_path / "split.json")  # its name in older folders
    assert load_photo_split(tmp_path) == split
    (tmp_path / "photo_split.json").write_text("{")
    with pytest.raises(TrainingError, match="split again"):
        load_photo_split(tmp_path)


# The overview of the faces


def test_a_missing_number_becomes_the_median_of_the_name_else_of_all():
    values = np.array([1.0, 3.0, np.nan, 10.0, np.nan, np.nan])
    assert fill(values, ("Ada", "Ada", "Ada", "Bo", "Bo", "Cy")).tolist() == [1, 3, 2, 10, 10, 3]


@pytest.mark.slow  # t-SNE
def test_the_overview_reports_unbalanced_names_and_missing_numbers():
    table = made_up({"Ada": 40, "Bo": 10})
    table.numbers["age"] = np.where(np.arange(50) < 8, np.nan, 20.0 + np.arange(50) % 3)
    overview = summarize(table, FolderInfo("test", 64, "mtcnn", "", 50, {"unreadable": 3}))
    assert overview.notes[0] == "50 faces · unreadable 3."
    assert "all names where that name has none: age 8." in overview.notes[1]
    assert (
        "Ada has 40 photos, Bo 10: 4.0 times as many. The names are unbalanced: 1 have less"
        in overview.notes[2]
    )
    assert np.isfinite(overview.numbers["age"]).all() and len(overview.pictures) == 4


def test_an_overview_of_long_ids_and_of_thousands_of_names_is_drawn():
    table = made_up({"Ada": 5, "Bo": 4})
    table.numbers["id"] = 1.7e18 + 256.0 * np.arange(9)
    overview = summarize(table, FolderInfo("test", 64, "mtcnn", "", 9, {}))
    assert overview.numbers["id"][0] == 1.7e18
    names = tuple(f"Star {number}" for number in range(9131))
    assert draw_counts(replace(table, names=names)).get_figwidth() == WIDEST


def test_faces_of_some_records_do_not_pass_as_those_of_all(tmp_path: Path):
    for name in ("Ada", "Bo"):
        (tmp_path / "stars" / name).mkdir(parents=True)
        Image.fromarray(speckled((200, 0, 0))).save(tmp_path / "stars" / name / "1.png")
    tools = {"detector": BrightDetector(), "embedder": ColourEmbedder(), "side": 112}
    some, every = (open_sources([str(tmp_path / "stars")], limit=limit) for limit in (1, None))
    assert find_faces(some, tmp_path / "faces", **tools).faces == 1
    with pytest.raises(TrainingError, match=r"made in another way \(limit\)"):
        find_faces(every, tmp_path / "faces", **tools)


# Settings and networks


def test_an_option_that_is_not_given_has_the_networks_default():
    settings, named = settings_from({"epochs": 2, "zoom": 0.0, "run": "x"}, "mobilenet")
    assert (settings.size, settings.epochs, settings.augmentation.zoom) == (96, 2, 0.0)
    assert settings.augmentation.rotation == Augmentation().rotation
    assert named == ("epochs", "augmentation")


@pytest.mark.parametrize(
    ("network", "given", "sentence"),
    [
        ("scratch", {"size": 32}, "--size is 32; scratch takes 64 to 224 pixels"),
        ("compact", {"size": 96}, "--size is 96; compact takes 112 pixels"),
        ("scratch", {"epochs": 0}, "--epochs, --batch and --patience must be at least 1"),
        ("scratch", {"dropout": 1.0}, "--dropout must be at least 0 and below 1"),
        ("scratch", {"rate": 0.0}, "--rate and --head-rate must be above 0"),
        ("ensemble", {"members": ["one"]}, "needs at least two runs"),
    ],
)
def test_invalid_settings_are_refused(network: str, given: dict[str, object], sentence: str):
    with pytest.raises(TrainingError, match=sentence):
        settings_from(given, network)


def test_a_missing_gpu_is_reported():
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU here")
    with pytest.raises(TrainingError, match=r"finds no GPU here\. Leave out --device"):
        use_device("gpu")


def test_the_shape_of_the_bundled_network_is_read_from_its_file(tmp_path: Path):
    widths, dim = widths_of(BUNDLED / "compact.onnx")
    assert dim == 128 and widths.late[2] >= 6 and (widths.stem, widths.early[0]) == (32, 64)
    assert widths == replace(CompactWidths(), early=widths.early, middle=widths.middle, late=widths.late)
    (tmp_path / "other.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError, match="is not an exported `compact`"):
        widths_of(tmp_path / "other.onnx")
    with pytest.raises(MissingFileError, match="no network at"):
        widths_of(tmp_path / "nowhere.onnx")


def tiny_application(*, weights: str | None, input_shape: tuple[int, ...], **how: object) -> keras.Model:
    """A network of one layer as Keras Applications would make it; its weights cannot be downloaded."""
    if weights:
        raise Exception("URL fetch failure on https://somewhere: None -- Name or service not known")
    image = keras.Input(input_shape)
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
    return keras.Model(image, pooled)


def test_a_network_whose_weights_cannot_be_downloaded_starts_at_random_and_says_so(capsys):
    settings, _ = settings_from({}, "mobilenet")
    built = build(settings, 3, np.zeros((2, 64, 64, 3), np.uint8), fetch=tiny_application)
    assert built.pretrained is None and "could not be downloaded (URL fetch failure" in built.base
    assert "It trains from scratch" in capsys.readouterr().out
    assert built.core.output_shape == (None, 3)
    assert built.core.get_layer("features").output.shape == (None, 256)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["mobilenet", "inception"])
def test_the_networks_of_keras_applications_accept_their_smallest_size(network: str):
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


@pytest.mark.slow(eager=True)
def test_a_classifier_learns_and_its_run_has_all_that_a_report_and_the_app_need(data: Data, tmp_path: Path):
    run = classify(data, tmp_path / "mine", replace(TINY, epochs=6))
    assert run.finished and run.names == ("Ada", "Bo", "Cy") and run.versions["keras"] == keras.__version__
    assert load_run(tmp_path / "mine") == run
    classifier = open_classifier(tmp_path / "mine")
    test = data.parts["test"]
    assert score(predict(classifier, test.faces.images), test.labels).top1 == 1.0
    embedder = load_embedder(str(tmp_path / "mine"))
    assert (embedder.model.name, embedder.model.dim, embedder.model.input_size) == ("mine", 256, (64, 64))
    batch = test.faces.images.astype(np.float32) / 255
    features = features_of(classifier)
    both = [unit_rows(np.asarray(features(faces))) for faces in (batch, batch[:, :, ::-1])]
    exported = embedder.embed_crops(list(test.faces.images))
    assert np.allclose(exported, unit_rows(both[0] + both[1]), atol=1e-4)
    files = {file.name for file in (tmp_path / "mine").iterdir()}
    assert {"run.json", "log.csv", "best.weights.h5", "augmentation.png", "classifier.keras"} <= files
    with pytest.raises(TrainingError, match="holds a run already; continue it with --resume"):
        classify(data, tmp_path / "mine", TINY)


class FullDisk(keras.callbacks.Callback):
    """After some epochs, leave half of the latest backup and fail, as on a full disk."""

    def __init__(self, run: Path, epochs: int) -> None:
        super().__init__()
        self._run, self._epochs = run, epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch + 1 == self._epochs:
            backup = self._run / "checkpoint-training" / "latest.weights.h5"
            backup.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
            raise OSError(errno.ENOSPC, "No space left on device")


def tiny_network(base: keras.Model | None = None) -> keras.Model:
    """A classifier of one layer, after random layers and `base`."""
    keras.utils.set_random_seed(0)
    face = keras.Input((64, 64, 3))
    x = keras.layers.AveragePooling2D(16)(keras.layers.RandomFlip(seed=1)(face))
    x = keras.layers.Dropout(0.2, seed=2)(base(x) if base else keras.layers.Flatten()(x))
    return keras.Model(face, keras.layers.Dense(3, "softmax")(x))


def fit_tiny(
    data: Data,
    run: Path,
    settings: ClassifySettings,
    *,
    base: keras.Model | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.Model:
    run.mkdir(exist_ok=True)
    network, parts = tiny_network(base), data.parts
    fit(network, base, parts["train"], parts["validation"], run, settings, 3, callbacks=callbacks)
    return network


@pytest.mark.slow(eager=True)
def test_a_run_on_a_full_disk_resumes_and_ends_as_an_undisturbed_one(data: Data, tmp_path: Path):
    settings = replace(TINY, epochs=4)
    whole = fit_tiny(data, tmp_path / "whole", settings)
    with pytest.raises(OSError, match="No space left"):
        fit_tiny(data, tmp_path / "cut", settings, callbacks=[FullDisk(tmp_path / "cut", 3)])
    cut = fit_tiny(data, tmp_path / "cut", settings)
    mine, theirs = ([{**row, "seconds": 0} for row in read_log(tmp_path / run)] for run in ("cut", "whole"))
    assert [row["epoch"] for row in mine] == [1, 2, 3, 4]
    for row, expected in zip(mine, theirs, strict=True):
        assert row == pytest.approx(expected, abs=1e-4)
    for weights, expected in zip(cut.get_weights(), whole.get_weights(), strict=True):
        assert np.allclose(weights, expected, atol=1e-4)


class Interruption(keras.callbacks.Callback):
    """Interrupt the run after some epochs."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch + 1 == self._epochs:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_run_of_two_phases_that_is_interrupted_in_either_ends_as_an_undisturbed_one(
    data: Data, tmp_path: Path, epochs: int
):
    settings = replace(TINY, head_epochs=2, epochs=2)

    def base() -> keras.Model:
        keras.utils.set_random_seed(1)
        return keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(8)])

    whole = fit_tiny(data, tmp_path / "whole", settings, base=base())
    with pytest.raises(KeyboardInterrupt):
        fit_tiny(data, tmp_path / "cut", settings, base=base(), callbacks=[Interruption(epochs)])
    cut = fit_tiny(data, tmp_path / "cut", settings, base=base())
    assert [row["epoch"] for row in read_log(tmp_path / "cut")] == [1, 2, 3, 4]
    for weights, expected in zip(cut.get_weights(), whole.get_weights(), strict=True):
        assert np.allclose(weights, expected, atol=1e-4)


@pytest.mark.slow(eager=True)
def test_early_stopping_counts_the_epochs_before_an_interruption(data: Data, tmp_path: Path):
    """At a learning rate of almost 0, no epoch is better than the first."""
    settings = replace(TINY, epochs=9, patience=3, rate=1e-12)
    fit_tiny(data, tmp_path / "whole", settings)
    with pytest.raises(KeyboardInterrupt):
        fit_tiny(data, tmp_path / "cut", settings, callbacks=[Interruption(2)])
    fit_tiny(data, tmp_path / "cut", settings)
    fit_tiny(data, tmp_path / "cut", settings)  # it stays stopped
    epochs = [[row["epoch"] for row in read_log(tmp_path / run)] for run in ("cut", "whole")]
    assert epochs[0] == epochs[1] and len(epochs[0]) < 9


def test_a_run_that_an_earlier_version_began_cannot_be_resumed(data: Data, tmp_path: Path):
    (tmp_path / "checkpoint-0001.npz").write_bytes(b"")
    with pytest.raises(TrainingError, match="An earlier version began the run"):
        fit_tiny(data, tmp_path, TINY)


def test_an_unfinished_run_cannot_be_used(tmp_path: Path):
    save_run(Run(TINY, ("Ada", "Bo"), "", "", 64, "", {}), tmp_path)
    with pytest.raises(TrainingError, match="is not finished"):
        open_classifier(tmp_path)
    with pytest.raises(WeightsError, match="when it ends"):
        find_model(str(tmp_path))


def test_a_run_resumes_only_with_its_own_settings_and_faces(data: Data, tmp_path: Path):
    save_run(Run(TINY, ("Ada", "Bo", "Cy"), "", "a split", 64, "", {}), tmp_path)
    with pytest.raises(TrainingError, match=r"other settings \(rate\)"):
        classify(data, tmp_path, replace(TINY, rate=1.0), resume=True, given=("rate",))
    with pytest.raises(TrainingError, match="a run on another split"):
        classify(replace(data, split_hash="other"), tmp_path, TINY, resume=True)
    assert resumed(TINY, ("epochs",), replace(TINY, epochs=9)) == replace(TINY, epochs=9)


def test_a_run_that_cannot_be_read_says_what_to_do(tmp_path: Path):
    save_run(Run(TINY, ("Ada", "Bo"), "", "", 64, "", {}), tmp_path)
    fields = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**fields, "format": 0}))
    message = "holds a run of format 0, this version reads format 1; train again"
    with pytest.raises(TrainingError, match=message):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(TrainingError, match="cannot be read; train again"):
        load_run(tmp_path)
    with pytest.raises(MissingFileError, match="There is no run in"):
        load_run(tmp_path / "nowhere")


@pytest.mark.slow
def test_a_finished_run_can_be_continued_for_more_epochs(data: Data, tmp_path: Path):
    classify(data, tmp_path, replace(TINY, epochs=1))
    classify(data, tmp_path, replace(TINY, epochs=2), resume=True, given=("epochs",))
    assert [row["epoch"] for row in read_log(tmp_path)] == [1, 2]


@pytest.mark.slow
def test_a_damaged_network_says_which_keras_made_it(data: Data, tmp_path: Path):
    classify(data, tmp_path, replace(TINY, epochs=1))
    (tmp_path / "classifier.keras").write_bytes(b"cut short")
    with pytest.raises(TrainingError, match=f"made with Keras {keras.__version__}"):
        open_classifier(tmp_path)
    (tmp_path / "embedder.json").write_text("{}")
    with pytest.raises(WeightsError, match="train the run again"):
        find_model(str(tmp_path))


# Metrics


def test_an_ensemble_gives_the_mean_of_its_members_probabilities():
    faces = made_up({"Ada": 2, "Bo": 2, "Cy": 2}).images
    members = []
    for size in (64, 80):
        core = build(replace(TINY, size=size), 3, faces).core
        face = keras.Input((64, 64, 3))
        members.append(Member(f"{size}", keras.Model(face, core(resized(face, core)))))
    ensemble = join(members)
    probabilities = [predict(member.classifier, faces) for member in members]
    assert np.ptp(probabilities, axis=0).max() > 0.01
    assert predict(ensemble, faces) == pytest.approx(np.mean(probabilities, axis=0), abs=1e-5)
    features = [features_of(member.classifier).predict(faces / np.float32(255)) for member in members]
    whole = features_of(ensemble).predict(faces / np.float32(255))
    assert whole == pytest.approx(np.hstack([unit_rows(rows) for rows in features]), abs=1e-5)


def test_the_metrics_of_a_classification_by_hand():
    probabilities = np.array([[0.8, 0.2, 0.0], [0.6, 0.4, 0.0], [0.0, 0.3, 0.7], [0.5, 0.0, 0.5]])
    labels = np.array([0, 1, 2, 1])
    scores = score(probabilities, labels)
    assert (scores.photos, scores.top1, scores.top5) == (4, 0.5, 1.0)
    assert scores.loss == pytest.approx(-np.log([0.8, 0.4, 0.7, 1e-12]).mean())
    assert by_name(probabilities, labels, 4)[:3].tolist() == [1, 0, 1] and np.isnan(
        by_name(probabilities, labels, 4)[3]
    )
    assert confusion(probabilities, labels).tolist() == [[1, 0, 0], [2, 0, 0], [0, 0, 1]]
    bins = calibrate(np.array([[0.95, 0.05], [0.91, 0.09], [0.4, 0.6]]), np.array([0, 1, 1]))
    assert [(part.photos, part.accuracy) for part in bins] == [(1, 1.0), (2, 0.5)]
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


@pytest.mark.slow(eager=True)
def test_a_compact_network_of_any_depth_is_recognized(tmp_path: Path):
    widths = CompactWidths(8, (8, 4, 1), (16, 8, 3), (24, 8, 2))
    faces = np.random.default_rng(0).integers(0, 256, (32, 112, 112, 3), np.uint8)
    export_onnx(compact(widths, 32), tmp_path / "small.onnx", faces)
    assert widths_of(tmp_path / "small.onnx") == (widths, 32)
