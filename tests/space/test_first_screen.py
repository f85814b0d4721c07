"""The first screen in a real browser: every way to give a photo is answered. Skipped without Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chromium import (
    BROKEN,
    CHROMIUM,
    a_file,
    copy,
    drop,
    open_tab,
    see_answer,
)
from tests.support.drawing import draw_face

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
FACE = a_file(draw_face(seed=3))


def check_answered(tab: Any) -> None:
    """Check that an answer is shown and the first screen is gone; then take the photo away again."""
    see_answer(tab)
    playwright.expect(tab.locator("#intro")).to_be_hidden()
    tab.get_by_label("Remove Image").click()
    playwright.expect(tab.locator("#intro")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "locale"), [(320, "ar"), (1280, "en-US")])
def test_every_way_to_give_a_photo_is_answered(browser: Any, app_url: str, width: int, locale: str):
    with open_tab(browser, f"{app_url}?lang=en", width=width, height=844, locale=locale) as tab:
        playwright.expect(tab.get_by_role("heading", level=1)).to_have_text(
            "Which celebrity do you look like?"
        )
        playwright.expect(tab.get_by_text("We delete your photo right away.", exact=True)).to_be_visible()
        tab.locator(".example").first.click()
        check_answered(tab)
        with tab.expect_file_chooser() as chooser:
            tab.get_by_role("button", name="Choose a photo").click()
        chooser.value.set_files(files=[FACE])
        check_answered(tab)
        tab.get_by_role("button", name="Take a selfie").click()
        tab.wait_for_function("document.querySelector('#photo video')?.currentTime > 0")
        tab.locator("#photo").get_by_label("capture photo").click()
        check_answered(tab)
        copy(tab, FACE)
        tab.keyboard.press("Control+V")
        check_answered(tab)


def test_a_photo_dropped_anywhere_goes_to_the_tab_that_takes_it(browser: Any, app_url: str):
    with open_tab(browser, app_url, width=390, height=844) as tab:
        drop(tab, "#footer", {**BROKEN, "name": "me.pdf", "mimeType": "application/pdf"})
        playwright.expect(tab.locator("#notice")).to_contain_text("We can't open this file")
        playwright.expect(tab.locator("#intro")).to_be_visible()
        tab.get_by_role("tab", name="About").click()
        drop(tab, "#about", FACE)
        playwright.expect(tab.get_by_role("tab", name="Find")).to_have_attribute("aria-selected", "true")
        check_answered(tab)
        tab.get_by_role("tab", name="Compare").click()
        shown = tab.locator("[role=tabpanel]:visible .image-frame img")
        for number in (1, 2):
            drop(tab, "#footer", FACE)
            playwright.expect(shown).to_have_count(number)
        playwright.expect(tab.locator("#compared .words")).to_contain_text("Probably the same person")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_finger_finds_every_tab_and_choice_of_a_phone(browser: Any, app_url: str, language: str):
    with open_tab(browser, f"{app_url}?lang={language}", width=390, height=844) as tab:
        for place in ("[role=tab]", "#ways button", "#private-switch label", "#language input", ".show-api"):
            sizes = "all => all.map(each => Math.min(each.offsetWidth, each.offsetHeight))"
            found = tab.locator(f"{place}:visible").evaluate_all(sizes)
            assert found and min(found) >= 44, place


def test_the_first_screen_is_reached_by_keyboard_in_the_order_in_which_it_is_read(browser: Any, app_url: str):
    with open_tab(browser, app_url, width=390, height=844) as tab:
        tab.locator("#selfie").focus()
        for place in ("#selfie", "#choose", ".example", ".example", ".example", "#photo .upload-container"):
            focused = tab.evaluate_handle("document.activeElement")
            assert focused.evaluate("(element, place) => element.matches(place)", place), place
            assert focused.evaluate("element => Math.min(element.offsetWidth, element.offsetHeight)") >= 44
            tab.keyboard.press("Tab")
