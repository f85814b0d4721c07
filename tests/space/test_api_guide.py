"""The guide to the API: every call in it works, and its samples have the form and the numbers of today."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lookalike import Lookalikes
from lookalike.space.drawing.cards import encode
from lookalike.space.finders import Finders, load_finders
from lookalike.space.page.api_guide import api_guide, cards
from tests.support.drawing import draw_face
from tests.support.fakes import BrightDetector, ColourEmbedder, make_gallery
from tests.support.server import Server

PLACES = re.compile("ADDRESS|CHOICES|MODELS|REPORT|COMPARISON|CARDS")
CLIENT = "@gradio/client@2.7.0"  # what gradio 6.31 was released with


@pytest.fixture(scope="module")
def finders() -> Finders:
    return load_finders(None, model="compact", detector="mtcnn")


@pytest.fixture(scope="module")
def guide(finders: Finders) -> str:
    return api_guide("http://here/", finders.current)


def blocks(guide: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", guide, re.DOTALL)


def form(value: Any) -> Any:
    """The keys of a value, all the way down, with the type of each number."""
    if isinstance(value, dict):
        return {key: form(each) for key, each in value.items() if key != "about"}
    if isinstance(value, list):
        return [form(each) for each in value[:1]]
    return type(value).__name__


def test_the_samples_have_the_form_of_an_answer_and_numbers_that_are_true_today(
    guide: str, finders: Finders, app_url: str
):
    report, comparison = map(json.loads, blocks(guide, "json"))
    server = Server(app_url, None, Path(), Path())  # type: ignore[arg-type]
    answer = server.ask(_data_url())
    found = json.loads(answer.rpartition("event: complete\ndata: ")[2])[1]
    assert form(report) == form(
        {**found, "faces": [{**found["faces"][0], "matches": found["faces"][0]["matches"][:1]}]}
    )
    gallery, match = finders.current.finder, report["faces"][0]["matches"][0]
    assert report["gallery"]["names"] == len(gallery.gallery.names)
    assert report["gallery"]["revision"] == gallery.gallery.revision
    assert match["similarity"] == pytest.approx(gallery.scale.similarity(match["score"]), abs=0.1)
    assert {name: match[name] for name in ("similarity", "score", "cosine")} == {
        name: comparison[name] for name in ("similarity", "score", "cosine")
    }
    assert comparison["same"] is (match["score"] >= gallery.scale.same)


def test_the_guide_lists_the_models_and_the_choices_and_leaves_no_gap(guide: str, finders: Finders):
    assert not PLACES.search(guide)
    assert 'Client("http://here")' in guide and "`compact`" in guide
    assert "- `gender=None`: everybody, or only `man`, `woman`" in guide and "`South Asia`" in guide
    gallery = make_gallery(ada=[[1, 0, 0]])
    alone = Finders(Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector()))
    assert "gender=" not in api_guide("http://here", alone.current)


def test_the_cards_are_linked_on_a_space_and_a_gallery_of_the_hub_always(finders: Finders):
    assert "](https://huggingface.co/spaces/me/page/blob/main/lookalike/bundled/compact.md)" in cards(
        finders.current, "me/page"
    )
    assert "](http" not in cards(finders.current, "") and "](http" not in cards(finders.current, "me/page)(")
    hub = Finders(finders.served, gallery_id="someone/stars")
    assert "[someone/stars](https://huggingface.co/datasets/someone/stars)" in cards(hub.current, "")


def _data_url() -> dict[str, str]:
    return {"url": f"data:image/jpeg;base64,{base64.b64encode(encode(draw_face(3))).decode()}"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with the photos that the guide names."""
    for name, seed in (("me", 3), ("a", 3), ("b", 4)):
        (tmp_path / f"{name}.jpg").write_bytes(encode(draw_face(seed)))
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written_for(app_url: str, finders: Finders, language: str) -> str:
    return blocks(api_guide(app_url, finders.current), language)[0]


def check(printed: str) -> None:
    """Check that a match with a rank and a comparison were printed."""
    assert re.search(r"[\"']rank[\"']: ?1\b", printed) and re.search(
        r"[\"']same[\"']: ?(true|false|True|False)", printed
    )


@pytest.mark.slow
def test_the_python_of_the_guide_runs(app_url: str, finders: Finders, photos: Path):
    (photos / "ask.py").write_text(written_for(app_url, finders, "python"))
    check(run([sys.executable, "ask.py"], photos))


@pytest.mark.slow
@pytest.mark.skipif(not all(map(shutil.which, ("bash", "curl"))), reason="bash or curl is not installed")
def test_the_curl_of_the_guide_runs(app_url: str, finders: Finders, photos: Path):
    check(run(["bash", "-c", written_for(app_url, finders, "bash")], photos))


@pytest.mark.slow
def test_the_javascript_of_the_guide_runs(app_url: str, finders: Finders, photos: Path):
    if not all(map(shutil.which, ("node", "npm"))):
        pytest.skip("node is not installed: apt-get install nodejs npm")
    patience = ["--fetch-retries=1", "--fetch-timeout=60000"]  # milliseconds; npm's own are longer than ours
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", *patience, CLIENT]
    if subprocess.run(install, cwd=photos, capture_output=True, timeout=240, check=False).returncode:
        pytest.skip("the npm registry cannot be reached")
    (photos / "ask.mjs").write_text(written_for(app_url, finders, "js"))
    check(run(["node", "ask.mjs"], photos))
