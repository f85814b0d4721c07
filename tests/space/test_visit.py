"""What the page does for a visitor: the pair, the bars, the reasons, the picture to share, the live line."""

from __future__ import annotations

import base64
import html
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
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.images import read_image
from lookalike.models.embedder import Embedder
from lookalike.models.registry import load_embedder
from lookalike.space.drawing import html as sheets
from lookalike.space.drawing.own_face import heat_portrait, portrait, share_picture
from lookalike.space.finders import Finders
from lookalike.space.page import about
from lookalike.space.page.callbacks import ALL, Visit
from lookalike.space.page.live import NEWEST, PATIENCE, Live, smoothed
from lookalike.space.page.tabs import Compare
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


@pytest.fixture
def finders() -> Finders:
    rows = [
        Row("red", unit(1, 0, 0), category="warm"),
        Row("pink", unit(1, 0.3, 0.3), category="warm"),
        Row("blue", unit(0, 0, 1), category="cold"),
    ]
    gallery = Gallery.of(rows, settings())
    return Finders(Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector()))


@pytest.fixture
def visit(finders: Finders) -> Visit:
    return Visit(finders, "Look-alikes")


def a_match(name: str, similarity: float = 55.4) -> Match:
    return Match(1, name, similarity, 0.3, None, None)


def test_a_photo_is_answered_with_the_pair_the_bars_and_the_photo_for_the_browser_to_keep(visit: Visit):
    view = visit.look(strip(RED, BLUE))
    assert view.plain is not None and view.seen is not None and view.place == 0
    assert 'alt="Your face"' in view.duel and view.duel.count("data:image/jpeg;base64,") == 2
    assert next(caption for _, caption in view.matches["value"]) == "1 · red · 100 %"
    assert view.bars.count("<li>") == 3 and 'aria-valuenow="100"' in view.bars
    assert view.chooser["visible"] and not view.why["visible"] and not view.share["visible"]


def test_how_many_matches_and_among_whom_can_be_chosen(visit: Visit):
    assert visit.look(strip(RED), 1, None, "").bars.count("<li>") == 1
    cold = visit.look(strip(RED), 5, "colour", "cold")
    assert [caption.split(" · ")[1] for _, caption in cold.matches["value"]] == ["blue"]
    assert cold.standing == ""


def test_other_options_look_again_and_change_nothing_before_there_is_a_photo(visit: Visit):
    assert visit.again(strip(RED), 1, None, "").bars.count("<li>") == 1
    assert visit.again(None, 1, None, "") == gr.skip()


def test_all_models_are_asked_side_by_side_and_one_that_fails_says_so(finders: Finders, tmp_path: Path):
    write_public_embedder(tmp_path / "tiny.onnx")
    tiny = PublicEmbedder(tmp_path / "tiny.onnx")
    faces = {f"drawn {seed}": draw_face(seed) for seed in (1, 2, 3)}
    detector = load_detector("mtcnn")

    def finder(embedder: Embedder) -> Lookalikes:
        rows = [Row(n, embedder.embed(face, detector.detect(face)[:1])[0]) for n, face in faces.items()]
        model = embedder.model
        fitting = settings(model.name, dim=model.dim)
        fitting = replace(fitting, engine=embedder.engine, weights_hash=embedder.weights_hash, scale=SCALE)
        return Lookalikes(Gallery.of(rows, fitting), embedder=embedder, detector=detector)

    def load(model: str) -> Lookalikes:
        if model == "gone":
            raise WeightsError("nothing is there")
        return finder(tiny)

    compact = finder(load_embedder("compact"))
    visit = Visit(Finders(compact, others=["tiny", "gone"], load=load), "Look-alikes")
    view = visit.look(faces["drawn 2"], 2, ALL)
    columns = re.findall("<figcaption>(.*?)</figcaption>(.*?)</figure>", view.beside["value"])
    assert [model for model, _ in columns] == ["compact", "tiny", "gone"] and view.beside["visible"]
    for _, inside in columns[:2]:
        assert inside.count("<li>") == 2 and ">1. drawn 2<" in inside and 'aria-valuenow="100"' in inside
    assert "gone cannot be used at the moment" in columns[2][1]
    assert view.seen is not None and view.seen.model is None
    assert visit.choose(view.plain, view.seen, 0)[4] == view.beside
    assert not visit.look(faces["drawn 2"], 2, "tiny").beside["visible"]


