"""The command, run for real: on drawn faces with the real detector, and on everything that can be wrong."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from datasets import load_dataset
from PIL import Image

from build_gallery import HOW_TO_RESUME, main
from lookalike.building.account import Rejection, write_rejections
from lookalike.building.arguments import EXCLUDE
from lookalike.building.people import read_names
from lookalike.errors import WeightsError
from lookalike.faces.detectors import load_detector
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.gallery.work_folder import WORK, exclusive
from lookalike.names import person_key
from tests.support.drawing import draw_face
from tests.support.fakes import BrightDetector, ColourEmbedder, speckled
from tests.support.paths import ROOT

COLOURS = {  # of two photos each, different enough to be no copies
    "Ada_Lovelace": ((200, 0, 0), (200, 90, 0)),
    "Bo": ((0, 200, 0), (0, 200, 90)),
    "Saddam Hussein": ((0, 0, 200), (90, 0, 200)),
}


@pytest.fixture
def stars(tmp_path: Path) -> Path:
    """A folder of three names with two photos each, one of them on the list that ships."""
    for name, colours in COLOURS.items():
        (tmp_path / "stars" / name).mkdir(parents=True)
        for number, colour in enumerate(colours):
            Image.fromarray(speckled(colour)).save(tmp_path / "stars" / name / f"{number}.png")
    return tmp_path / "stars"


def run(*arguments: object) -> int:
    """Run the command with a detector and a model that need no weights."""
    texts = [str(argument) for argument in arguments]
    return main(texts, detectors=lambda name: BrightDetector(), embedders=lambda name: ColourEmbedder())


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, ROOT / "build_gallery.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,  # a machine under load
    )


def test_a_gallery_is_written_that_can_be_loaded_and_every_record_is_accounted_for(stars, tmp_path, capsys):
    output = tmp_path / "gallery"
    assert run(stars, "--output", output) == 0
    gallery = Gallery.load(output, model="colour")
    assert (gallery.names, len(gallery)) == (("Ada Lovelace", "Bo"), 4)
    assert gallery.origin(0) == "stars/Ada_Lovelace/0.png"
    assert capsys.readouterr().out.splitlines() == [
        f"2 names in 4 rows written to {output}",
        "kept 4 · no face 0 · several faces 0 · too small 0 · unreadable 0 · excluded 2",
        f"See {output / 'rejected.csv'} for each record that was left out",
        f"Serve it with: python app.py --gallery {output}",
    ]
    assert sorted(path.name for path in output.iterdir()) == [".work", "README.md", "colour", "rejected.csv"]
    assert (output / "rejected.csv").read_text(encoding="utf-8").splitlines() == [
        "record,reason",
        "stars/Saddam Hussein/0.png,excluded",
        "stars/Saddam Hussein/1.png,excluded",
    ]


def test_datasets_reads_what_was_written(stars, tmp_path):
    output = tmp_path / "gallery"
    assert run(stars, "--output", output) == 0
    rows = load_dataset(str(output), "colour", split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.column_names == ["name", "photo", "embedding", "confidence", "origin", "photos", "category"]
    assert (rows[0]["name"], rows[0]["photo"].size, rows[0]["photos"]) == ("Ada Lovelace", (70, 70), 1)


def test_the_options_reach_the_build(stars, tmp_path, capsys):
    exclude = tmp_path / "exclude.txt"
    exclude.write_text("# nobody but\nBO  # this one\n\n", encoding="utf-8")
    options = ["--one-row", "--min-photos", 2, "--exclude", exclude, "--limit", 5, "--licence", "cc0-1.0"]
    assert run(stars, "--output", tmp_path / "gallery", *options) == 0
    gallery = Gallery.load(tmp_path / "gallery", model="colour")
    assert (gallery.names, gallery.photo(0), gallery.settings.licence) == (("Ada Lovelace",), None, "cc0-1.0")
    assert capsys.readouterr().out.splitlines()[1].endswith("excluded 2 · of names with fewer than 2 1")


def test_building_again_replaces_the_gallery_and_leaves_other_models(stars, tmp_path):
    output = tmp_path / "gallery"
    assert run(stars, "--output", output) == 0
    (output / "colour").rename(output / "older")
    assert run(stars, "--output", output, "--one-row") == 0
    assert run(stars, "--output", output, "--one-row") == 0
    assert sorted(path.name for path in output.glob("[!.]*/")) == ["colour", "older"]
    assert '- config_name: "older"' in (output / "README.md").read_text(encoding="utf-8")


def test_drawn_faces_are_found_by_the_real_detector(tmp_path):
    for seed, name in enumerate(("Ada", "Bo")):
        (tmp_path / "stars" / name).mkdir(parents=True)
        Image.fromarray(draw_face(seed=seed)).save(tmp_path / "stars" / name / "1.png")
    arguments = [str(tmp_path / "stars"), "--output", str(tmp_path / "gallery")]
    assert main(arguments, detectors=load_detector, embedders=lambda name: ColourEmbedder()) == 0
    gallery = Gallery.load(tmp_path / "gallery", model="colour")
    assert (gallery.names, gallery.settings.detector) == (("Ada", "Bo"), "mtcnn")


# Bad input: one sentence, exit code 2, and nothing written


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{tmp}/nowhere.parquet"], "There is nothing at {tmp}/nowhere.parquet"),
        (["{tmp}/empty"], "The folder {tmp}/empty holds no folders with photos"),
        (["{tmp}/notes.txt"], "{tmp}/notes.txt is not a Parquet file that can be read"),
        (["{tmp}/junk"], "No face of the 1 records can be kept"),
        (["{tmp}/stars", "--exclude", "{tmp}/none.txt"], "There is no file of names at {tmp}/none.txt"),
        (["{tmp}/stars", "--exclude", "{tmp}/latin.txt"], "{tmp}/latin.txt cannot be read as UTF-8 text"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(stars, tmp_path, capsys, arguments, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("not Parquet")
    (tmp_path / "junk" / "Ada").mkdir(parents=True)
    (tmp_path / "junk" / "Ada" / "1.jpg").write_text("not a photo")
    (tmp_path / "latin.txt").write_bytes("Beyoncé".encode("latin-1"))
    before = sorted(tmp_path.rglob("*"))
    assert run(*[part.format(tmp=tmp_path) for part in arguments], "--output", tmp_path / "gallery") == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"error: {sentence.format(tmp=tmp_path)}") and last.endswith((".", ")"))
    assert [
        path for path in sorted(tmp_path.rglob("*")) if path not in before and WORK not in path.parts
    ] in (
        [],
        [tmp_path / "gallery"],  # that no photo is one is kept, so that it need not be found out again
    )


@pytest.mark.parametrize("option", ["--model", "--detector"])
def test_an_unknown_model_or_detector_is_refused_with_those_there_are(stars, tmp_path, option):
    embedders = {"embedders": lambda name: ColourEmbedder()} if option == "--detector" else {}
    assert main([str(stars), "--output", str(tmp_path / "gallery"), option, "nonesuch"], **embedders) == 2
    assert not (tmp_path / "gallery").exists()


def test_a_folder_with_other_files_is_left_alone(stars, capsys):
    before = sorted(stars.rglob("*"))
    assert run(stars, "--output", stars) == 2
    assert "holds other files" in capsys.readouterr().err
    assert sorted(stars.rglob("*")) == before


def test_a_gallery_can_be_built_where_its_source_was_inspected(stars, tmp_path):
    output = tmp_path / "gallery"
    assert run(stars, "--inspect", "--output", output) == 0
    assert run(stars, "--output", output) == 0
    assert Gallery.load(output, model="colour").names == ("Ada Lovelace", "Bo")


def test_a_build_that_was_killed_while_it_wrote_its_first_gallery_goes_on(stars, tmp_path):
    output = tmp_path / "gallery"
    assert run(stars, "--output", output) == 0
    (output / "colour" / SETTINGS_FILE).unlink()  # it is written last
    assert run(stars, "--output", output) == 0
    assert Gallery.load(output, model="colour").names == ("Ada Lovelace", "Bo")


def test_an_output_that_cannot_be_a_folder_is_refused(stars, tmp_path, capsys):
    (tmp_path / "file").write_text("here")
    assert run(stars, "--output", tmp_path / "file") == 2
    assert run(stars, "--output", tmp_path / "file" / "below") == 2
    assert capsys.readouterr().err.count("cannot be written") == 2


def test_weights_that_are_missing_are_one_sentence(stars, tmp_path, capsys):
    def missing(name: str):
        raise WeightsError("The weights are missing.")

    assert main([str(stars), "--output", str(tmp_path / "gallery")], embedders=missing) == 2
    assert capsys.readouterr().err == "error: The weights are missing.\n"


def test_interrupting_says_how_to_go_on(stars, tmp_path, capsys):
    class Interrupted(BrightDetector):
        def detect(self, image):
            raise KeyboardInterrupt

    arguments = [str(stars), "--output", str(tmp_path / "gallery")]
    code = main(arguments, detectors=lambda name: Interrupted(), embedders=lambda name: ColourEmbedder())
    assert (code, capsys.readouterr().err.splitlines()[-1]) == (130, f"Stopped. {HOW_TO_RESUME}")


def test_two_builds_do_not_work_in_one_folder(stars, tmp_path, capsys):
    with exclusive(tmp_path / "gallery"):
        assert run(stars, "--output", tmp_path / "gallery") == 2
    assert "Another build is running" in capsys.readouterr().err
    assert run(stars, "--output", tmp_path / "gallery") == 0


def test_an_earlier_gallery_survives_a_build_that_fails(stars, tmp_path):
    output = tmp_path / "gallery"
    assert run(stars, "--output", output) == 0
    files = [path for path in output.rglob("*") if path.is_file() and WORK not in path.parts]
    before = {path: path.read_bytes() for path in files}
    for photo in stars.rglob("*.png"):
        photo.write_text("not a photo")
    assert run(stars, "--output", output) == 2
    assert {path: path.read_bytes() for path in before} == before


def test_the_command_itself_leaves_with_2_and_a_sentence(tmp_path):
    answer = command("nobody/nothing", "--model", "nonesuch", "--output", tmp_path / "gallery")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("error: There is no model 'nonesuch'; choose one of compact,")
    assert answer.stderr.count("\n") == 1


def test_an_option_that_makes_no_sense_leaves_with_2(capsys):
    with pytest.raises(SystemExit) as left:
        run("stars", "--limit", "0", "--output", "gallery")
    assert left.value.code == 2
    assert "argument --limit: '0' is not a whole number of at least 1" in capsys.readouterr().err


def test_a_name_that_no_dataset_can_have_is_refused_before_the_build(capsys):
    for name in ("stars", "me/stars@v2", "/me/stars"):
        with pytest.raises(SystemExit):
            run("stars", "--push-to", name)
        assert f"--push-to takes OWNER/NAME, not '{name}'" in capsys.readouterr().err


def test_somebody_can_only_be_removed_from_a_gallery(tmp_path, capsys):
    assert run(tmp_path / "nowhere", "--remove", "Ada") == 2
    assert capsys.readouterr().err.startswith(f"error: There is no gallery at {tmp_path / 'nowhere'}; give")


def test_the_list_that_ships_holds_names_and_no_doubles():
    lines = [line for line in EXCLUDE.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert len(read_names(EXCLUDE)) == len(lines) > 100
    assert {person_key(name) for name in ("Osama Bin Laden", "Saddam Hussein")} < read_names(EXCLUDE)


def test_no_rejected_record_is_a_formula_to_a_spreadsheet(tmp_path: Path):
    names = ["=cmd|' /C calc'!A0/1.png", "+1", "-1", "@SUM(A1)", "\tx", "Ada/1.png"]
    write_rejections(tmp_path, [Rejection(name, "no face") for name in names])
    with (tmp_path / "rejected.csv").open(newline="", encoding="utf-8") as file:
        records = [row[0] for row in csv.reader(file)]
    assert records == ["record", *(f"'{name}" for name in names[:-1]), names[-1]]
