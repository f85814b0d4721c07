"""The pictures to share: what they show, and how they are passed on in a real browser."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from lookalike.finder import Lookalikes
from lookalike.images import read_image
from lookalike.space.drawing.share_picture import (
    SQUARE,
    STORY,
    WIDTH,
    Layout,
    Words,
    qr_code,
    share_picture,
)
from lookalike.space.finders import Finders
from lookalike.space.page.find_callbacks import FindCallbacks
from lookalike.space.page.sharing import SharingCallbacks
from tests.support.chromium import open_tab, see_answer, upload
from tests.support.drawing import draw_face
from tests.support.fakes import BrightDetector, ColourEmbedder, make_gallery

RED, BLUE = (255, 0, 0), (0, 0, 255)
ADDRESS = "https://someone-stars.hf.space"
WORDS = Words("I'm 71 % Ada Lovelace.", "Who are you?", ADDRESS)


def face(colour: tuple[int, int, int], side: int = 384) -> np.ndarray:
    return np.full((side, side, 3), colour, np.uint8)


@pytest.mark.parametrize("layout", [SQUARE, STORY])
def test_the_picture_shows_both_faces_large_and_a_code_that_phones_read(layout: Layout):
    drawn = share_picture(face(RED), face(BLUE), WORDS, layout)
    assert drawn.shape == (layout.height, WIDTH, 3)
    for colour, half in ((RED, np.s_[:, :540]), (BLUE, np.s_[:, 540:])):
        assert (drawn[half] == colour).all(axis=2).sum() > 0.95 * 490**2
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(np.ascontiguousarray(drawn[layout.band :, :, ::-1]))
    assert read == ADDRESS


def test_a_small_face_is_not_blown_up_and_the_other_is_shown_at_its_scale():
    drawn = share_picture(face(RED), face(BLUE, 200), WORDS, SQUARE)
    assert [(drawn[289] == colour).all(axis=1).sum() for colour in (RED, BLUE)] == [256, 256]


@pytest.mark.parametrize("layout", [SQUARE, STORY])
def test_the_credit_stands_between_the_claim_and_the_band_and_long_texts_are_shortened(layout: Layout):
    plain = share_picture(face(RED), face(BLUE), WORDS, layout)
    credited = share_picture(face(RED), face(BLUE), replace(WORDS, credit="x " * 900), layout)
    rows = np.argwhere((plain != credited).any(axis=2))[:, 0]
    assert layout.claim < rows.min() and rows.max() < layout.band
    longest = replace(WORDS, claim="x " * 900, ask="y" * 300, url=f"https://{'z' * 250}.hf.space")
    assert share_picture(face(RED), face(BLUE), longest, layout).shape == plain.shape


def test_a_code_has_one_pixel_a_module_and_a_quiet_zone():
    code = qr_code(ADDRESS)
    assert code.shape[0] == code.shape[1] and set(np.unique(code)) == {0, 255}
    assert (code[:2] == 255).all() and (code[2, 2:9] == 0).all()


def test_the_pictures_carry_the_address_that_the_visitor_sees_and_names_stay_text():
    hostile = 'Ada "><img src=x onerror=alert(1)> ${1}'
    gallery = make_gallery("colour", **{hostile: [[1, 0, 0]]})
    finders = Finders(Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector()))
    photo = face(RED, 40)
    found = FindCallbacks(finders).find(photo).found
    request = SimpleNamespace(headers={"host": "someone-stars.hf.space", "x-forwarded-proto": "https"})
    panel = SharingCallbacks(finders).share(photo, found, 0, 0, request)["value"]
    assert "<img src=x" not in panel and "${" not in panel
    assert f"Who are you? {ADDRESS}" in panel
    sizes = [read_image(base64.b64decode(data)).shape[:2] for data in re.findall(r"base64,([^\"]+)", panel)]
    assert sizes == [(1080, 1080), (1920, 1080)]


def open_panel(tab: Any) -> Any:
    """Upload a face, ask for the pictures, and return the panel that shows them."""
    upload(tab, "#photo", draw_face(seed=3))
    see_answer(tab)
    tab.get_by_role("button", name="Share", exact=True).click()
    panel = tab.locator("#share .share")
    panel.get_by_role("img").first.wait_for()
    return panel


@pytest.mark.browser
def test_where_there_is_no_share_sheet_the_picture_is_copied_or_downloaded(browser: Any, app_url: str):
    with open_tab(browser, app_url, width=1280, height=900) as tab:
        tab.evaluate("document.documentElement.classList.remove('can-share')")
        panel = open_panel(tab)
        assert not panel.get_by_role("button", name="Share the picture").is_visible()
        panel.get_by_role("button", name="Copy the picture").click()
        panel.get_by_text("Copied. Paste it where you like.").wait_for()
        copied = tab.evaluate(
            "navigator.clipboard.read().then(([item]) => item.getType('image/png'))"
            ".then(createImageBitmap).then(({width, height}) => [width, height])"
        )
        assert copied == [1080, 1080]
        panel.get_by_label("Story (9:16)").check()
        with tab.expect_download() as download:
            panel.get_by_role("button", name="Download the picture").click()
        picture = Image.open(io.BytesIO(download.value.path().read_bytes()))
        assert download.value.suggested_filename == "my-look-alike.jpg" and picture.size == (1080, 1920)


@pytest.mark.browser
def test_a_phone_s_share_sheet_gets_the_picture_and_the_address(browser: Any, app_url: str):
    with open_tab(browser, app_url, width=390, height=844, locale="es") as tab:
        tab.evaluate(
            "() => { document.documentElement.classList.add('can-share');"
            "navigator.share = async ({files: [file], text}) => {"
            "window.shared = [file.type, file.size, text, navigator.userActivation.isActive] } }"
        )
        upload(tab, "#photo", draw_face(seed=3))
        see_answer(tab)
        tab.locator("#draw").click()
        tab.locator("#send").click()
        kind, size, text, active = tab.wait_for_function("window.shared").json_value()
        assert kind == "image/jpeg" and size > 50_000 and active
        assert text.startswith("Soy ") and text.endswith(f"¿Y tú quién eres? {app_url}")
        assert not tab.locator("#copy").is_visible()
        heights = tab.locator(".share-ways button:visible, .share label").evaluate_all(
            "all => all.map(each => each.offsetHeight)"
        )
        assert min(heights) >= 44
