"""build_gallery.py --portraits, run for real against a local Wikimedia with drawn faces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from build_gallery import main
from lookalike.faces.detectors import load_detector
from lookalike.finder import Lookalikes
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.models.registry import load_embedder
from lookalike.space.drawing.cards import encode
from tests.support.drawing import draw_face, draw_landscape
from tests.support.fakes import settings
from tests.support.wikimedia_server import COMMONS, MEDIA, busy, serve_wikimedia

FACES = {"Ada": 0, "Bo | <b>": 1, "Cy": 5}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    with serve_wikimedia() as running:
        running.add("Ada", encode(draw_face(0, turn=8)), Artist="Jo | Doe", file="Ada (1).jpg")
        running.add("Cy", encode(draw_landscape()))
        monkeypatch.setenv("LOOKALIKE_WIKIMEDIA", running.base)
        monkeypatch.setenv("LOOKALIKE_CONTACT", "me@example.org")
        yield running


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    """The folder of a gallery of three people without photos."""
    detector, embedder = load_detector(), load_embedder()
    model, rows = embedder.model, []
    for name, seed in FACES.items():
        face = draw_face(seed)
        rows.append(Row(name, embedder.embed(face, detector.detect(face)[:1])[0], photos=3))
    fitting = replace(
        settings(model.name, dim=model.dim), weights_hash=embedder.weights_hash, engine=embedder.engine
    )
    Gallery.of(rows, fitting).save(tmp_path / "gallery")
    return tmp_path / "gallery"


def test_a_gallery_gets_portraits_with_their_credits(server, gallery, capsys):
    assert main([str(gallery), "--portraits"]) == 0
    told = capsys.readouterr().out
    assert "Ada: pictured\n" in told and "Bo | <b>: no article\n" in told and "Cy: no face\n" in told
    assert "pictured 1 · no article 1 · no free picture 0 · another person 0 · no face 1 · unsure 0" in told
    found = Gallery.load(gallery)
    assert [found.photo(row) is not None for row in range(3)] == [True, False, False]
    credit = found.credit(0)
    assert credit is not None and (credit.author, credit.licence) == ("Jo | Doe", "CC BY-SA 4.0")
    assert found.credit(1) is None and found.photos(1) == 3
    card = (gallery / "README.md").read_text(encoding="utf-8")
    assert (
        "| Ada | Jo \\| Doe | CC BY\\-SA 4.0 | <https://commons.wikimedia.org/wiki/File:Ada_%281%29.jpg> |"
        in card
    )
    Lookalikes(found, embedder=load_embedder(), detector=load_detector())


def test_another_folder_can_be_given_and_the_gallery_itself_stays(server, gallery, tmp_path):
    before = {path: path.read_bytes() for path in gallery.rglob("*") if path.is_file()}
    assert main([str(gallery), "--portraits", "--output", str(tmp_path / "other")]) == 0
    assert before == {path: path.read_bytes() for path in gallery.rglob("*") if path.is_file()}
    assert Gallery.load(tmp_path / "other").photo(0) is not None


def test_an_interrupted_run_goes_on_and_asks_nothing_twice(server, gallery, capsys):
    server.faults[COMMONS] = [busy("900")]
    assert main([str(gallery), "--portraits"]) == 2
    assert "asks to wait for 900 s. What was done so far is kept" in capsys.readouterr().err
    assert main([str(gallery), "--portraits"]) == 0
    server.requests.clear()
    assert main([str(gallery), "--portraits"]) == 0
    assert server.requests == []


def test_a_removed_person_is_out_of_the_cache(server, gallery):
    assert main([str(gallery), "--portraits"]) == 0
    assert len(list((gallery / ".work/portraits").glob("*.json"))) == 3
    assert main([str(gallery), "--remove", "ADA"]) == 0
    assert len(list((gallery / ".work/portraits").glob("*.webp"))) == 0
    assert Gallery.load(gallery).names == ("Bo | <b>", "Cy")


def test_the_bundled_gallery_itself_is_not_changed(server, capsys):
    assert main(["lookalike/bundled/gallery", "--portraits"]) == 2
    assert "Give --output FOLDER" in capsys.readouterr().err
    assert MEDIA not in server.hosts()


def test_what_is_no_gallery_needs_an_output(server, tmp_path, capsys):
    (tmp_path / "photos" / "Ada").mkdir(parents=True)
    assert main([str(tmp_path / "photos"), "--portraits"]) == 2
    assert "is no gallery yet; give --output FOLDER" in capsys.readouterr().err
