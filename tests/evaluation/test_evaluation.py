"""Evaluation: figures for photos and pairs that can be checked by hand, and the commands on drawn faces."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import MissingFileError, SourceError, WeightsError
from lookalike.evaluation.__main__ import main
from lookalike.evaluation.groups import few_of_several, measure_groups
from lookalike.evaluation.markdown import markdown
from lookalike.evaluation.models import PublicEmbedder, cost, open_model, short_names
from lookalike.evaluation.perturbations import at_edge, changes
from lookalike.evaluation.photos import Embedded, Photo, embed_photos, few_each, read_photos
from lookalike.evaluation.retrieval import Retrieval, by_side, look_up, look_up_often, summarize, taken_for
from lookalike.evaluation.splits import Side, Split, save_split
from lookalike.evaluation.verification import (
    Pair,
    PairScores,
    fold_accuracies,
    rates_by_source,
    score_pairs,
    verify,
)
from lookalike.models.registry import load_embedder
from lookalike.sources.opening import Record
from tests.support.deepface_process import run_deepface
from tests.support.drawing import draw_face
from tests.support.fakes import BrightDetector, ColourEmbedder, write_public_embedder, write_random_arcface

RED, GREEN, BLUE, BLACK = (200, 0, 0), (0, 200, 0), (0, 0, 200), (0, 0, 0)


def photo(
    name: str, colour: tuple[int, int, int] = RED, *, side: Side = "test", source: str = "web"
) -> Photo:
    data = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(data, "png")
    return Photo(Record(data.getvalue(), name, f"{source}#0", file=f"{name}.png"), name, source, side)


def embedded(rows: list[list[float]], people: list[str], found: list[bool] | None = None) -> Embedded:
    matrix = np.array(rows, np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return Embedded(
        tuple(photo(person) for person in people), matrix, np.array(found or [True] * len(people))
    )


def test_a_photo_without_a_face_gets_a_row_of_zeros():
    broken = Photo(Record(b"no photo", "di", "web#3"), "di", "web", "test")
    photos = [photo("ada", RED), photo("bo", BLACK), broken, photo("cy", BLUE)]
    result = embed_photos(photos, BrightDetector(), ColourEmbedder())
    assert result.found.tolist() == [True, False, False, True]
    assert result.embeddings.round(2).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1]]
    swapped = embed_photos(
        photos[:1], BrightDetector(), ColourEmbedder(), change=lambda image: image[:, :, ::-1]
    )
    assert swapped.embeddings.round(2).tolist() == [[0, 0, 1]]


def test_only_photos_of_the_requested_sides_are_read(tmp_path: Path):
    for name in ("Ada", "Bo"):
        (tmp_path / "web" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "web" / name / "1.png")
    split = Split(validation=(), test=("bo",))
    source = [str(tmp_path / "web")]
    assert [(p.person, p.side) for p in read_photos(source, split)] == [("ada", "train"), ("bo", "test")]
    assert [p.person for p in read_photos(source, split, ["test"])] == ["bo"]
    with pytest.raises(SourceError, match="no photos of people to evaluate on"):
        read_photos(source, split, ["validation"])


def test_gray_photos_are_distinguished_from_coloured_ones():
    assert photo("ada", (90, 90, 92)).grey() and not photo("ada", (90, 80, 60)).grey()
    assert not Photo(Record(b"no photo", "di", "web#3"), "di", "web", "test").grey()


def test_a_pair_without_a_face_counts_as_strangers():
    faces = embedded([[1, 0], [1, 0], [0, 1]], ["ada", "bo", "cy"], [True, True, False])
    pairs = [
        Pair("ada.png", "bo.png", True, 0),
        Pair("ada.png", "cy.png", True, 1),
        Pair("ada.png", "nobody.png", False, 1),
    ]
    scores = score_pairs(faces, pairs)
    assert scores.pairs == tuple(pairs[:2]) and scores.cosines.tolist() == [1, -1]
    with pytest.raises(SourceError, match="at least two folds"):
        score_pairs(faces, pairs[:1])


def test_the_threshold_of_each_fold_comes_from_the_other_folds():
    pairs = tuple(Pair("a", "b", same, fold) for fold in (0, 1) for same in (True, True, False, False))
    perfect = PairScores(pairs, np.array([0.9, 0.8, 0.1, 0.2] * 2, np.float32))
    assert fold_accuracies(perfect) == [1.0, 1.0]
    shifted = PairScores(pairs, np.array([0.9, 0.8, 0.1, 0.2, 0.3, 0.25, -0.3, -0.4], np.float32))
    assert np.mean(fold_accuracies(shifted)) == pytest.approx(0.5)  # correct only with its own threshold
    faces = embedded([[1, 0.1], [1, 0], [0, 1], [0.1, 1], [1, 1]], ["ada", "ada", "bo", "bo", "cy"])
    found = verify(perfect, faces)
    assert (found.accuracy, found.auc, found.error, found.folds) == (1.0, 1.0, 0.0, 2)
    assert (found.people, found.same_pairs, found.stranger_pairs) == (3, 2, 8)
    assert found.true_accepts == {1e-2: 1.0, 1e-3: 1.0, 1e-4: 1.0}


def test_every_source_has_rates_of_its_own_in_colour_and_grey():
    rows = np.array([[1, 0.1], [1, 0], [0, 1], [1, 0.1], [0, 1], [0, 1]], np.float32)
    people, grey = ["ada", "ada", "bo", "cy", "cy", "di"], (90, 90, 90)
    photos = [photo(person, source="web") for person in people[:3]]
    photos += [photo(person, grey, source="press") for person in people[3:]]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    press, web = rates_by_source(Embedded(tuple(photos), rows, np.array([True] * 6)))
    assert (press.source, press.grey, press.people, press.photos, press.same_pairs) == (
        "press",
        True,
        2,
        3,
        1,
    )
    assert (web.source, web.grey, web.same_pairs) == ("web", False, 1)
    assert set(web.true_accepts.values()) == {1.0} and set(press.true_accepts.values()) == {0.0}


def test_only_a_few_photos_of_each_person_are_used():
    assert few_each(["ada"] * 20 + ["bo"]) == [*range(8), 20]
    assert few_each([""] * 10 + ["bo"]) == [*range(11)]  # unnamed ones may all be different people


def test_people_are_ranked_by_their_best_photo():
    rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.9, 0.8, 0], [0.1, 1, 0], [0, 0, 1]]
    faces = embedded(rows, ["ada", "bo", "cy", "bo", "bo", "cy"], [True, True, True, True, True, False])
    found = look_up(faces, enrolled_each=1, seed=1)  # draws the bo of row 1
    assert (found.people, found.places.tolist()) == (("ada", "bo", "cy"), [3, 4, 5])
    assert (found.ranks.tolist(), found.first) == ([2, 1, 0], ("ada", "bo", ""))
    assert taken_for(faces, [found, found]) == {("bo", "ada"): 2, ("bo", "bo"): 2}
    assert by_side(faces, [found])["test"] == by_side(faces, [found])["all"]
    with pytest.raises(SourceError, match="more than 5 photos"):
        look_up_often(embedded([[1, 0], [0, 1]], ["ada", "bo"]), enrolled_each=5)


def test_every_draw_enrols_other_photos():
    rows = [[1, 0], [0.2, 1], [0.7, 0.7], [0.6, 0.8], [0.8, 0.6], [0, 1]]
    faces = embedded(rows, ["ada", "ada", "ada", "bo", "bo", "bo"])
    draws = look_up_often(faces, enrolled_each=1)
    assert len({tuple(found.places) for found in draws}) > 5
    figures = by_side(faces, draws)["all"]
    shares = [float((found.ranks == 1).mean()) for found in draws]
    assert (figures.draws, figures.photos) == (len(draws), 4)
    assert figures.top1 == pytest.approx(sum(shares) / len(shares)) and min(shares) < max(shares)
    assert figures.deviation == pytest.approx(np.std(shares)) and figures.deviation > 0


def test_a_photo_without_a_face_counts_as_wrong():
    assert summarize([np.array([1, 2, 0, 8])], names=9) == Retrieval(
        names=9,
        draws=1,
        photos=4,
        with_face=3,
        top1=0.25,
        deviation=0.0,
        top5=0.5,
        reciprocal_rank=pytest.approx((1 + 0.5 + 1 / 8) / 4),
    )


def test_every_change_returns_a_photo_and_keeps_its_input_unchanged():
    image = at_edge(draw_face(seed=1))
    assert max(image.shape) == 160
    before = image.copy()
    for group, value, change in changes():
        changed = change(image)
        assert changed.dtype == np.uint8 and changed.shape[2] == 3 and not np.array_equal(changed, image), (
            group
        )
        assert changed.shape == image.shape or group == "rotation", value
    assert np.array_equal(image, before)


def test_groups_show_what_a_model_depends_on():
    """An embedder of colours fails without colour, but not in the dark."""
    shades = {"ada": RED, "bo": GREEN, "cy": BLUE}
    photos = [photo(name, colour) for name, colour in shades.items() for _ in range(2)]
    photos.append(photo("di", source="elsewhere"))
    chosen = few_of_several(photos)
    assert [one.person for one in chosen] == ["ada", "ada", "bo", "bo", "cy", "cy"]
    rows = measure_groups(chosen, ColourEmbedder(), BrightDetector(), [BrightDetector()])
    by_name = {(row.group, row.value): row for row in rows}
    whole = by_name["all", "as they are"]
    assert (whole.photos, whole.found, whole.accuracy, whole.top1) == (6, 1.0, 1.0, 1.0)
    assert by_name["source", "web"].accuracy == by_name["detector", "bright"].accuracy == 1.0
    assert by_name["light", "25%"].accuracy == 1.0 and by_name["colour", "removed"].accuracy < 0.7
    assert by_name["detector", "bright"].steadiness == pytest.approx(1)


def test_a_public_network_and_one_of_ours_open_by_their_file(tmp_path: Path):
    with pytest.raises(MissingFileError, match="no network"):
        open_model(str(tmp_path / "nowhere.onnx"))
    write_public_embedder(tmp_path / "public.onnx")
    model = open_model(str(tmp_path / "public.onnx"))
    assert isinstance(model, PublicEmbedder) and model.model.dim == 3
    crops = [np.full((112, 112, 3), shade, np.uint8) for shade in (10, 200)]
    rows = model.embed_crops(crops)
    assert rows.shape == (2, 3) and np.linalg.norm(rows, axis=1) == pytest.approx(1)
    assert model.embed_crops([]).shape == (0, 3)
    with pytest.raises(WeightsError, match="that of a face embedder must be"):
        PublicEmbedder(Path("lookalike/bundled/compact.onnx"))
    ours = open_model("lookalike/bundled/compact.onnx")
    assert np.allclose(ours.embed_crops(crops), load_embedder().embed_crops(crops), atol=1e-6)


def test_names_of_models_are_unique():
    assert short_names(["compact", "runs/new.onnx"]) == ["compact", "new"]
    assert short_names(["compact", "old/compact.onnx"]) == ["compact", "old-compact.onnx"]


def test_the_cost_of_a_model_is_measured_in_a_new_process():
    price = cost("compact")
    assert price.megabytes is not None and price.megabytes <= 4
    assert price.milliseconds > 0 and price.memory > 1


def test_names_with_bars_or_line_breaks_do_not_break_a_table():
    assert markdown(["name"], [["a|b\nc"]]).splitlines()[-1] == "| a\\|b c |"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four drawn people with three photos each, all in the test set, and pairs in two folds."""
    folder = tmp_path_factory.mktemp("drawn")
    people = [f"Star {number}" for number in range(4)]
    for number, name in enumerate(people):
        (folder / "stars" / name).mkdir(parents=True)
        for place in range(3):
            face = draw_face(seed=number, turn=4 * place, size=240)
            Image.fromarray(face).save(folder / "stars" / name / f"{number}-{place}.png")
    lines = ["first\tsecond\tsame"]
    for fold in (0, 2):
        lines += [f"{n}-0.png\t{n}-1.png\t1" for n in range(fold, fold + 2)]
        lines += [f"{n}-0.png\t{(n + 1) % 4}-1.png\t0" for n in range(fold, fold + 2)]
    (folder / "pairs.tsv").write_text("\n".join(lines))
    save_split(Split(validation=(), test=tuple(people)), folder / "split.json")
    save_split(Split(validation=(), test=tuple(people[:2])), folder / "few.json")
    return folder


