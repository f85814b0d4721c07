"""One visit in a real browser, from the photo to the camera.

Skipped where Chromium or Playwright is missing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.chromium import (
    BROKEN,
    CHROMIUM,
    a_file,
    choose,
    film_of_a_face,
    open_chromium,
    open_tab,
    see_answer,
    upload,
)
from tests.support.drawing import draw_face, draw_group

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def bars(tab: Any) -> dict[str, str]:
    """Return the percentages that the page shows, by name."""
    read = "each => ['.name', '.percent'].map(part => each.querySelector(part).textContent)"
    shown = tab.locator("#bars li").evaluate_all(f"all => all.map({read})")  # at one moment
    return {name.split(". ")[1]: share for name, share in shown}


def check_framed(tab: Any, place: int) -> None:
    """Check that this picture of the matches is framed, and no other."""
    tiles = tab.locator("#matches .thumbnail-item")
    playwright.expect(tiles.nth(place)).to_have_class(re.compile("selected"))
    playwright.expect(tab.locator("#matches .thumbnail-item.selected")).to_have_count(1)


def check_clean(tab: Any, sentence: str) -> None:
    """Check that the page shows this sentence and nothing of an earlier answer."""
    playwright.expect(tab.locator("#notice")).to_contain_text(sentence)
    for part in ("#duel", "#matches", "#percentile", "#photo img"):
        playwright.expect(tab.locator(part)).to_be_hidden()
    playwright.expect(tab.locator("#intro")).to_be_visible()


def test_a_visit_from_the_photo_to_the_camera(choices_url: str, tmp_path: Path):
    film = film_of_a_face(tmp_path / "face.mjpeg")
    with open_chromium(film) as browser, open_tab(browser, choices_url, width=390, height=844) as tab:
        find_among_women(tab)
        choose_other_matches(tab)
        recover_from_a_broken_file(tab)
        compare(tab)
        look_into_the_camera(tab)


def find_among_women(tab: Any) -> None:
    """The choice finds others, moves no percentage, and keeps the chosen face."""
    tab.get_by_role("button", name="Options").click()  # a number typed while they open would be reset
    upload(tab, "#photo", draw_group((320, 260)))
    see_answer(tab)
    own, first_list = tab.locator("#duel figure img").first, tab.locator("#bars").text_content()
    first = own.get_attribute("src")
    tab.get_by_label("Face 2").check()
    playwright.expect(own).not_to_have_attribute("src", first)
    playwright.expect(tab.locator("#bars")).not_to_have_text(first_list)
    everyone = bars(tab)
    tab.get_by_label("Women", exact=True).check()
    women_only = tab.locator("#bars .who", has_text="Sports · India · born 1975")
    playwright.expect(women_only).to_have_count(5)
    women = bars(tab)
    assert any(name not in women for name in everyone)
    assert {name: share for name, share in women.items() if name in everyone}.items() <= everyone.items()
    playwright.expect(tab.get_by_label("Face 2")).to_be_checked()
    tab.get_by_label("Everyone", exact=True).check()
    ranked = [f"{rank}. {name}" for rank, name in enumerate(everyone, start=1)]
    playwright.expect(tab.locator("#bars .name")).to_have_text(ranked)
    assert bars(tab) == everyone


def choose_other_matches(tab: Any) -> None:
    """A sixth match changes nothing about five; the frame and the percentile follow the chosen one."""
    five = bars(tab)
    number = tab.locator("#count input[type=number]")
    number.fill("6")
    number.blur()
    see_answer(tab, matches=6)
    assert list(bars(tab).items())[:5] == list(five.items())
    check_framed(tab, 0)
    playwright.expect(tab.locator("#percentile")).not_to_be_empty()
    tab.locator("#matches .thumbnail-item").nth(2).click()
    playwright.expect(tab.locator("#duel figcaption").nth(1)).to_contain_text(list(five)[2])
    playwright.expect(tab.locator("#percentile")).to_have_text("")
    check_framed(tab, 2)
    tab.get_by_label("Face 1").check()
    playwright.expect(tab.locator("#percentile")).not_to_have_text("")
    check_framed(tab, 0)


def recover_from_a_broken_file(tab: Any) -> None:
    """A second photo that is broken, and one after it that is not."""
    tab.get_by_label("Remove Image").click()
    playwright.expect(tab.locator("#duel")).to_be_hidden()
    upload(tab, "#photo", draw_face(seed=3))
    see_answer(tab, matches=6)
    tab.locator("#photo").get_by_label("Upload file").click()
    playwright.expect(tab.locator("#duel")).to_be_hidden()
    choose(tab, "#photo", BROKEN)
    check_clean(tab, "We can't open this file")
    upload(tab, "#photo", draw_face(seed=3))
    see_answer(tab, matches=6)
    check_framed(tab, 0)


def compare(tab: Any) -> None:
    """A broken second photo leaves the first one; a good one is compared."""
    tab.get_by_role("tab", name="Compare").click()
    shown = tab.locator("[role=tabpanel]:visible")
    upload(tab, "[role=tabpanel]:visible", draw_face(seed=3))
    playwright.expect(shown.locator(".image-container img")).to_have_count(1)
    choose(tab, "[role=tabpanel]:visible", BROKEN, 1)
    playwright.expect(tab.locator("#compared .words")).to_contain_text("The second photo: ")
    playwright.expect(shown.locator(".image-container img")).to_have_count(1)
    choose(tab, "[role=tabpanel]:visible", a_file(draw_face(seed=3)), 1)
    playwright.expect(tab.locator("#compared .words")).to_have_text("Probably the same person.")
    playwright.expect(tab.locator("#compared .pair")).to_be_in_viewport(ratio=0.9)


def look_into_the_camera(tab: Any) -> None:
    """The camera's light goes out when its tab is left."""
    tab.get_by_role("tab", name="Live").click()
    tab.get_by_role("button", name="Start").click()
    tab.wait_for_selector("#live .best")
    tracks = tab.evaluate_handle("document.querySelector('#camera video').srcObject.getTracks()")
    assert tracks.evaluate("tracks => tracks.map(track => track.readyState)") == ["live"]
    tab.get_by_role("tab", name="Find").click()
    tab.wait_for_function("tracks => tracks.every(track => track.readyState === 'ended')", arg=tracks)
    playwright.expect(tab.locator("#duel .pair")).to_be_visible()
