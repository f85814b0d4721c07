"""The guide's own commands, one after the other, on drawn faces: from photos to a served gallery."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import app
import build_gallery
from lookalike.errors import MismatchError
from lookalike.evaluation.splits import load_split
from lookalike.gallery.gallery import Gallery
from lookalike.space.finders import load_finders
from lookalike.training.__main__ import main as training
from tests.support.drawing import HAIRS, draw_face
from tests.support.page_reader import PageReader
from tests.support.paths import ROOT

GUIDE = ROOT / "docs" / "training.md"
PEOPLE, PHOTOS = 4, 8
COMMANDS = {"lookalike.training": training, "build_gallery.py": build_gallery.main}


def commands() -> list[list[str]]:
    """The guide's Python commands, without those that need the Hub."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = "".join(block for language, block in blocks if not language).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("python ")]


def draw_photo(seed: int, number: int) -> bytes:
    """A photo of the drawn person of that seed: with its own rotation, light and hair."""
    random = np.random.default_rng((seed, number))
    face = draw_face(seed, size=160, turn=float(random.uniform(-15, 15)), hair=HAIRS[number % len(HAIRS)])
    lit = np.clip(face * random.uniform(0.6, 1.25, 3), 0, 255).astype(np.uint8)
    blurred = cv2.GaussianBlur(lit, (0, 0), 0.4 + 0.15 * number)
    file = io.BytesIO()
    Image.fromarray(blurred).save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset named as in the guide, of people who are in no training set."""
    folder = tmp_path_factory.mktemp("guide")
    names = load_split().test[:PEOPLE]
    rows = [
        {"image": draw_photo(seed, number), "name": name}
        for seed, name in enumerate(names)
        for number in range(PHOTOS)
    ]
    pq.write_table(
        pa.Table.from_pylist([*rows, {"image": b"junk", "name": names[0]}]), folder / "bollywood.parquet"
    )
    return folder


def quick(words: list[str]) -> list[str]:
    """The command with one epoch instead of several."""
    text = re.sub(r"--(head-)?epochs \d+", r"--\1epochs 1", shlex.join(words))
    return shlex.split(text)


@pytest.mark.slow
def test_the_guides_commands_lead_from_photos_to_a_served_gallery(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(folder)
    (folder / "lookalike").symlink_to(ROOT / "lookalike")  # the guide names a file of the project
    done = []
    for words in map(quick, commands()):
        program = words[2] if words[1] == "-m" else words[1]
        rest = words[3:] if words[1] == "-m" else words[2:]
        if program == "app.py":
            options = app.parse(rest)
            finders = load_finders(options.gallery, model=options.model, detector=options.detector)
            (face, *_) = finders.served.find(draw_photo(0, 0))
            assert face.matches[0].name in load_split().test[:PEOPLE]
        else:
            assert COMMANDS[program](rest) == 0, (words, capsys.readouterr().err)
        done.append(f"{program} {rest[0]}" if program == "lookalike.training" else program)
    assert {"lookalike.training inspect", "lookalike.training split", "lookalike.training report"} <= set(
        done
    )
    assert done[-2:] == ["build_gallery.py", "app.py"]
    _check_reports(folder / "runs")
    with pytest.raises(MismatchError, match="has no table for the model 'scratch'"):
        load_finders(
            str(folder / "runs" / "gallery"), model=str(folder / "runs" / "scratch"), detector="mtcnn"
        )
    with pytest.raises(MismatchError, match=r"has no table for the model 'fine-tuned' \(it has: .*compact"):
        load_finders(None, model=str(folder / "runs" / "fine-tuned"), detector="mtcnn")


def _check_reports(runs: Path) -> None:
    reports = sorted(runs.glob("*/report"))
    assert [report.parent.name for report in reports] == ["ensemble", "fine-tuned", "mobilenet", "scratch"]
    for report in reports:
        reader = PageReader()
        reader.feed((report / "report.html").read_text(encoding="utf-8"))
        assert reader.links and all(link.startswith("data:image/png") for link in reader.links)
        assert "unreadable 1" in reader.text and "nearest training photo by compact" in reader.text
        figures = json.loads((report / "report.json").read_text(encoding="utf-8"))
        assert 0 <= figures["scores"]["test"]["top1"] <= 1 and len(figures["names"]) == PEOPLE
        for picture in report.glob("*.png"):
            assert np.asarray(Image.open(picture).convert("L")).std() > 5, picture
    ensemble = json.loads((runs / "ensemble" / "report" / "report.json").read_text(encoding="utf-8"))
    assert {"second alone", "fine-tuned alone"} <= {baseline["title"] for baseline in ensemble["baselines"]}
    assert Gallery.load(runs / "gallery", model="fine-tuned").settings.dim == 128
