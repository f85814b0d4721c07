"""The pictures that the page draws, and their captions."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.finder import FoundFace, Match
from lookalike.images import read_image
from lookalike.space.api.report import caption, percentile_sentence
from lookalike.space.drawing.cards import (
    ACCENT,
    CARD_SIDE,
    DISPLAY_SIDE,
    PALETTE,
    colours,
    draw_faces,
    encode,
    name_card,
    picture_of,
    shrink,
)
from lookalike.space.drawing.facts import fact_line
from lookalike.space.drawing.fonts import (
    MAX_LETTERS,
    NAME_LINES,
    drawable,
    drawable_text,
    fit,
    initials,
    shown_name,
)
from lookalike.space.texts import LANGUAGE, LANGUAGES
from tests.support.fakes import a_face, make_gallery, unit

GREY = np.full((400, 600, 3), 127, np.uint8)


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def a_match(name: str, similarity: float = 55.1) -> Match:
    return Match(1, name, similarity, 0.34, 0.34, None, None)


def test_a_large_photo_is_shrunk_and_a_small_one_is_unchanged():
    assert shrink(np.zeros((2000, 4000, 3), np.uint8)).shape == (DISPLAY_SIDE // 2, DISPLAY_SIDE, 3)
    assert shrink(GREY) is GREY


def test_the_frame_is_around_the_face_and_leaves_the_rest_unchanged():
    drawn = draw_faces(GREY, [a_face(200, 100, 120, 160)], 0)
    assert tuple(drawn[180, 203]) == ACCENT
    assert (drawn[180, 260] == 127).all() and (drawn[20, 20] == 127).all()
    assert (GREY == 127).all()


def test_boxes_of_the_original_photo_are_scaled_to_the_shrunk_one():
    once = draw_faces(GREY, [a_face(200, 100, 120, 160)], 0)
    again = draw_faces(GREY, [a_face(400, 200, 240, 320)], 0, width=1200)
    assert (once == again).all()


def test_only_the_chosen_one_of_several_faces_has_the_accent():
    faces = [a_face(50, 100, 120, 160), a_face(350, 100, 120, 160)]
    first, second = draw_faces(GREY, faces, 0), draw_faces(GREY, faces, 1)
    assert tuple(first[200, 53]) == ACCENT != tuple(first[200, 353])
    assert tuple(second[200, 353]) == ACCENT != tuple(second[200, 53])


@pytest.mark.parametrize("box", [(-50, -50, 800, 600), (599, 399, 10, 10), (700, 500, 10, 10), (5, 5, 0, 0)])
def test_a_face_at_the_edge_or_beyond_it_is_drawn_without_error(box: tuple[float, ...]):
    assert draw_faces(GREY, [a_face(*box)] * 2, 1).shape == GREY.shape
    assert draw_faces(GREY[:1, :1], [a_face(*box)], 0).shape == (1, 1, 3)


def test_a_card_depends_on_its_name_alone():
    assert (name_card("Ada Lovelace") == name_card("Ada Lovelace")).all()
    assert name_card("Ada Lovelace").shape == (CARD_SIDE, CARD_SIDE, 3)
    assert len({colours(f"name {number}") for number in range(200)}) == len(PALETTE)


def test_white_is_readable_on_every_card():
    for pair in PALETTE:
        for share in np.linspace(0, 1, 11):
            mixed = tuple(int((1 - share) * a + share * b) for a, b in zip(*pair, strict=True))
            assert 1.05 / (luminance(mixed) + 0.05) >= 4.5, pair  # type: ignore[arg-type]


FACTS = {"field": "film & TV", "country": "United States", "born": 1975, "known_for": "Titanic"}


@pytest.mark.parametrize(
    ("about", "line"),
    [
        (FACTS, "Film & TV · United States · born 1975 · known for Titanic"),
        ({"known_for": "singer of Try Again"}, "singer of Try Again"),
        ({"born": 1815, "gender": "woman"}, "born 1815"),
        ({}, ""),
    ],
)
def test_the_facts_are_one_line(about: dict, line: str):
    assert fact_line(about) == line


def test_a_card_shows_the_facts_and_the_native_name_where_the_fonts_have_its_letters():
    plain, told = name_card("Ada", {}), name_card("Ada", FACTS)
    assert (plain[300:] != told[300:]).any() and (plain == name_card("Ada")).all()
    assert (name_card("Ada", FACTS | {"native": "Άντα"}) != told).any()
    assert picture_of("Ada", None, FACTS) == encode(told)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("Ada King Lovelace", "AL"),
        ("Cher", "C"),
        ('Dwayne "The Rock" Johnson', "DJ"),
        ("<b>bold</b> *name*", "BN"),
        ("ßandra", "S"),
        ("***", "?"),
    ],
)
def test_initials_are_those_of_the_first_and_the_last_word(name: str, letters: str):
    assert initials(name) == letters


def test_names_are_drawn_in_their_own_letters_or_plainer_ones_or_not_at_all():
    assert drawable("Penélope Cruz") in ("Penélope Cruz", "Penelope Cruz")
    assert drawable("Ada\u202e Love\u0000lace") == "Ada Lovelace"
    assert drawable("王菲") in ("", "王菲") and drawable("") == ""
    assert (name_card("王菲") != name_card("Ada")).any()


@pytest.mark.parametrize(
    "name", ["Ada", "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff the Elder", "a" * 10_000]
)
def test_a_name_of_any_length_fits_the_card(name: str):
    font, lines = fit(drawable(name), 328)
    assert len(lines) <= NAME_LINES and all(font.getlength(line) <= 328 for line in lines)


def test_a_broken_thumbnail_is_replaced_by_the_card():
    assert picture_of("Ada", b"no picture") == picture_of("Ada", None) == encode(name_card("Ada"))
    assert picture_of("Ada", encode(GREY)) == encode(read_image(encode(GREY))[:, 100:500])  # the middle


def test_captions_have_rank_name_and_percentage_and_no_control_characters():
    assert caption(a_match("Ada\u202e\n Lovelace")) == "1 · Ada Lovelace · 55 %"
    assert caption(a_match("\u202e")) == "1 · no name · 55 %"
    assert len(shown_name("a" * 1000)) == MAX_LETTERS + 1


@pytest.mark.parametrize("native", ["王菲", "فيروز", "शाहरुख़ ख़ान", "봉준호"])
def test_a_card_shows_the_native_name_where_a_font_has_its_letters_and_else_the_latin_one_alone(native: str):
    about = {"country": "China", "born": 1969}
    both, latin = name_card("Faye Wong", {"native": native, **about}), name_card("Faye Wong", about)
    assert np.array_equal(both, latin) is (drawable(native) == "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_has_facts_in_every_language_in_letters_that_the_fonts_have(language: str):
    before = LANGUAGE.set(language)
    try:
        card = name_card("Faye Wong", {"field": "music", "born": 1969})
        drawn = drawable_text("answer_alike")
    finally:
        LANGUAGE.reset(before)
    assert not np.array_equal(card, name_card("Faye Wong"))
    assert drawable(drawn) == drawn


def test_the_percentile_is_put_into_words():
    gallery = make_gallery(ada=[[1, 0, 0]], bo=[[0, 1, 0]])
    sentences = [
        percentile_sentence(
            FoundFace(a_face(0, 0, 1, 1), (a_match("Ada"),), standing, unit(1)), len(gallery.names)
        )
        for standing in (0.83, 1.0, 0.05, None)
    ]
    assert sentences == [
        "A closer match than 83 % of visitors get.",
        "Rare: a closer match than 99 % of visitors get.",
        "You're one of a kind: none of these 2 people looks much like you. Here are the nearest anyway.",
        "",
    ]