@pytest.mark.parametrize(
    "options", [(0, None, ""), (21, None, ""), (None, None, ""), (5, "nonesuch", ""), (5, None, "hot")]
)
def test_options_that_a_browser_made_up_are_refused_with_a_sentence(visit: Visit, options: tuple):
    with pytest.raises(gr.Error):
        visit.look(strip(RED), *options)


def test_another_match_and_another_face_can_be_chosen(visit: Visit):
    seen = visit.look(strip(RED, BLUE)).seen
    duel, place, *_ = visit.pick(strip(RED, BLUE), seen, 0, SimpleNamespace(index=1))
    assert "pink" in duel and place == 1
    assert visit.choose(strip(RED, BLUE), seen, 1)[2][0][1] == "1 · blue · 100 %"


@pytest.mark.parametrize(
    ("face", "place"), [(5, 0), (-1, 0), (None, 0), ("x", 0), (0, 3), (0, -1), (0, [0, 1])]
)
def test_places_that_a_browser_made_up_are_refused(visit: Visit, face: object, place: object):
    seen = visit.look(strip(RED)).seen
    for listener in (visit.why, visit.share):
        with pytest.raises(gr.Error):
            listener(strip(RED), seen, face, place)
    with pytest.raises(gr.Error):
        visit.pick(strip(RED), seen, face, SimpleNamespace(index=place))


def test_why_and_share_answer_with_pictures_as_data(visit: Visit):
    seen = visit.look(strip(RED)).seen
    why = visit.why(strip(RED), seen, 0, 1)["value"]
    assert "What makes you like pink: " in why and 'src="data:image/jpeg;base64,' in why
    shared = visit.share(strip(RED), seen, 0, 1)["value"]
    data = re.search(r'download="my-look-alike.jpg"', shared) and re.search(r"base64,([^\"]+)", shared)
    assert data and read_image(base64.b64decode(data[1])).shape == (1080, 1080, 3)


def test_a_hostile_name_stays_text_everywhere():
    match = a_match(HOSTILE)
    written = [
        sheets.pair(b"jpeg", match, b"jpeg"),
        sheets.bars([match]),
        sheets.why(b"jpeg", match, ["nose"]),
        sheets.live([match, match]),
    ]
    for sheet in written:
        assert "<img src=x" not in sheet and "${" not in sheet and "{{" not in sheet
        assert html.escape(HOSTILE)[:12] in sheet


def test_the_link_searches_for_the_name_and_tells_nothing_else():
    (link,) = re.findall(r"<a [^>]+>", sheets.bars([a_match('Åda "B" & Co')]))
    assert 'rel="noopener noreferrer"' in link and 'target="_blank"' in link
    assert "q=%C3%85da+%22B%22+%26+Co" in link


def test_a_comparison_is_said_in_words():
    assert "They pass as the same person." in sheets.compared(b"a", b"b", Comparison(91.0, 0.6, True))
    assert "They do not pass" in sheets.compared(b"a", b"b", Comparison(20.0, 0.1, False))


def test_two_photos_are_compared_and_a_missing_one_or_a_missing_face_is_said(finders: Finders):
    look = Compare(finders).look
    first, second, verdict = look(strip(RED), strip(RED))
    assert first is not None and second is not None and "100 %" in verdict
    assert "Choose two photos" in look(strip(RED), None)[2]
    assert "No face was found in the second photo" in look(strip(RED), strip(BLACK))[2]


def test_a_portrait_is_the_square_round_the_face_wherever_that_is():
    image = strip(RED, BLUE)
    large = np.kron(image, np.ones((4, 4, 1), np.uint8))
    assert (portrait(large, a_face(40, 0, 10, 10), width=80)[192, 192] == BLUE).all()
    for box in ((-50, -50, 20, 20), (500, 500, 9, 9), (0, 0, 0, 0), (0, 0, 900, 900)):
        assert portrait(image, a_face(*box), width=80).shape == (384, 384, 3)


def test_only_what_carries_the_likeness_is_coloured():
    heat = np.full((112, 112), -0.1, np.float32)
    grey = np.full((400, 400, 3), 127, np.uint8)
    face = a_face(100, 100, 200, 200)
    assert (heat_portrait(grey, face, heat) == 127).all()
    heat[80:100, 40:70] = 0.3
    drawn = heat_portrait(grey, face, heat)
    assert (drawn[:150, :150] == 127).all() and (drawn[300, 190] != 127).any()


