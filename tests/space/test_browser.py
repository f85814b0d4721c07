"""The page in a real browser, at the width of a laptop and of a phone; the camera shows a drawn face.

Skipped where Chromium or Playwright is missing. tests/space/test_journey.py is the part that always runs.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lookalike.images import read_image
from tests.support.chromium import (
    ASKED,
    CHROMIUM,
    DATA_URL,
    RED,
    TIMEOUT,
    a_file,
    allowed_cameras,
    copy,
    drop,
    open_tab,
    see_answer,
    upload,
)
from tests.support.drawing import draw_face, draw_group, draw_landscape

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

FRAME = re.compile(r"/stream/\w+$")  # the address of each frame of the camera but the first
WIDTHS = {"laptop": (1280, 900, "light"), "phone": (390, 844, "dark")}


@pytest.fixture(params=WIDTHS)
def tab(request: pytest.FixtureRequest, browser: Any, app_url: str) -> Iterator[Any]:
    """The open page; after the test it must fit the width and have reported no error."""
    width, height, scheme = WIDTHS[request.param]
    with open_tab(browser, app_url, width=width, height=height, scheme=scheme) as tab:
        yield tab


def shown_photo(tab: Any) -> np.ndarray:
    """The photo that the page shows beside its answer."""
    see_answer(tab)
    return as_image(tab.locator("#photo img").first.get_attribute("src"))


def as_image(data_url: str) -> np.ndarray:
    return read_image(base64.b64decode(data_url.partition(",")[2]))


def red_edge(image: np.ndarray) -> str:
    """Return the edge where the film's red bar is: "left" or "right"."""
    middle = image[len(image) // 2 - 20 : len(image) // 2 + 20].astype(int)
    edges = {"left": middle[:, 4:10], "right": middle[:, -10:-4]}
    (red,) = [name for name, edge in edges.items() if np.abs(edge.mean(axis=(0, 1)) - RED).max() < 40]
    return red


def go_to(tab: Any, selector: str, key: str = "Tab") -> None:
    """Press a key until the element has the focus, with a visible outline."""
    focused = "selector => document.activeElement.matches(selector)"
    for _ in range(60):
        tab.keyboard.press(key)
        if tab.evaluate(focused, selector):
            break
    assert tab.evaluate(focused, selector), selector
    outline = "({outlineStyle, outlineWidth}) => outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2"
    tab.wait_for_function(f"({outline})(getComputedStyle(document.activeElement))")


def test_a_photo_is_answered_without_another_click(tab: Any):
    upload(tab, "#photo", draw_face(seed=3))
    see_answer(tab)
    playwright.expect(tab.locator("#bars [role=meter]")).to_have_count(5)
    playwright.expect(tab.locator("#bars a").first).to_have_attribute("rel", "noopener noreferrer")


def test_a_photo_can_be_dropped_and_pasted(tab: Any):
    photo = a_file(draw_face(seed=3))
    drop(tab, "#photo .upload-container", photo)
    see_answer(tab)
    tab.get_by_label("Remove Image").click()
    tab.wait_for_selector("#duel", state="hidden")
    copy(tab, photo)
    tab.get_by_label("Paste from clipboard").click()
    see_answer(tab)


@pytest.mark.parametrize("name", ["IMG_0001.HEIC", "photo"])
def test_a_file_whose_type_the_browser_does_not_know_is_accepted(tab: Any, name: str):
    content = a_file(draw_face(seed=3))  # which the server reads, whatever the name says
    drop(tab, "#photo .upload-container", {**content, "name": name, "mimeType": ""})
    see_answer(tab)


def test_a_match_is_chosen_and_explained_by_keyboard(tab: Any):
    go_to(tab, "#photo .upload-container")
    upload(tab, "#photo", draw_face(seed=3))  # the system's own window for choosing a file has no keys here
    see_answer(tab)
    go_to(tab, "#ask")
    go_to(tab, "#matches button.thumbnail-item")
    tab.keyboard.press("Tab")
    second = tab.locator("#bars .name").nth(1).text_content().removeprefix("2. ")
    tab.keyboard.press("Enter")
    playwright.expect(tab.locator("#duel figcaption").nth(1)).to_contain_text(second)
    go_to(tab, "#ask", "Shift+Tab")
    tab.keyboard.press("Enter")
    playwright.expect(tab.locator("#why strong")).to_contain_text(second)


def test_another_match_is_chosen_and_explained(tab: Any):
    upload(tab, "#photo", draw_face(seed=3))
    see_answer(tab)
    second = tab.locator("#bars .name").nth(1).text_content().removeprefix("2. ")
    tab.locator("#matches button.thumbnail-item").nth(1).focus()
    tab.keyboard.press("Enter")
    playwright.expect(tab.locator("#duel figcaption").nth(1)).to_contain_text(second)
    tab.click("#ask")
    playwright.expect(tab.locator("#why strong")).to_contain_text(f"Why you look like {second}: ")


def test_each_person_of_a_group_can_be_chosen(tab: Any):
    upload(tab, "#photo", draw_group((320, 260)))
    see_answer(tab)
    first = tab.locator("#duel figure img").first.get_attribute("src")
    tab.get_by_label("Face 2").check()
    playwright.expect(tab.locator("#duel figure img").first).not_to_have_attribute("src", first)


def test_a_photo_without_a_face_is_answered_with_a_sentence(tab: Any):
    upload(tab, "#photo", draw_landscape())
    playwright.expect(tab.locator("#notice")).to_contain_text("We found no face")


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_a_phone_s_photo_is_shown_converted_and_answered(tab: Any, kind: str):
    import pillow_heif

    pillow_heif.register_heif_opener()
    upload(tab, "#photo", draw_face(seed=3), kind=kind)
    shown = tab.locator("#photo img").first
    playwright.expect(shown).to_have_attribute("src", DATA_URL)
    playwright.expect(shown).to_have_js_property("naturalWidth", 480)
    see_answer(tab)


def test_how_many_matches_can_be_chosen_afterwards(tab: Any):
    tab.get_by_role("button", name="Options").click()  # a number typed while they open would be reset
    upload(tab, "#photo", draw_face(seed=3))
    see_answer(tab)
    number = tab.locator("#count input[type=number]")
    number.fill("8")
    number.blur()
    playwright.expect(tab.locator("#bars li")).to_have_count(8)


def test_a_snap_is_answered_without_another_click_and_not_mirrored(tab: Any):
    tab.locator("#photo").get_by_label("Capture from camera").click()
    tab.get_by_text("Click to Access Webcam").first.click()
    tab.wait_for_function("document.querySelector('#photo video')?.currentTime > 0")  # else the snap is black
    tab.locator("#photo").get_by_label("capture photo").click()
    assert red_edge(shown_photo(tab)) == "right"


def start_live(tab: Any) -> None:
    """One press starts the camera and its frames."""
    tab.get_by_role("tab", name="Live").click()
    tab.get_by_role("button", name="Start").click()
    playwright.expect(tab.get_by_role("button", name="Stop")).to_be_visible()
    tab.wait_for_selector("#live .best")


def test_the_live_picture_is_mirrored_for_the_eye_alone_and_a_snap_of_it_is_answered(tab: Any):
    with tab.expect_request(FRAME) as frame:
        start_live(tab)
    assert red_edge(read_image(tab.locator("#camera video").screenshot())) == "left"
    assert red_edge(as_image(frame.value.post_data_json["data"][0]["url"])) == "right"
    tab.get_by_role("button", name="Snap and share").click()
    assert red_edge(shown_photo(tab)) == "right"
    playwright.expect(tab.get_by_role("button", name="Share", exact=True)).to_be_visible()


def test_the_live_camera_names_somebody_and_stops_when_its_tab_is_left(tab: Any):
    start_live(tab)
    for _ in range(4):
        tab.wait_for_event("request", lambda request: FRAME.search(request.url))
    tracks = tab.evaluate_handle("document.querySelector('#camera video').srcObject.getTracks()")
    with tab.expect_request("**/stream/*/close"):
        tab.get_by_role("tab", name="Find").click()
    see_stopped(tab, tracks)
    late: list[str] = []
    tab.on("request", lambda request: late.append(request.url) if "/stream" in request.url else None)
    tab.wait_for_timeout(1500)
    assert len(late) <= 1
    start_live(tab)
    tracks = tab.evaluate_handle("document.querySelector('#camera video').srcObject.getTracks()")
    tab.get_by_role("button", name="Stop").click()
    playwright.expect(tab.get_by_role("button", name="Start")).to_be_visible()
    see_stopped(tab, tracks)
    playwright.expect(tab.locator("#camera video")).to_have_js_property("srcObject", None)


def see_stopped(tab: Any, tracks: Any) -> None:
    """Wait until the camera is off: its light goes out."""
    tab.wait_for_function("tracks => tracks.every(track => track.readyState === 'ended')", arg=tracks)


def test_start_is_answered_however_early_it_is_pressed(browser: Any, app_url: str):
    press = "const start = document.querySelector('#start'); if (start) { watch.disconnect(); start.click() }"
    watch = "{childList: true, subtree: true}"
    with open_tab(browser, app_url, width=390, height=844) as tab:
        tab.evaluate(f"new MutationObserver((_, watch) => {{ {press} }}).observe(document.body, {watch})")
        tab.get_by_role("tab", name="Live").click()
        tab.wait_for_selector("#live .best")


def test_a_camera_that_is_allowed_after_its_tab_was_left_is_switched_off(browser: Any, app_url: str):
    with open_tab(browser, app_url, width=390, height=844, script=ASKED) as tab:
        tab.get_by_role("tab", name="Live").click()
        tab.get_by_role("button", name="Start").click()
        tab.get_by_role("tab", name="About").click()
        tab.wait_for_timeout(500)
        assert allowed_cameras(tab, 1) == ["ended"]
        start_live(tab)


@pytest.mark.parametrize("place", ["Find", "Live"])
def test_a_camera_that_is_denied_is_reported(tab: Any, place: str):
    denied = "() => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    page = tab.context.new_page()  # a reload would end the first page's requests, which gradio reports
    page.set_default_timeout(TIMEOUT)
    page.add_init_script(f"navigator.mediaDevices.getUserMedia = {denied}")
    page.goto(tab.url)
    page.get_by_role("tab", name=place).click()
    shown = page.locator("[role=tabpanel]:visible")
    if place == "Live":
        shown.get_by_role("button", name="Start").click()
    else:
        shown.get_by_label("Capture from camera").first.click()
        shown.get_by_text("Click to Access Webcam").first.click()
    playwright.expect(shown.get_by_role("alert")).to_contain_text("We can't use the camera.")
    page.get_by_role("tab", name="About").click()
    playwright.expect(page.locator(".no-camera")).to_have_count(0)


def test_a_request_that_is_refused_leaves_no_earlier_answer(tab: Any):
    tab.get_by_role("button", name="Options").click()  # a number typed while they open would be reset
    upload(tab, "#photo", draw_face(seed=3))
    see_answer(tab)
    tab.route("**/queue/join*", lambda route: route.fulfill(status=503, json={"detail": "try again"}))
    number = tab.locator("#count input[type=number]")
    number.fill("8")
    number.blur()
    playwright.expect(tab.locator("#duel")).to_be_hidden()
    playwright.expect(tab.locator("#intro")).to_be_visible()


def test_two_photos_are_compared(tab: Any):
    tab.get_by_role("tab", name="Compare").click()
    shown = tab.locator("[role=tabpanel]:visible .image-container img")
    for number in (0, 1):
        upload(tab, "[role=tabpanel]:visible", draw_face(seed=3), number)
        playwright.expect(shown).to_have_count(number + 1)
    playwright.expect(tab.locator("#compared .words")).to_have_text("Probably the same person.")


def test_the_about_tab_and_the_api_guide_are_shown(tab: Any, app_url: str):
    tab.get_by_role("tab", name="About").click()
    playwright.expect(tab.locator("#about")).to_contain_text("What happens to your photo")
    tab.get_by_role("tab", name="API").click()
    playwright.expect(tab.locator("#calls")).to_contain_text(f'Client("{app_url}")')
