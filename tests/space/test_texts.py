"""The texts of the page: whole in every language, and short enough for their places."""

from __future__ import annotations

import ast
import re
from string import Formatter
from typing import Any

import numpy as np
import pytest

from lookalike.errors import ImageError
from lookalike.faces.quality import no_face_advice
from lookalike.gallery.gallery import Gallery
from lookalike.images import MAX_BYTES, read_image
from lookalike.models.explain import REGIONS
from lookalike.space import messages
from lookalike.space.gradio_internals import queue
from lookalike.space.labels import label, translations
from lookalike.space.messages import for_visitor
from lookalike.space.middleware import decoder_time, json_bodies, request_filter, shares, streams
from lookalike.space.middleware.decoders import BROKEN, SLOW
from lookalike.space.texts import (
    LANGUAGE,
    LANGUAGES,
    MAX_LENGTH,
    STATIC,
    TABS_LENGTH,
    english,
    language_of,
    table,
    text,
    texts_of,
)
from tests.support.chromium import BROKEN as BROKEN_FILE
from tests.support.chromium import (
    choose,
    open_tab,
    see_answer,
    upload,
)
from tests.support.drawing import draw_face
from tests.support.paths import ROOT

OTHERS = [language for language in LANGUAGES if language != "en"]
SAME = ("chip_", "tab_", "label_", "part_", "problem_", "answer_", "credit_", "about_", "button_", "build_")
FOLDER = ROOT / "lookalike" / "space"
SITE = ROOT / "lookalike" / "web" / "site"


