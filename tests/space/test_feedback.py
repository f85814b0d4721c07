"""Feedback: counts by model and percentage, and nothing else."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import LookalikeError
from lookalike.finder import FoundFace, Lookalikes, Match
from lookalike.space.arguments import parse
from lookalike.space.feedback import Feedback
from lookalike.space.finders import Finders
from lookalike.space.page.feedback import FeedbackCallbacks
from lookalike.space.page.found import Found, Options
from tests.support.chromium import CHROMIUM, film_of_a_face, open_chromium, open_tab, see_answer, upload
from tests.support.drawing import draw_face
from tests.support.fakes import BrightDetector, ColourEmbedder, a_face, make_gallery, unit
from tests.support.server import serving


def a_match(name: str) -> Match:
    return Match(1, name, 55.4, 0.3, 0.3, None, None)


def counts(path: Path) -> dict[str, object]:
    return json.loads(path.read_text())


def test_answers_are_counted_by_model_and_ten_points_of_the_percentage(tmp_path: Path):
    feedback = Feedback(tmp_path / "new" / "feedback.json")
    for similarity, spot_on in ((0.0, False), (59.9, False), (60.0, True), (69.9, True), (100.0, True)):
        feedback.count("compact", similarity, spot_on=spot_on)
    assert counts(tmp_path / "new" / "feedback.json") == {
        "compact": {
            "0-10": {"spot on": 0, "not me": 1},
            "50-60": {"spot on": 0, "not me": 1},
            "60-70": {"spot on": 2, "not me": 0},
            "90-100": {"spot on": 1, "not me": 0},
        }
    }


def test_a_restart_counts_on_and_no_answer_of_many_at_once_is_lost(tmp_path: Path):
    path = tmp_path / "feedback.json"
    Feedback(path).count("compact", 71, spot_on=True)
    again = Feedback(path)
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda _: again.count("compact", 71, spot_on=True), range(40)))
    assert counts(path) == {"compact": {"70-80": {"spot on": 41, "not me": 0}}}
    assert [each.name for each in tmp_path.iterdir()] == ["feedback.json"]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"compact": 3}', '{"compact": {"0-10": {"spot on": -1, "not me": 0}}}']
)
def test_another_file_is_not_overwritten(tmp_path: Path, content: str):
    path = tmp_path / "notes.json"
    path.write_text(content)
    with pytest.raises(LookalikeError, match="name another file"):
        Feedback(path)
    assert path.read_text() == content


def test_only_a_match_that_was_shown_is_counted_whatever_a_browser_sends(tmp_path: Path):
    path = tmp_path / "feedback.json"
    gallery = make_gallery(ada=[[1, 0, 0]])
    finders = Finders(Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector()))
    finders.feedback = Feedback(path)
    callbacks = FeedbackCallbacks(finders)
    face = FoundFace(a_face(0, 0, 1, 1), (a_match("Ada"), a_match("Bo")), 0.5, unit(1))
    found = Found(1, (face,), 2, Options(2))
    for wrong in (
        (None, 0, 0),
        (found, 1, 0),
        (found, 0, 2),
        (found, "0", None),
        (found, -1, 0),
        (found, np.nan, 0),
    ):
        callbacks.spot_on(*wrong)
    assert counts(path) == {}
    _, thanks = callbacks.not_me(found, 0, 1)
    assert counts(path) == {"colour": {"50-60": {"spot on": 0, "not me": 1}}}
    assert thanks["visible"] and "Ada" not in path.read_text() and "Bo" not in path.read_text()


def test_nobody_is_asked_unless_the_owner_names_a_file(monkeypatch: pytest.MonkeyPatch):
    assert parse([]).feedback is None
    monkeypatch.setenv("LOOKALIKE_FEEDBACK", "counts.json")
    assert parse([]).feedback == Path("counts.json")


@pytest.mark.browser
def test_a_visitor_answers_once_for_each_match_that_is_shown(tmp_path: Path):
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    film, path = film_of_a_face(tmp_path / "face.mjpeg"), tmp_path / "feedback.json"
    with (
        serving(tmp_path, "--feedback", str(path)) as server,
        open_chromium(film) as browser,
        open_tab(browser, server.address, width=390, height=844) as tab,
    ):
        upload(tab, "#photo", draw_face(3))
        see_answer(tab)
        tab.get_by_role("button", name="Spot on").click()
        playwright.expect(tab.locator("#thanks")).to_contain_text("Thank you!")
        playwright.expect(tab.locator("#feedback")).to_be_hidden()
        tab.locator("#matches .thumbnail-item").nth(1).click()
        playwright.expect(tab.locator("#thanks")).to_be_hidden()  # those for the first answer
        tab.get_by_role("button", name="Doesn't look like me").click()
        playwright.expect(tab.locator("#thanks")).to_be_visible()
    said = [band for bands in counts(path).values() for band in bands.values()]  # type: ignore[attr-defined]
    assert [sum(band[answer] for band in said) for answer in ("spot on", "not me")] == [1, 1]