@pytest.mark.parametrize(
    ("command", "files"),
    [
        (["verify", "--pairs"], ["verify.json", "verify.md", "verify-roc.png"]),
        (["retrieve", "--photos-per-name", "2"], ["retrieve-stars.md", "retrieve-stars-compact.png"]),
        (["groups", "--other-detectors"], ["groups.json", "groups.md", "groups-accuracy.png"]),
    ],
)
def test_each_command_writes_a_table_a_json_and_a_chart(
    drawn: Path, tmp_path: Path, command: list[str], files: list[str], capsys: pytest.CaptureFixture[str]
):
    pairs = [str(drawn / "pairs.tsv")] if command[-1] == "--pairs" else []
    split = "few.json" if command[0] == "groups" else "split.json"  # it embeds every photo 25 times
    options = ["--split", str(drawn / split), "--output", str(tmp_path)]
    assert main([command[0], str(drawn / "stars"), *command[1:], *pairs, *options]) == 0
    table = capsys.readouterr().out
    assert table.startswith("| ") and "compact" in table + json.dumps(
        json.loads(next(tmp_path.glob("*.json")).read_text())
    )
    assert set(files) <= {file.name for file in tmp_path.iterdir()}


def test_the_scale_is_stored_beside_a_copy_of_the_model(drawn: Path, tmp_path: Path):
    for name in ("compact.onnx", "compact.json"):
        (tmp_path / name).write_bytes((Path("lookalike/bundled") / name).read_bytes())
    before = json.loads((tmp_path / "compact.json").read_text())
    options = ["--split", str(drawn / "split.json"), "--output", str(tmp_path / "reports")]
    options += ["--model", str(tmp_path / "compact.onnx")]
    assert main(["percentage", str(drawn / "stars"), *options]) == 0
    after = json.loads((tmp_path / "compact.json").read_text())
    assert after["sha256"] == before["sha256"] and after["percentage"] != before["percentage"]
    calibration = open_model(str(tmp_path / "compact.onnx")).calibration
    assert calibration and calibration.cohort and "that training never saw" in calibration.scale.fitted_on
    assert (tmp_path / "reports" / "percentage-groups.png").exists()


