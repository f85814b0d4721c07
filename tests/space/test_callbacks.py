"""The callbacks of the page: find, choose, explain, compare and the live camera; and the About tab."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from lookalike import Lookalikes
from lookalike.errors import GalleryError, WeightsError
from lookalike.evaluation.models import PublicEmbedder
from lookalike.faces.detectors import load_detector
from lookalike.finder import Comparison, Match
from lookalike.gallery.choices import Choice
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.models.calibration import Calibration
from lookalike.models.embedder import Embedder
from lookalike.models.registry import load_embedder
from lookalike.space.components import BadPhoto
from lookalike.space.drawing import closer_html, html
from lookalike.space.drawing.cards import encode
from lookalike.space.drawing.own_face import heat_portrait, portrait
from lookalike.space.finders import Finders
from lookalike.space.page import about
from lookalike.space.page.find_callbacks import FindCallbacks
from lookalike.space.page.found import ALL_MODELS
from lookalike.space.page.live import MAX_MISSED_FRAMES, NEW_FRAME_WEIGHT, LiveCallbacks, running_mean
from lookalike.space.page.sharing import SharingCallbacks
from lookalike.space.page.tabs import CompareCallbacks
from tests.support.drawing import draw_face
from tests.support.fakes import (
    SCALE,
    BrightDetector,
    ColourEmbedder,
    a_face,
    make_gallery,
    settings,
    unit,
    write_public_embedder,
)

RED, BLUE, BLACK = (255, 0, 0), (0, 0, 255), (0, 0, 0)
HOSTILE = '<img src=x onerror=alert(1)> "${1+1}" {{x}} & co'


def strip(*colours: tuple[int, int, int]) -> np.ndarray:
    """Forty-pixel squares; BrightDetector finds a face in each that is not black."""
    return np.hstack([np.full((40, 40, 3), colour, np.uint8) for colour in colours])


def sharp(colour: tuple[int, int, int]) -> np.ndarray:
    """A forty-pixel square with fine stripes: a face that is easy to read."""
    square = strip(colour)
    square[:, ::4] //= 2
    return square


@pytest.fixture
def finders() -> Finders:
    rows = [
        Row("red", unit(1, 0, 0), category="warm", gender="woman", country="France", born=1975),
        Row("pink", unit(1, 0.3, 0.3), category="warm", gender="man", country="India"),
        Row("blue", unit(0, 0, 1), category="cold", gender="man", country="India"),
    ]
    gallery = Gallery.of(rows, settings(standing=(0.0, 1.0)))
    return Finders(Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector()))


@pytest.fixture
def callbacks(finders: Finders) -> FindCallbacks:
    return FindCallbacks(finders)


def a_match(name: str, similarity: float = 55.4) -> Match:
    return Match(1, name, similarity, 0.3, 0.3, None, None)


def test_a_photo_is_answered_with_the_pair_the_bars_and_a_photo_that_the_browser_keeps(
    callbacks: FindCallbacks,
):
    view = callbacks.find(strip(RED, BLUE))
    assert view.plain is not None and view.found is not None and view.place == 0
    assert 'alt="Your face"' in view.duel and view.duel.count("data:image/jpeg;base64,") == 2
    assert next(caption for _, caption in view.matches["value"]) == "1 · red · 100 %"
    assert view.bars.count("<li>") == 3 and 'aria-valuenow="100"' in view.bars
    assert view.chooser["visible"] and not view.why["visible"] and not view.share["visible"]


def test_the_number_of_matches_and_the_category_can_be_chosen(callbacks: FindCallbacks):
    assert callbacks.find(strip(RED), 1, None, "").bars.count("<li>") == 1
    cold = callbacks.find(sharp(RED), 5, "colour", "cold")
    assert [caption.split(" · ")[1] for _, caption in cold.matches["value"]] == ["blue"]
    assert cold.percentile == ""


def names(view: object) -> list[str]:
    return [caption.split(" · ")[1] for _, caption in view.matches["value"]]  # type: ignore[attr-defined]


def percentages(view: object) -> dict[str, str]:
    captions = [caption.split(" · ") for _, caption in view.matches["value"]]  # type: ignore[attr-defined]
    return {name: percent for _, name, percent in captions}


def test_before_there_is_a_photo_options_change_nothing(callbacks: FindCallbacks):
    assert callbacks.find_again(None, None, None, 1, None, "") == gr.skip()


@pytest.mark.parametrize(
    ("category", "gender", "region", "expected"),
    [
        ("", "", "", ["red", "pink", "blue"]),
        ("warm", "", "", ["red", "pink"]),
        ("", "man", "", ["pink", "blue"]),
        ("", "", "South Asia", ["pink", "blue"]),
        ("warm", "man", "South Asia", ["pink"]),
    ],
)
def test_a_choice_finds_only_who_fits_and_moves_no_percentage(
    callbacks: FindCallbacks, category: str, gender: str, region: str, expected: list[str]
):
    photo = strip((250, 20, 30))
    everyone = callbacks.find(photo)
    chosen = callbacks.find_again(everyone.plain, everyone.found, 0, 5, None, category, gender, region)
    assert names(chosen) == expected
    assert percentages(chosen).items() <= percentages(everyone).items()
    assert percentages(callbacks.find(photo, 5, None, category, gender, region)) == percentages(chosen)


def test_options_never_look_at_the_photo_again_and_keep_the_chosen_face(finders: Finders):
    callbacks = FindCallbacks(finders)
    first = callbacks.find(strip(RED, BLUE), 2)
    black = strip(BLACK, BLACK)  # nothing would be found in it
    again = callbacks.find_again(black, first.found, 1, 3, None, "", "man", "")
    assert names(again) == ["blue", "pink"] and again.photo == again.chooser == gr.skip()
    assert again.found is not None and again.found.width == 80
    assert percentages(callbacks.find_again(black, again.found, 1, 1, None, "")) == {"blue": "100 %"}


def test_one_more_match_changes_no_percentage_and_no_place(callbacks: FindCallbacks):
    two = callbacks.find(strip((250, 20, 30)), 2)
    three = callbacks.find_again(two.plain, two.found, 0, 3, None, "")
    assert list(percentages(three).items())[:2] == list(percentages(two).items())


def test_a_choice_that_nobody_fits_is_answered_with_a_sentence_and_can_be_undone(callbacks: FindCallbacks):
    view = callbacks.find(strip(RED))
    nobody = callbacks.find_again(view.plain, view.found, 0, 5, None, "cold", "woman", "")
    assert "leave one of them out" in nobody.notice["value"] and not nobody.results["visible"]
    assert nobody.found == gr.skip()
    assert names(callbacks.find_again(view.plain, view.found, 0, 5, None, "cold", "", "")) == ["blue"]


def test_another_model_embeds_the_faces_once(finders: Finders):
    embedded = []

    class Counting(ColourEmbedder):
        def embed_crops(self, crops):
            embedded.append(len(crops))
            return super().embed_crops(crops)

    def load(model: str) -> Lookalikes:
        gallery = make_gallery(model, red=[[1, 0, 0]], blue=[[0, 0, 1]])
        return Lookalikes(gallery, embedder=Counting(model), detector=BrightDetector())

    callbacks = FindCallbacks(Finders(finders.served, others=["tint"], load=load))
    view = callbacks.find(strip(RED, BLUE))
    tint = callbacks.find_again(view.plain, view.found, 1, 5, "tint", "")
    callbacks.find_again(view.plain, tint.found, 1, 1, "tint", "")
    assert names(tint) == ["blue", "red"] and embedded[-1:] == [2] and embedded.count(2) == 1


def test_a_bad_photo_leaves_nothing_of_an_earlier_answer(callbacks: FindCallbacks):
    view = callbacks.find(BadPhoto("This is not a photo."))
    assert view.notice == gr.update(value="This is not a photo.", visible=True)
    assert (view.photo, view.plain, view.found, view.duel, view.percentile) == (None, None, None, "", "")
    assert not view.results["visible"] and view.matches["value"] == []


def test_a_photo_that_is_hard_to_read_says_so_in_place_of_the_percentile(callbacks: FindCallbacks):
    view = callbacks.find(strip(RED))
    assert view.percentile.startswith("This photo is hard to read: the face is blurred.")
    again = callbacks.find_again(view.plain, view.found, 0, 1)
    assert again.percentile == view.percentile
    assert "hard to read" not in callbacks.find(sharp(RED)).percentile


def test_the_sentence_for_no_face_says_what_helps(callbacks: FindCallbacks):
    assert callbacks.find(strip(BLACK)).notice["value"] == (
        "No face was found in the photo; it is too dark. Try one that shows the face in good light."
    )


def test_a_turned_photo_is_shown_upright_with_boxes_in_its_pixels(finders: Finders):
    finders.served.detector = load_detector("mtcnn")
    picture = draw_face(seed=3)[:, 60:420]
    upright = FindCallbacks(finders).find(picture)
    turned = FindCallbacks(finders).find(np.ascontiguousarray(np.rot90(picture)))
    assert turned.plain.shape == picture.shape and np.array_equal(turned.plain, upright.plain)
    assert turned.found.faces[0].face.box == upright.found.faces[0].face.box


def test_the_percentile_is_shown_with_the_first_match_alone(callbacks: FindCallbacks):
    view = callbacks.find(sharp(RED))
    _, second, *_ = callbacks.choose_match(view.plain, view.found, 0, SimpleNamespace(index=1))
    _, first, *_ = callbacks.choose_match(view.plain, view.found, 0, SimpleNamespace(index=0))
    assert "of visitors get" in view.percentile == first and second == ""


def test_the_first_tile_is_framed_for_each_photo_and_face(callbacks: FindCallbacks):
    view = callbacks.find(strip(RED, BLUE))
    other = callbacks.choose_face(view.plain, view.found, 1)[2]
    assert view.matches["selected_index"] == other["selected_index"] == 0  # type: ignore[index]


def test_the_page_says_who_each_match_is(callbacks: FindCallbacks):
    view = callbacks.find(strip(RED))
    for part in (view.duel, view.bars):
        assert '<small class="who">France · born 1975</small>' in part


def test_all_models_answer_side_by_side_and_one_that_fails_says_so(finders: Finders, tmp_path: Path):
    write_public_embedder(tmp_path / "tiny.onnx")
    tiny = PublicEmbedder(tmp_path / "tiny.onnx")
    faces = {f"drawn {seed}": draw_face(seed) for seed in (1, 2, 3)}
    detector = load_detector("mtcnn")

    def finder(embedder: Embedder) -> Lookalikes:
        rows = [Row(n, embedder.embed(face, detector.detect(face)[:1])[0]) for n, face in faces.items()]
        model = embedder.model
        fitting = settings(model.name, dim=model.dim)
        fitting = replace(
            fitting,
            engine=embedder.engine,
            weights_hash=embedder.weights_hash,
            calibration=Calibration(SCALE),
        )
        return Lookalikes(Gallery.of(rows, fitting), embedder=embedder, detector=detector)

    def load(model: str) -> Lookalikes:
        if model == "gone":
            raise WeightsError("nothing is there")
        return finder(tiny)

    compact = finder(load_embedder("compact"))
    callbacks = FindCallbacks(Finders(compact, others=["tiny", "gone"], load=load))
    view = callbacks.find(faces["drawn 2"], 2, ALL_MODELS)
    columns = re.findall("<figcaption>(.*?)</figcaption>(.*?)</figure>", view.beside["value"])
    assert [model for model, _ in columns] == ["compact", "tiny", "gone"] and view.beside["visible"]
    for _, inside in columns[:2]:
        assert inside.count("<li>") == 2 and ">1. drawn 2<" in inside and 'aria-valuenow="100"' in inside
    assert "gone could not be loaded" in columns[2][1]
    assert view.found is not None and view.found.options.model is None
    assert callbacks.choose_face(view.plain, view.found, 0)[4] == view.beside
    assert not callbacks.find(faces["drawn 2"], 2, "tiny").beside["visible"]


@pytest.mark.parametrize(
    "options", [(5, "nonesuch", ""), (5, None, "hot"), (5, None, "", "robot"), (5, None, "", "", "Atlantis")]
)
def test_options_that_a_browser_made_up_are_refused_with_a_sentence(callbacks: FindCallbacks, options: tuple):
    view = callbacks.find(strip(RED), *options)
    assert "choose one of" in view.notice["value"] and not view.results["visible"]


@pytest.mark.parametrize("count", [0, 21, None, "many"])
def test_an_impossible_number_of_matches_is_refused(callbacks: FindCallbacks, count: object):
    with pytest.raises(gr.Error, match="between 1 and 20"):
        callbacks.find(strip(RED), count)  # type: ignore[arg-type]


def test_another_match_and_another_face_can_be_chosen(callbacks: FindCallbacks):
    found = callbacks.find(strip(RED, BLUE)).found
    duel, _, place, *_ = callbacks.choose_match(strip(RED, BLUE), found, 0, SimpleNamespace(index=1))
    assert "pink" in duel and place == 1
    assert callbacks.choose_face(strip(RED, BLUE), found, 1)[2]["value"][0][1] == "1 · blue · 100 %"


@pytest.mark.parametrize(
    ("face", "place"), [(5, 0), (-1, 0), (None, 0), ("x", 0), (0, 3), (0, -1), (0, [0, 1])]
)
def test_positions_that_a_browser_made_up_are_refused(callbacks: FindCallbacks, face: object, place: object):
    found = callbacks.find(strip(RED)).found
    for callback in (callbacks.explain, SharingCallbacks(callbacks.finders).share):
        with pytest.raises(gr.Error):
            callback(strip(RED), found, face, place)
    with pytest.raises(gr.Error):
        callbacks.choose_match(strip(RED), found, face, SimpleNamespace(index=place))


def test_explanations_are_data_urls(callbacks: FindCallbacks):
    found = callbacks.find(strip(RED)).found
    why = callbacks.explain(strip(RED), found, 0, 1)["value"]
    assert "Why you look like pink: " in why and 'src="data:image/jpeg;base64,' in why


def test_a_hostile_name_stays_text_everywhere():
    match = a_match(HOSTILE)
    written = [
        html.face_pair(b"jpeg", match, b"jpeg"),
        html.match_bars([match]),
        html.explanation(b"jpeg", match, ["nose"]),
        html.live_matches([match, match]),
        closer_html.slider(b"jpeg", b"jpeg", match),
        closer_html.morph(b"gif", b"jpeg", match),
    ]
    for text in written:
        assert "<img src=x" not in text and "${" not in text and "{{" not in text
        assert html.escape(HOSTILE)[:12] in text


def test_beside_the_camera_each_name_keeps_its_percentage_also_in_arabic():
    shown = html.live_matches([a_match("Ada"), a_match("Bo"), a_match("Cy")])
    assert re.findall("<bdi>(.*?)</bdi>", shown) == ["Bo 55 %", "Cy 55 %"]


def test_the_link_searches_for_the_name_and_sends_nothing_else():
    (link,) = re.findall(r"<a [^>]+>", html.match_bars([a_match('Åda "B" & Co')]))
    assert 'rel="noopener noreferrer"' in link and 'target="_blank"' in link
    assert "q=%C3%85da+%22B%22+%26+Co" in link


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Comparison(60.0, 5.0, 0.5, True), "Probably the same person."),
        (Comparison(59.0, 4.9, 0.5, False), "Could be the same person, or two who look very much alike."),
        (Comparison(40.0, 4.0, 0.4, False), "Could be the same person, or two who look very much alike."),
        (Comparison(39.0, 3.9, 0.4, False), "Probably two different people."),
    ],
)
def test_a_comparison_is_put_into_words(result: Comparison, words: str):
    assert f">{words}<" in html.comparison(b"a", b"b", result)


def test_two_photos_are_compared_and_a_missing_photo_or_face_is_reported(finders: Finders):
    look = CompareCallbacks(finders).compare_photos
    first, second, verdict = look(strip(RED), strip(RED))
    assert first is not None and second is not None and "100 %" in verdict
    _, second, words = look(strip(RED), None)
    assert second == gr.skip() and "Choose two photos" in words  # one chosen meanwhile is not undone
    assert "No face was found in the second photo" in look(strip(RED), strip(BLACK))[2]


def test_a_photo_that_lies_on_its_side_is_compared():
    face = draw_face(seed=0)
    lying = np.ascontiguousarray(np.rot90(face))
    verdict = CompareCallbacks(Finders(Lookalikes.load())).compare_photos(lying, face)[2]
    assert verdict.count("<figure>") == 2 and "Probably the same person" in verdict


def test_a_bad_photo_is_taken_away_and_the_other_stays(finders: Finders):
    first, second, words = CompareCallbacks(finders).compare_photos(strip(RED), BadPhoto("It is empty."))
    assert first is not None and second is None and words == html.sentence("The second photo: It is empty.")


SIDES = {"large": 384, "small": 160, "tiny": 40}


def test_a_portrait_is_the_square_around_the_face_even_at_the_edge():
    image = strip(RED, BLUE)
    large = np.kron(image, np.ones((4, 4, 1), np.uint8))
    own = portrait(large, a_face(55, 15, 10, 10), width=80)
    assert own.shape == (70, 70, 3)  # 4.4 times the distance of the eyes, which is 16 pixels
    assert (own[35, 35] == BLUE).all()
    for box in ((-50, -50, 20, 20), (500, 500, 9, 9), (0, 0, 0, 0), (0, 0, 900, 900)):
        height, width, _ = portrait(image, a_face(*box), width=80).shape
        assert height == width <= 384


def test_two_faces_are_shown_at_the_width_of_the_smaller_picture():
    sides = {name: encode(np.zeros((side, side, 3), np.uint8)) for name, side in SIDES.items()}
    widths = [
        re.search(r"--side:(\d+)px", html.face_pair(sides[own], a_match("Ada"), sides[other]))[1]
        for own, other in (("large", "small"), ("small", "large"), ("large", "large"), ("tiny", "large"))
    ]
    assert widths == ["160", "160", "384", "128"]


def test_only_the_parts_that_matter_are_coloured():
    heat = np.full((112, 112), -0.1, np.float32)
    grey = np.full((400, 400, 3), 127, np.uint8)
    face = a_face(100, 100, 200, 200)
    assert (heat_portrait(grey, face, heat) == 127).all()
    heat[80:100, 40:70] = 0.3
    drawn = heat_portrait(grey, face, heat)
    assert (drawn[:150, :150] == 127).all() and (drawn[300, 190] != 127).any()


def test_the_live_match_is_stable_and_follows_a_new_face(finders: Finders):
    live = LiveCallbacks(finders)
    picture, shown, track = live.frame(strip(RED), None)
    assert '<p class="best">red</p>' in shown["value"] and 'alt="red"' in picture["value"]
    picture, once, track = live.frame(strip((255, 180, 180)), track)
    assert '<p class="best">red</p>' in once["value"] and "value" not in picture
    picture, shown, track = live.frame(strip(BLUE), track)
    assert '<p class="best">blue</p>' in shown["value"] and 'alt="blue"' in picture["value"]


def test_a_blink_is_ignored_and_a_face_that_left_is_forgotten(finders: Finders):
    live = LiveCallbacks(finders)
    *_, track = live.frame(strip(RED), None)
    for _ in range(MAX_MISSED_FRAMES):
        picture, words, track = live.frame(strip(BLACK), track)
        assert "value" not in picture and "value" not in words
    picture, words, track = live.frame(strip(BLACK), track)
    assert "Look into the camera" in words["value"] and picture["value"] == "" and track is None
    assert live.frame(None, track)[2] is None


def test_the_running_mean_gives_each_new_frame_its_weight():
    first, second = unit(1, 0, 0), unit(1, 1, 0)
    assert running_mean(None, first) is first
    assert running_mean(first, second) == pytest.approx(
        (1 - NEW_FRAME_WEIGHT) * first + NEW_FRAME_WEIGHT * second
    )
    assert running_mean(first, unit(0, 0, 1)).tolist() == [0, 0, 1]


def test_rows_of_a_name_and_of_a_category():
    gallery = make_gallery(ada=[[1, 0, 0], [1, 1, 0]], bo=[[0, 0, 1]])
    assert [len(gallery.rows_of(name)) for name in ("ada", "bo")] == [2, 1]
    with pytest.raises(GalleryError):
        gallery.rows_of("c")
    assert gallery.choices.categories == ()
    with pytest.raises(GalleryError):
        gallery.only(Choice(category="warm"))


@pytest.mark.parametrize("titles", ["same or not | nearest is right", "verification | top-1 accuracy"])
def test_the_about_tab_takes_its_figures_from_the_card(titles: str):
    card = (
        f"# m\n| group |  | photos | {titles} | AUC |\n|---|\n"
        "| all | as they are | 12 | 90.0 % | 80.0 % | 1 |\n| blur | 1 px | 12 | 9 % | 8 % | 1 |\n\n"
        "| source | of another table | 3 | 4 | 5 | 6 |\n"
    )
    assert "| all: as they are | 12 | 90.0 % | 80.0 % |" in about.accuracy(card)
    assert "blur" not in about.accuracy(card) and "another table" not in about.accuracy(card)
    assert about.accuracy("# nothing") == ""
    assert about.accuracy(about.model_card())


def test_the_about_tab_shows_how_often_strangers_of_a_group_reach_a_percentage():
    card = (
        "| strangers within | pairs | 40 % or more, cosine | 40 % or more, score | 60 % or more, score |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| UTK Black | 4,950 | 9.00 % (8.00 to 9.90) | 1.10 % (0.90 to 1.30) | 0.12 % (0.08 to 0.20) |\n"
    )
    shown = about.strangers(card)
    assert "| UTK Black | 1.10 % (0.90 to 1.30) | 0.12 % (0.08 to 0.20) |" in shown
    assert "9.00" not in shown and "children" in shown and about.strangers("# nothing") == ""


def test_the_about_tab_links_to_a_gallery_on_the_hub(finders: Finders):
    assert "revision `" in about.about(finders.current) and "huggingface.co" not in about.about(
        finders.current
    )
    hub = Finders(finders.served, gallery_id="someone/stars@v1")
    assert "(https://huggingface.co/datasets/someone/stars)" in about.about(hub.current)
