"""Visitors of the static site who are quicker than it, drop what is no photo, or have a bad line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lookalike.space.texts import table
from tests.support.chromium import ASKED, a_file, allowed_cameras, carry, drop
from tests.support.drawing import draw_face, draw_group
from tests.support.site_tab import READY, choose, opened

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TEXTS = table("en")


@pytest.fixture
def tab(browser: Any, site: str) -> Iterator[Any]:
    with opened(browser, site) as tab:
        tab.wait_for_selector(READY)
        yield tab


def test_a_camera_that_is_allowed_after_its_tab_was_left_is_switched_off(browser: Any, site: str):
    with opened(browser, site, script=ASKED) as tab:
        tab.wait_for_selector(READY)
        tab.click("nav button[value=live]")
        tab.click("#start")
        tab.click("nav button[value=find]")
        assert allowed_cameras(tab, 1) == ["ended"]
        assert tab.inner_text("#status") == ""


def test_start_pressed_again_while_the_visitor_is_asked_opens_one_camera(browser: Any, site: str):
    with opened(browser, site, script=ASKED) as tab:
        tab.wait_for_selector(READY)
        tab.click("nav button[value=live]")
        for _ in range(3):  # start, stop, start
            tab.click("#start")
        assert sorted(allowed_cameras(tab, 2)) == ["ended", "live"]
        tab.wait_for_selector(".best")


def test_a_camera_that_is_unplugged_is_reported(browser: Any, site: str):
    with opened(browser, site, script=f"{ASKED} allow();") as tab:
        tab.wait_for_selector(READY)
        tab.click("nav button[value=live]")
        tab.click("#start")
        tab.wait_for_selector(".best")
        tab.evaluate("streams[0].getTracks()[0].stop()")
        tab.wait_for_selector(f"#status:text-is({json.dumps(TEXTS['script_no_camera'])})")
        assert tab.inner_text("#start") == TEXTS["button_start"]


def test_a_file_that_is_dropped_never_takes_the_place_of_the_page(tab: Any):
    assert not drop(tab, "h1", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    tab.wait_for_selector(f"#status:text-is({json.dumps(TEXTS['error_unreadable_photo'])})")
    assert not drop(tab, "h1", a_file(draw_face(seed=3)))
    tab.wait_for_selector(".bars")


def test_a_file_that_is_dropped_too_early_does_not_take_the_place_of_the_page(browser: Any, site: str):
    with opened(browser, "about:blank", service_workers="block") as tab:
        tab.route("**/data/*", lambda route: None)  # never loaded
        tab.goto(site, wait_until="domcontentloaded")
        tab.wait_for_selector("#language option", state="attached")
        assert not drop(tab, "h1", a_file(draw_face(seed=3)))


def test_a_photo_that_is_dropped_on_a_box_of_compare_stays_there(tab: Any):
    tab.click("nav button[value=compare]")
    for box in ("label:has(#first)", "label:has(#second) span"):
        assert not drop(tab, box, a_file(draw_face(seed=3)))
    tab.wait_for_selector("text=100 %")


def test_the_last_two_photos_are_compared_however_quickly_they_were_chosen(tab: Any):
    tab.click("nav button[value=compare]")
    choose(tab, draw_face(seed=3), "#first")
    script = """([...files]) => {
      const box = document.getElementById('second');
      for (const {files: [file]} of files) {
        const carried = new DataTransfer();
        carried.items.add(file);
        box.files = carried.files;
        box.onchange({target: box});
      }
    }"""
    group = a_file(draw_group())  # takes longer than a face
    tab.evaluate(script, [carry(tab, group), carry(tab, a_file(draw_face(seed=3)))])
    tab.wait_for_selector("text=100 %")
    tab.wait_for_timeout(3000)
    assert tab.locator("text=100 %").count() == 1


def test_a_page_that_cannot_begin_says_so_in_a_sentence(browser: Any, site: str):
    with opened(browser, "about:blank", service_workers="block") as tab:
        tab.route("**/site.json", lambda route: route.abort())
        tab.goto(site)
        tab.wait_for_selector(f"#status:text-is({json.dumps(TEXTS['error_failed'])})")


def test_the_chosen_face_and_match_keep_the_focus(tab: Any):
    choose(tab, draw_group())
    tab.focus(".face >> nth=1")
    tab.keyboard.press("Enter")
    focused = "document.activeElement.textContent"
    assert tab.evaluate(focused) == TEXTS["chip_face"].format(number=2)
    tab.focus(".bars li:nth-child(3) button")
    tab.keyboard.press("Enter")
    assert tab.evaluate(focused).startswith("3. ")