def placeholders(value: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(value) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_missing_in_any_language(language: str):
    assert list(table(language)) == list(table("en"))
    assert all(value.strip() for value in table(language).values())


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_placeholders_of_the_english_text(language: str):
    there = {key: placeholders(value) for key, value in table(language).items()}
    assert there == {key: placeholders(value) for key, value in table("en").items()}


@pytest.mark.parametrize("language", OTHERS)
def test_only_short_words_are_the_same_as_in_english(language: str):
    same = [key for key, value in table(language).items() if value == table("en")[key]]
    assert not [key for key in same if not key.startswith(SAME)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_too_long_for_its_place(language: str):
    long = {
        key: value
        for beginning, most in MAX_LENGTH.items()
        for key, value in texts_of(language, beginning).items()
        if len(value) > most
    }
    assert not long
    assert sum(map(len, texts_of(language, "tab_").values())) <= TABS_LENGTH


def test_texts_of_components_have_no_placeholders_and_every_label_is_one_of_them():
    assert not any(placeholders(value) for value in texts_of("en", *STATIC, "script_").values())
    with pytest.raises(KeyError):
        label("answer_you")
    assert set(translations().translations) >= {"en", "pt-BR", "zh-CN", "ar"}


def keys_in_code() -> set[str]:
    """Every string in the code that begins as a key does; of an f-string its beginning."""
    found = set()
    for file in [*FOLDER.rglob("*.py")]:
        source = file.read_text("utf-8")
        found |= set(re.findall(r"pageTexts\.(\w+)", source))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    for file in [*FOLDER.rglob("*.js"), *SITE.rglob("*.js"), *SITE.rglob("*.html")]:
        found |= set(re.findall(r"\w+", file.read_text("utf-8")))
    return found


def test_every_text_is_used():
    used = keys_in_code()
    made = ("chip_field_", "chip_region_", "chip_gender_", "part_", "about_", "compare_in_")
    assert [key for key in table("en") if key not in used and not key.startswith(made)] == []


def test_every_part_of_a_face_and_every_choice_of_the_bundled_gallery_has_a_name():
    known = set(table("en"))
    assert {f"part_{part.replace(' ', '_')}" for part in REGIONS} <= known
    choices = Gallery.load().choices
    kinds = {"field": choices.categories, "region": choices.regions, "gender": choices.genders}
    names = {
        f"chip_{kind}_{'_'.join(re.findall('[a-z]+', value.lower()))}"
        for kind in kinds
        for value in kinds[kind]
    }
    assert names <= known


@pytest.mark.parametrize(
    ("named", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "*", "en"),
        ("", "nl,fr;q=0.8,de;q=0.9", "de"),
        ("", "pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("", "zh-TW,zh;q=0.9", "zh"),
        ("ar", "de", "ar"),
        ("../../etc", "ko", "ko"),
        ("", "ja;q=high,;;q=,hi;q=0.1", "hi"),
        ("", "q=" * 5000, "en"),
    ],
)
def test_the_language_is_the_named_one_or_the_first_that_the_browser_wants(
    named: str, accepted: str, language: str
):
    assert language_of(named, accepted) == language


def test_a_text_is_in_the_language_of_the_request_and_in_english_inside_the_block():
    before = LANGUAGE.set("de")
    try:
        assert text("answer_born", year=1815) != "born 1815"
        with english():
            assert text("answer_born", year=1815) == "born 1815"
        assert text("answer_born", year=1815) != "born 1815"
    finally:
        LANGUAGE.reset(before)


def sentences() -> list[str]:
    """What scripts read about errors, as the code raises it."""
    photos: list[Any] = [b"", b"hello", bytes(MAX_BYTES + 1), np.zeros((20_000, 20_000), np.uint8)]
    raised = []
    for photo in photos:
        with pytest.raises(ImageError) as error:
            read_image(photo)
        raised.append(str(error.value))
    images = [np.full((99, 99, 3), grey, np.uint8) for grey in (0, 255, 127)]
    images.append(np.full((2000, 2000, 3), 127, np.uint8))
    raised += [
        f"No face was found in the {which}photo; {no_face_advice(image)}"
        for image in images
        for which in ("", "first ")
    ]
    raised += [SLOW, BROKEN, messages.NO_MEMORY, messages.NO_PHOTO, messages.PHOTO_GONE]
    raised += [messages.OUTDATED_PAGE, messages.UNREADABLE_REQUEST]
    raised += [queue.FULL.format(size=40), queue.TOO_MANY, queue.UNREAD]
    raised += [queue.NO_ANSWER, queue.TOO_LARGE, json_bodies.TOO_LARGE, json_bodies.TOO_SLOW]
    raised += [json_bodies.BUSY, request_filter.TOO_MANY.format(seconds=3), streams.TOO_MANY]
    return [*raised, shares.TOO_MANY_AT_ONCE, decoder_time.WAIT.format(seconds=3)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_visitors_read_about_errors_in_their_language_and_scripts_what_was_raised(language: str):
    raised = sentences()
    assert [for_visitor(sentence) for sentence in raised] == raised
    before = LANGUAGE.set(language)
    try:
        shown = [for_visitor(sentence) for sentence in raised]
    finally:
        LANGUAGE.reset(before)
    assert not set(shown) & set(raised)
    assert not [sentence for sentence in shown if "{" in sentence]


def tabs(tab: Any) -> Any:
    return tab.locator(".tab-container button[role=tab]:visible")


@pytest.mark.browser
def test_the_page_is_arabic_from_right_to_left_and_fits_a_phone(browser: Any, app_url: str):
    words = table("ar")
    with open_tab(browser, app_url, width=390, height=844, locale="ar-EG") as tab:
        expect = expects()
        expect(tab.locator("html")).to_have_attribute("dir", "rtl")
        expect(tab.locator("#title")).to_contain_text(words["title_question"])
        upload(tab, "#photo", draw_face(3))
        see_answer(tab)
        left = "all => all.map(each => each.getBoundingClientRect().left)"
        first, _, last, *_ = tab.locator("#matches .thumbnail-item").evaluate_all(left)
        assert first > last
        for each in tabs(tab).all():
            each.click()
            expect(each).to_have_attribute("aria-selected", "true")
            assert tab.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_all_tabs_fit_a_phone_in_every_language_and_trouble_is_told_in_it(
    browser: Any, app_url: str, language: str
):
    with open_tab(browser, f"{app_url}?lang={language}", width=390, height=844) as tab:
        expect = expects()
        expect(tabs(tab)).to_have_count(5)
        expect(tab.locator("#language input")).to_have_value(LANGUAGES[language])
        expect(tab.get_by_text(table(language)["chip_everyone"], exact=True)).to_be_visible()
        choose(tab, "#photo", BROKEN_FILE)
        expect(tab.locator("#notice")).to_contain_text(table(language)["error_unreadable_photo"])


@pytest.mark.browser
def test_another_language_is_chosen_on_the_page_and_stays_in_its_address(browser: Any, app_url: str):
    with open_tab(browser, app_url, width=1280, height=800, locale="de") as tab:
        expect = expects()
        expect(tab.locator("#title")).to_contain_text(table("de")["title_question"])
        tab.locator("#language input").click()
        tab.get_by_role("option", name=LANGUAGES["ko"]).click()
        expect(tab.locator("#title")).to_contain_text(table("ko")["title_question"])
        assert "lang=ko" in tab.url


def expects() -> Any:
    from playwright.sync_api import expect

    return expect
