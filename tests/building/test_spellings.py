"""Names that are one person's, names that are not, and names that the output cannot encode."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from build_gallery import main
from lookalike.gallery.gallery import Gallery
from tests.support.fakes import BrightDetector, ColourEmbedder, speckled
from tests.support.paths import ROOT

NAGATA, NAKATA = "ながた", "なかた"
COLOURS = ((200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200), (200, 0, 200))


def write_people(folder: Path, *names: str) -> Path:
    """Write a folder with one photo of each name, each of another colour."""
    for name, colour in zip(names, COLOURS, strict=False):
        (folder / name).mkdir(parents=True)
        Image.fromarray(speckled(colour)).save(folder / name / "1.png")
    return folder


def run(*arguments: object) -> int:
    texts = [str(argument) for argument in arguments]
    return main(texts, detectors=lambda name: BrightDetector(), embedders=lambda name: ColourEmbedder())


def names_in(folder: Path) -> tuple[str, ...]:
    return Gallery.load(folder, model="colour").names


def test_names_that_differ_in_a_voiced_sound_mark_are_two_people(tmp_path: Path):
    stars = write_people(tmp_path / "stars", NAGATA, NAKATA)
    assert run(stars, "--output", tmp_path / "gallery") == 0
    assert sorted(names_in(tmp_path / "gallery")) == sorted((NAGATA, NAKATA))


def test_removing_a_name_leaves_the_one_that_differs_in_a_voiced_sound_mark(tmp_path: Path):
    stars = write_people(tmp_path / "stars", NAGATA, NAKATA)
    assert run(stars, "--output", tmp_path / "gallery") == 0
    assert run(tmp_path / "gallery", "--remove", NAGATA) == 0
    assert names_in(tmp_path / "gallery") == (NAKATA,)


def test_excluding_a_name_leaves_the_one_that_differs_in_a_voiced_sound_mark(tmp_path: Path):
    stars = write_people(tmp_path / "stars", NAGATA, NAKATA)
    (tmp_path / "exclude.txt").write_text(f"{NAKATA}\n", encoding="utf-8")
    assert run(stars, "--output", tmp_path / "gallery", "--exclude", tmp_path / "exclude.txt") == 0
    assert names_in(tmp_path / "gallery") == (NAGATA,)


def test_spellings_that_are_merged_are_counted_printed_and_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    stars = write_people(tmp_path / "stars", "Beyonce", "Beyoncé", "Bo-Li", "BO LI", "Cy")
    assert run(stars, "--output", tmp_path / "gallery") == 0
    assert names_in(tmp_path / "gallery") == ("BO LI", "Beyonce", "Cy")
    assert capsys.readouterr().out.splitlines()[2] == (
        "2 names are spelled in several ways, which count as one person: Beyonce (Beyoncé); BO LI (Bo-Li)"
    )
    with (tmp_path / "gallery" / "rejected.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["record", "reason"],
            ["stars/Beyoncé/1.png", "Beyoncé is kept as Beyonce"],
            ["stars/Bo-Li/1.png", "Bo-Li is kept as BO LI"],
        ]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_output_that_cannot_encode_a_name_does_not_end_the_build(tmp_path: Path, encoding: str):
    stars = write_people(tmp_path / "stars", "Łukasz", "ŁUKASZ", NAGATA)
    code = """
import sys
from build_gallery import main
from tests.support.fakes import BrightDetector, ColourEmbedder
sys.exit(main(sys.argv[1:], detectors=lambda name: BrightDetector(), embedders=lambda name: ColourEmbedder()))
"""
    output = tmp_path / "gallery-ł"
    done = subprocess.run(
        [sys.executable, "-c", code, stars, "--output", output],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        encoding=encoding,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert "gallery-\\u0142" in done.stdout and "kept 3" in done.stdout
    assert len(names_in(output)) == 2
