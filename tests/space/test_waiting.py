"""While a visitor waits: the photo at once, made small before it travels. Skipped without Chromium."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.chromium import CHROMIUM, choose, open_tab
from tests.support.drawing import draw_face
from tests.support.server import encoded

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
ROTATED_RIGHT = 6  # EXIF's orientation of a phone that was held upright


def twelve_megapixels() -> dict[str, Any]:
    """A JPEG of 4000 by 3000 pixels that lies on its side, as phones write it; upright it is 3000 by 4000."""
    upright = Image.fromarray(draw_face(seed=3)).resize((3000, 3000), Image.Resampling.BICUBIC)
    sheet = Image.new("RGB", (3000, 4000), (150, 165, 175))
    sheet.paste(upright, (0, 500))
    exif = Image.Exif()
    exif[0x0112] = ROTATED_RIGHT
    on_its_side = np.asarray(sheet.transpose(Image.Transpose.ROTATE_90))
    return {
        "name": "IMG_0001.JPG",
        "mimeType": "image/jpeg",
        "buffer": encoded(on_its_side, quality=95, exif=exif),
    }


def first_percentage(tab: Any) -> float:
    playwright.expect(tab.locator("#duel img").first).to_be_visible()
    return float(tab.locator("#duel .verdict").text_content().split("%")[0].strip())


@pytest.mark.slow
def test_a_large_photo_is_shown_at_once_travels_small_and_upright_and_gets_the_same_answer(
    browser: Any, app_url: str
):
    photo = twelve_megapixels()
    with open_tab(browser, app_url, width=390, height=844) as tab:
        sent: list[bytes] = []
        tab.on("request", lambda request: "/upload?" in request.url and sent.append(request.post_data_buffer))
        held: list[Any] | None = []
        tab.route("**/queue/join*", lambda route: route.continue_() if held is None else held.append(route))
        choose(tab, "#photo", photo)
        playwright.expect(tab.locator(":root.waiting")).to_have_count(1)
        playwright.expect(tab.locator("#waiting p")).to_contain_text("Looking for the celebrities")
        shown = "getComputedStyle(document.querySelector('#photo'), '::before').backgroundImage"
        assert tab.evaluate(shown).startswith('url("blob:')
        playwright.expect(tab.locator("#intro")).to_be_hidden()
        waiting, held = held, None  # later ones go on at once
        for route in waiting:
            route.continue_()
        small = first_percentage(tab)
        playwright.expect(tab.locator(":root.waiting")).to_have_count(0)
        playwright.expect(tab.locator("#waiting")).to_be_hidden()
        (body,) = sent
        assert len(body) < len(photo["buffer"]) / 5
        picture = Image.open(io.BytesIO(body[body.index(b"\xff\xd8") :]))
        assert picture.size == (960, 1280) and not picture.getexif()
    with open_tab(browser, app_url, width=390, height=844) as tab:
        tab.evaluate("() => { window.createImageBitmap = () => Promise.reject(new Error('unknown format')) }")
        with tab.expect_request("**/upload?*") as upload:
            choose(tab, "#photo", photo)
        assert abs(first_percentage(tab) - small) <= 1
        assert int(upload.value.all_headers()["content-length"]) > len(photo["buffer"])


def test_an_upload_that_fails_ends_the_waiting(browser: Any, app_url: str):
    with open_tab(browser, app_url, width=390, height=844) as tab:
        done = {"status": 200, "content_type": "text/event-stream", "body": 'data: {"msg": "done"}\n\n'}
        tab.route("**/upload_progress*", lambda route: route.fulfill(**done))  # gradio's own
        tab.route("**/upload?*", lambda route: route.fulfill(status=503, json={"detail": "try again"}))
        choose(tab, "#photo", {**twelve_megapixels(), "name": "me.jpg"})
        playwright.expect(tab.get_by_text("try again")).to_be_visible()
        playwright.expect(tab.locator(":root.waiting")).to_have_count(0)
        playwright.expect(tab.locator("#intro")).to_be_visible()


def test_nothing_moves_for_visitors_who_prefer_less_motion(browser: Any, app_url: str):
    with open_tab(browser, app_url, width=390, height=844) as tab:
        motion = "getComputedStyle(document.querySelector('#photo'), '::after').animationName"
        tab.evaluate("document.documentElement.classList.add('waiting')")
        assert tab.evaluate(motion) == "scan"
        tab.emulate_media(reduced_motion="reduce")
        assert tab.evaluate(motion) == "none"
