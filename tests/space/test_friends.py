"""The people of a group photo: tapping a face, who resembles whom, and everyone's match in one picture."""

from __future__ import annotations

import base64
import re
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from lookalike import Lookalikes
from lookalike.images import read_image
from lookalike.space.drawing import friends_html
from lookalike.space.drawing.collage import BAR, CELL, WIDTH, Couple, collage
from lookalike.space.finders import Finders
from lookalike.space.page.find_callbacks import FindCallbacks
from lookalike.space.page.found import face_at
from lookalike.space.page.friends import MAX_FRIENDS, FriendsCallbacks
from tests.support.fakes import BrightDetector, ColourEmbedder, make_gallery

RED, PINK, BLUE = (255, 0, 0), (255, 120, 120), (0, 0, 255)


def strip(*colours: tuple[int, int, int]) -> np.ndarray:
    """Forty-pixel squares; BrightDetector finds a face in each."""
    return np.hstack([np.full((40, 40, 3), colour, np.uint8) for colour in colours])


@pytest.fixture
def finders() -> Finders:
    gallery = make_gallery(red=[[1, 0, 0]], blue=[[0, 0, 1]])
    return Finders(Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector()))


def found_in(finders: Finders, *colours: tuple[int, int, int]):
    """Return the photo and what the page remembers of it."""
    view = FindCallbacks(finders).find(strip(*colours))
    return view.plain, view.found


def cells(table: str) -> list[str]:
    return re.findall(r"<td[^>]*>([^<]*)</td>", table)


def test_the_table_has_the_percentages_of_compare(finders: Finders):
    table = FriendsCallbacks(finders).whom(*found_in(finders, RED, BLUE, PINK))["value"]
    one = {
        pair: f"{finders.served.compare(*map(strip, pair)).similarity:.0f} %"
        for pair in ((RED, BLUE), (RED, PINK), (BLUE, PINK))
    }
    red_blue, red_pink, blue_pink = one.values()
    head, *rows = cells(table)
    assert head == ""
    assert rows == ["", red_blue, red_pink, red_blue, "", blue_pink, red_pink, blue_pink, ""]
    assert f"Most alike: Face 1 and Face 3, {red_pink}." in table


def test_after_another_model_took_the_place_of_the_first_the_photo_must_be_chosen_again(finders: Finders):
    photo = found_in(finders, RED, BLUE)
    gallery = make_gallery("tint", red=[[1, 0, 0]])
    finders.replace(Finders(Lookalikes(gallery, embedder=ColourEmbedder("tint"), detector=BrightDetector())))
    with pytest.raises(gr.Error, match="choose it again"):
        FriendsCallbacks(finders).whom(*photo)


def test_the_table_can_be_read_without_seeing_it(finders: Finders):
    table = FriendsCallbacks(finders).whom(*found_in(finders, RED, BLUE))["value"]
    for scope in ("col", "row"):
        heads = re.findall(
            rf'<th scope="{scope}"><img src="data:image/jpeg;base64,[^"]+" alt="([^"]+)">', table
        )
        assert heads == ["Face 1", "Face 2"]
    assert 'role="region" aria-label="How alike each two faces of your photo are"' in table


def test_a_deeper_colour_means_a_higher_percentage():
    table = friends_html.resemblances([b"a", b"b"], np.array([[100, 61.4], [61.4, 100]]))
    assert table.count('<td style="--percent:61">61 %</td>') == 2 and table.count('<td class="self">') == 2


def test_the_table_and_the_picture_have_at_most_eight_people(finders: Finders):
    photo = found_in(finders, *[RED, BLUE, PINK] * 3)
    friends = FriendsCallbacks(finders)
    assert friends.whom(*photo)["value"].count('scope="row"') == MAX_FRIENDS == 8
    drawn = friends.everyone(*photo)["value"]
    picture = read_image(base64.b64decode(re.search(r"base64,([^\"]+)", drawn)[1]))
    assert picture.shape == (4 * CELL[1] + BAR, WIDTH, 3) and 'download="our-look-alikes.jpg"' in drawn


@pytest.mark.parametrize("colours", [(), (RED,)])
def test_one_face_has_no_friends(finders: Finders, colours: tuple):
    photo = found_in(finders, *colours) if colours else (None, None)
    for callback in (FriendsCallbacks(finders).whom, FriendsCallbacks(finders).everyone):
        with pytest.raises(gr.Error, match="choose it again"):
            callback(*photo)


def test_only_several_faces_offer_the_buttons(finders: Finders):
    find = FindCallbacks(finders).find
    assert [find(strip(*colours)).friends["visible"] for colours in ((RED,), (RED, BLUE))] == [False, True]
    assert find(None).friends["visible"] is False


def test_every_couple_has_its_place_and_one_alone_is_in_the_middle():
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    couples = [
        Couple(np.full((50, 50, 3), c, np.uint8), np.full((90, 90, 3), c, np.uint8), "Ada", "55 %")
        for c in colours
    ]
    drawn = collage(couples, "Look-alikes")
    assert drawn.shape == (2 * CELL[1] + BAR, WIDTH, 3)
    points = [(130, 150), (130, 150 + CELL[0]), (130 + CELL[1], 400)]
    assert [tuple(drawn[point]) for point in points] == colours


@pytest.mark.parametrize(
    ("point", "face"),
    [
        ([60, 20], 0),
        ([100, 20], 1),
        ([50, 45], 0),
        ([78, 20], 0),
        ([82, 20], 1),
        ([300, 20], None),
        (None, None),
        (["a", 1], None),
        ([1], None),
        ([10**400, 1], None),
        ({"x": 1}, None),
    ],
)
def test_a_tap_finds_the_nearest_face_and_nothing_far_away(finders: Finders, point: object, face: int | None):
    black = (0, 0, 0)
    view = FindCallbacks(finders).find(strip(black, RED, BLUE, *[black] * 5))
    assert [each.face.box[0] for each in view.found.faces] == [40, 80]
    assert face_at(view.found, view.plain, point) == face


def test_a_tapped_face_is_chosen_and_a_tap_beside_all_faces_changes_nothing(finders: Finders):
    photo = found_in(finders, RED, BLUE)
    callbacks = FindCallbacks(finders)
    tapped, *shown = callbacks.tap_face(*photo, 0, SimpleNamespace(index=[60, 20]))
    chosen = callbacks.choose_face(*photo, 1)
    assert tapped == 1 and shown[1:] == list(chosen[1:]) and np.array_equal(shown[0], chosen[0])
    for index in ([20, 20], [900, 900], None):
        assert callbacks.tap_face(*photo, 0, SimpleNamespace(index=index)) == gr.skip()