def test_the_picture_to_share_shows_both_faces():
    red, blue = strip(RED), strip(BLUE)
    drawn = share_picture(red, blue, "Ada Lovelace", "55 %", "Look-alikes")
    assert (drawn[345, 270] == RED).all() and (drawn[345, 810] == BLUE).all()


def test_the_live_line_is_steady_and_follows_a_new_face(finders: Finders):
    live = Live(finders)
    picture, shown, track = live.frame(strip(RED), None)
    assert '<p class="best">red</p>' in shown["value"] and 'alt="red"' in picture["value"]
    picture, once, track = live.frame(strip((255, 180, 180)), track)
    assert '<p class="best">red</p>' in once["value"] and "value" not in picture
    picture, shown, track = live.frame(strip(BLUE), track)
    assert '<p class="best">blue</p>' in shown["value"] and 'alt="blue"' in picture["value"]


def test_a_blink_is_passed_over_and_a_face_that_left_is_forgotten(finders: Finders):
    live = Live(finders)
    *_, track = live.frame(strip(RED), None)
    for _ in range(PATIENCE):
        picture, words, track = live.frame(strip(BLACK), track)
        assert "value" not in picture and "value" not in words
    picture, words, track = live.frame(strip(BLACK), track)
    assert "Look into the camera" in words["value"] and picture["value"] == "" and track is None
    assert live.frame(None, track)[2] is None


def test_the_running_mean_gives_each_new_frame_its_weight():
    first, second = unit(1, 0, 0), unit(1, 1, 0)
    assert smoothed(None, first) is first
    assert smoothed(first, second) == pytest.approx((1 - NEWEST) * first + NEWEST * second)
    assert smoothed(first, unit(0, 0, 1)).tolist() == [0, 0, 1]


def test_rows_of_a_name_and_of_a_category():
    gallery = make_gallery(ada=[[1, 0, 0], [1, 1, 0]], bo=[[0, 0, 1]])
    assert [len(gallery.rows_of(name)) for name in ("ada", "bo")] == [2, 1]
    with pytest.raises(GalleryError):
        gallery.rows_of("c")
    assert gallery.categories == ()
    with pytest.raises(GalleryError):
        gallery.only("warm")


def test_about_takes_its_figures_from_the_card():
    card = (
        "# m\n| group |  | photos | same or not | nearest is right | AUC |\n|---|\n"
        "| all | as they are | 12 | 90.0 % | 80.0 % | 1 |\n| blur | 1 px | 12 | 9 % | 8 % | 1 |\n\n"
        "| source | of another table | 3 | 4 | 5 | 6 |\n"
    )
    assert "| all: as they are | 12 | 90.0 % | 80.0 % |" in about.accuracy(card)
    assert "blur" not in about.accuracy(card) and "another table" not in about.accuracy(card)
    assert about.accuracy("# nothing") == ""
    assert about.accuracy(about.model_card())


def test_the_account_links_to_the_gallery_where_it_is_on_the_hub(finders: Finders):
    assert "revision `" in about.about(finders) and "huggingface.co" not in about.about(finders)
    hub = Finders(finders.served, gallery_id="someone/stars@v1")
    assert "(https://huggingface.co/datasets/someone/stars)" in about.about(hub)


@pytest.mark.parametrize(
    ("scheme", "host", "address"),
    [
        ("https", "someone.hf.space", "https://someone.hf.space"),
        (None, "127.0.0.1:7861", "http://127.0.0.1:7861"),
        ("https,http", "a b`<", "http://127.0.0.1:7860"),
        (None, None, "http://127.0.0.1:7860"),
    ],
)
def test_the_calls_name_the_address_that_the_visitor_sees(scheme: str, host: str, address: str):
    assert about.public_address(scheme, host) == address
    assert f'Client("{address}")' in about.calls(address)


def test_the_calls_name_the_models_and_the_categories_there_are():
    written = about.calls("http://here", ["compact", "tint"], ["warm", "a`c"])
    assert "`compact`, `tint`" in written and "`warm`, `a c`" in written
    assert "category" not in about.calls("http://here", ["compact"])