@pytest.mark.slow
def test_the_commands_evaluate_models_of_deepface(drawn: Path, tmp_path: Path):
    """With random weights. The scale is stored beside the weights and used only with them."""
    write_random_arcface(tmp_path)
    found = run_deepface(
        f"""
from pathlib import Path
from lookalike.models.registry import load_embedder, _loaded
from lookalike.evaluation.__main__ import main
options = [{str(drawn / "stars")!r}, "--split", {str(drawn / "split.json")!r}, "--pairs",
           {str(drawn / "pairs.tsv")!r}, "--output", {str(tmp_path / "reports")!r}]
codes = [main(["verify", *options, "--model", "compact", "ArcFace"])]
codes.append(main(["percentage", *options[:3], *options[5:], "--model", "ArcFace"]))
_loaded.clear()
fitted = load_embedder("ArcFace").calibration.scale
weights = Path({str(tmp_path)!r}) / ".deepface" / "weights" / "arcface_weights.onnx"
weights.write_bytes(weights.read_bytes() + b" ")
_loaded.clear()
others = load_embedder("ArcFace").calibration
print(json.dumps({{"codes": codes, "fitted": fitted.fitted_on, "others": others}}))
""",
        tmp_path,
    )
    assert found["codes"] == [0, 0] and found["others"] is None
    assert "that training never saw" in found["fitted"]
    models = json.loads((tmp_path / "reports" / "verify.json").read_text())
    assert list(models) == ["compact", "ArcFace"]


def test_a_missing_file_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["groups", str(tmp_path / "nowhere")]) == 2
    assert main(["verify", str(tmp_path), "--pairs", str(tmp_path / "nowhere.tsv")]) == 2
    assert capsys.readouterr().err.count("error: There is no") == 2
