"""A closer look at an answer in a real browser: the reveal, the slider and the morph; friends in a group.

Skipped where Chromium or Playwright is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lookalike import Gallery, Lookalikes
from lookalike.faces.thumbnail import thumbnail
from lookalike.gallery.schema import Row
from tests.support.chromium import CHROMIUM, open_tab, see_answer, upload
from tests.support.drawing import draw_face, draw_group
from tests.support.server import serving

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

PEOPLE = ("Ada", "Bo", "Cleo", "Dan", "Eve", "Finn")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run `python app.py` with a gallery of drawn faces and their thumbnails; yield its address."""
    finder, folder = Lookalikes.load(), tmp_path_factory.mktemp("drawn")
    rows = []
    for seed, name in enumerate(PEOPLE, start=1):
        image = draw_face(seed)
        (face,) = finder.detector.detect(image)
        (embedding,) = finder.embedder.embed(image, [face])
        rows.append(Row(name, embedding, thumbnail(image, face), credit="A painter", licence="CC0"))
    Gallery.of(rows, finder.gallery.settings).save(folder / "gallery")
    with serving(folder, "--gallery", str(folder / "gallery")) as server:
        yield server.address


def test_people_of_the_gallery_can_be_tried_with_their_credit(browser: Any, url: str):
    with open_tab(browser, url, width=390, height=844) as tab:
        shown = tab.locator("#intro .examples figure")
        playwright.expect(shown).to_have_count(3)
        playwright.expect(shown.first).to_contain_text("A painter")
        name = shown.nth(1).get_by_role("button").get_attribute("aria-label")
        shown.nth(1).get_by_role("button").click()
        playwright.expect(tab.locator("#duel")).to_contain_text(str(name))


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["en-US", "ar"])
def test_the_answer_is_revealed_slid_over_and_morphed(browser: Any, url: str, locale: str):
    with open_tab(browser, url, width=390, height=844, locale=locale) as tab:
        upload(tab, "#photo", draw_face(seed=3))
        see_answer(tab)
        see_the_number(tab)
        slide(tab, rtl=locale == "ar")
        morph(tab)
        choose_another_match(tab)
        start_again(tab)


def see_the_number(tab: Any) -> None:
    """The number is there at once for a screen reader; the names are listed once more, when asked for."""
    assert tab.locator(".verdict strong").text_content() == "100 %"
    assert tab.locator(".verdict .count").evaluate("e => getComputedStyle(e).animationName") == "count-up"
    tab.emulate_media(reduced_motion="reduce")
    assert tab.locator(".verdict .count").evaluate("e => getComputedStyle(e).animationName") == "none"
    for part in ("#closer button", "#ask", "#draw", "#again", "#bars summary", "#matches .thumbnail-item"):
        tab.wait_for_function("part => document.querySelector(part)?.offsetHeight >= 44", arg=part)
    playwright.expect(tab.locator("#bars ol")).to_be_hidden()
    tab.locator("#bars summary").click()
    playwright.expect(tab.get_by_role("meter")).to_have_count(5)


def slide(tab: Any, *, rtl: bool) -> None:
    """The arrow key shows more of one face; a tap shows as much as is on its side."""
    tab.click("#slide")
    slider = tab.get_by_role("slider").filter(visible=True)
    over = tab.locator(".slider .over")
    covered = "element => getComputedStyle(element).clipPath"
    playwright.expect(slider).to_have_value("50")
    assert over.evaluate(covered) == ("inset(0px 0% 0px 50%)" if rtl else "inset(0px 50% 0px 0%)")
    slider.press("Home")
    assert over.evaluate(covered) == ("inset(0px 0% 0px 100%)" if rtl else "inset(0px 100% 0px 0%)")
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] * 0.8, "y": box["height"] / 2})
    assert int(slider.input_value()) == pytest.approx(20 if rtl else 80, abs=4)


def morph(tab: Any) -> None:
    """An animation that can be kept; who wants less motion sees the picture halfway."""
    tab.click("#morph")
    shown = tab.locator("#blend picture img")
    playwright.expect(shown).to_be_visible()
    still = "document.querySelector('#blend picture img').currentSrc.startsWith('data:image/jpeg')"
    tab.wait_for_function(still)
    with tab.expect_download() as download:
        tab.locator("#blend a").click()
    file = Path(download.value.path())
    assert download.value.suggested_filename == "my-morph.gif" and file.stat().st_size <= 1_000_000
    with Image.open(file) as moving:
        assert moving.format == "GIF" and moving.n_frames == 18


def choose_another_match(tab: Any) -> None:
    """Choosing a tile scrolls to the pair and takes the closer look at the one before away."""
    tab.locator("#again").scroll_into_view_if_needed()
    tab.wait_for_function("document.querySelector('#duel').getBoundingClientRect().top < 0")
    tab.locator("#matches .thumbnail-item").nth(1).click()
    playwright.expect(tab.locator("#duel")).to_be_in_viewport(ratio=0.9)
    playwright.expect(tab.locator("#blend figure")).to_have_count(0)
    playwright.expect(tab.locator("#duel .credit").first).to_contain_text("A painter")


def start_again(tab: Any) -> None:
    """Nothing of the answer stays, and the first screen is back."""
    tab.click("#again")
    playwright.expect(tab.locator("#intro")).to_be_visible()
    for part in ("#duel", "#again", "#photo img"):
        playwright.expect(tab.locator(part)).to_be_hidden()
    playwright.expect(tab.locator("#title")).to_be_in_viewport()
    upload(tab, "#photo", draw_face(seed=2))
    see_answer(tab)


def test_a_card_offers_no_closer_look(browser: Any, app_url: str):
    with open_tab(browser, app_url, width=390, height=844) as tab:
        upload(tab, "#photo", draw_face(seed=3))
        see_answer(tab)
        playwright.expect(tab.locator("#closer")).to_be_hidden()


@pytest.mark.slow
def test_friends_are_tapped_compared_and_shown_in_one_picture(browser: Any, url: str):
    with open_tab(browser, url, width=390, height=844, scheme="dark") as tab:
        upload(tab, "#photo", draw_group((320, 260)))
        see_answer(tab)
        own = tab.locator("#duel figure img").first
        first = own.get_attribute("src")
        photo = tab.locator("#photo img").first
        box = photo.bounding_box()
        photo.click(position={"x": box["width"] * 0.75, "y": box["height"] * 0.6})
        playwright.expect(tab.get_by_label("Face 2")).to_be_checked()
        playwright.expect(own).not_to_have_attribute("src", first)
        tab.get_by_role("button", name="Who looks like whom?").click()
        table = tab.get_by_role("region", name="How alike each two faces of your photo are")
        playwright.expect(table.get_by_role("columnheader", name="Face 2")).to_be_visible()
        playwright.expect(table.locator("tbody td:not(.self)")).to_have_count(2)
        playwright.expect(tab.locator("#group")).to_contain_text("Most alike: Face 1 and Face 2")
        tab.get_by_role("button", name="Everyone's look-alike").click()
        with tab.expect_download() as download:
            tab.locator("#group a").click()
        with Image.open(download.value.path()) as picture:
            assert picture.size == (1080, 490) and download.value.suggested_filename == "our-look-alikes.jpg"
        upload_alone(tab)


def upload_alone(tab: Any) -> None:
    """A photo of one person takes all of it away."""
    tab.click("#again")
    playwright.expect(tab.locator("#intro")).to_be_visible()
    upload(tab, "#photo", draw_face(seed=3))
    see_answer(tab)
    playwright.expect(tab.locator("#friends")).to_be_hidden()
    playwright.expect(tab.locator("#group")).to_be_hidden()
