"""Portraits on the page: in place of cards, credited, never in place of a gallery's photo."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike import Lookalikes
from lookalike.errors import GalleryError
from lookalike.faces.detectors import load_detector
from lookalike.files import cache_folder
from lookalike.finder import Match
from lookalike.gallery.credit import Credit, licence_address
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.images import read_image
from lookalike.models.registry import load_embedder
from lookalike.portraits.cache import PortraitCache
from lookalike.portraits.client import WikimediaClient
from lookalike.portraits.portrait import Outcome, Portrait, Verdict
from lookalike.portraits.wikimedia import Wikimedia
from lookalike.space.api.endpoints import Endpoints
from lookalike.space.drawing import html
from lookalike.space.drawing.cards import encode, name_card
from lookalike.space.drawing.own_face import credit_line
from lookalike.space.finders import Finders
from lookalike.space.page.find_callbacks import FindCallbacks
from lookalike.space.page.live import LiveCallbacks
from lookalike.space.portraits import PagePortraits, people_without_photo, person_of
from tests.support.drawing import draw_face, draw_landscape
from tests.support.fakes import BrightDetector, ColourEmbedder, settings, unit
from tests.support.wikimedia_server import serve_wikimedia

RED = np.full((40, 40, 3), (255, 0, 0), np.uint8)
CREDIT = Credit(
    "Jo Doe",
    "CC BY-SA 4.0",
    "https://commons.wikimedia.org/wiki/File:Red.jpg",
    "https://creativecommons.org/licenses/by-sa/4.0",
)
GREEN = np.full((60, 60, 3), (0, 255, 0), np.uint8)


def webp(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "WEBP")
    return file.getvalue()


def is_green(jpeg: bytes) -> bool:
    red, green, blue = read_image(jpeg).reshape(-1, 3).mean(axis=0)
    return green > 200 > 60 > max(red, blue)


@pytest.fixture
def finders() -> Finders:
    rows = [
        Row("red", unit(1, 0, 0)),
        Row("pink", unit(1, 0.3, 0.3), photo=webp(RED)),
        Row("blue", unit(0, 0, 1)),
    ]
    gallery = Gallery.of(rows, settings())
    made = Finders(Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector()))
    fields = (CREDIT.author, CREDIT.licence, CREDIT.licence_url, CREDIT.source)
    made.portrait = lambda name: None if name == "blue" else Portrait(name, webp(GREEN), *fields)
    return made


def test_a_portrait_takes_the_place_of_a_card_and_not_of_the_gallerys_photo(finders: Finders):
    pictures, report = Endpoints(finders).find_lookalikes(RED)
    assert [is_green(picture) for picture, _ in pictures] == [True, False, False]
    assert pictures[2][0] == encode(name_card("blue"))
    photo = {"credit": "Jo Doe", "licence": "CC BY-SA 4.0", "source": CREDIT.source}
    assert [match["photo"] for match in report["faces"][0]["matches"]] == [photo, None, None]


def test_the_report_credits_the_pictures_of_the_chosen_face_alone(finders: Finders):
    _, report = Endpoints(finders).find_lookalikes(np.hstack([RED, RED]), face=1)
    credited = [[match["photo"] is not None for match in face["matches"]] for face in report["faces"]]
    assert credited == [[False] * 3, [True, False, False]]


def test_the_page_shows_the_credit_with_its_links(finders: Finders):
    view = FindCallbacks(finders).find(RED)
    for part in (view.duel, view.bars):
        assert part.count("Photo: Jo Doe") == 1
        assert f'href="{CREDIT.licence_url}"' in part and f'href="{CREDIT.source}"' in part
    picture, _, _ = LiveCallbacks(finders).frame(RED, None)
    assert "Photo: Jo Doe" in picture["value"]


def test_without_portraits_the_page_shows_cards(finders: Finders):
    finders.portrait = None
    view = FindCallbacks(finders).find(RED)
    assert "Photo:" not in view.duel + view.bars


def test_a_hostile_credit_is_text():
    hostile = '<img src=x onerror=alert(1)> "${1+1}" {{x}}'
    shown = html.photo_credit(Credit(hostile, hostile, "javascript:alert(1)", f"https://x.org/{hostile}"))
    assert "<img" not in shown and "javascript" not in shown and "${" not in shown and "{{" not in shown
    assert shown.count("<a ") == 1 and "onerror=alert(1)&gt;" in shown
    assert html.photo_credit(None) == ""


def test_every_bar_has_the_credit_of_its_picture():
    matches = [Match(rank, name, 50.0, 3.0, 0.3, None, None) for rank, name in ((1, "Ada"), (2, "Bo"))]
    assert [("Jo Doe" in line) for line in html.match_bars(matches, [None, CREDIT]).split("</li>")[:2]] == [
        False,
        True,
    ]
    assert "Photo:" not in html.match_bars(matches)


def test_the_picture_to_share_carries_the_credit_and_its_licence():
    assert credit_line(CREDIT) == (
        "Photo: Jo Doe, CC BY-SA 4.0, commons.wikimedia.org, cropped. This picture: CC BY-SA 4.0 too"
    )
    assert credit_line(Credit("山田", "CC0", "https://commons.wikimedia.org/x")) == (
        "Photo: see the source, CC0, commons.wikimedia.org, cropped"
    )


def test_addresses_of_creative_commons():
    assert licence_address("CC BY-SA 4.0") == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert licence_address("CC0") == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert licence_address("Public domain") == ""


def test_the_page_fetches_portraits_for_people_without_a_photo(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path))
    detector, embedder = load_detector(), load_embedder()
    faces = {"Ada": draw_face(0), "Bo": draw_face(1), "Cy": draw_face(5)}
    rows = [Row(name, embedder.embed(face, detector.detect(face)[:1])[0]) for name, face in faces.items()]
    model = embedder.model
    made = replace(
        settings(model.name, dim=model.dim), weights_hash=embedder.weights_hash, engine="onnxruntime"
    )
    finders = Finders(Lookalikes(Gallery.of(rows, made), embedder=embedder, detector=detector))
    photo = draw_face(0, turn=4)
    with serve_wikimedia() as server:
        server.add("Ada", encode(draw_face(0, turn=8)), Artist="Jo Doe")
        server.add("Bo", encode(draw_landscape()))
        before, _ = Endpoints(finders).find_lookalikes(photo)
        fetcher = PagePortraits(
            finders, lambda: Wikimedia(WikimediaClient(base=server.base, per_minute=10_000))
        )
        fetcher.start()
        try:
            deadline = time.monotonic() + 120  # a shared machine under load
            while not finders.portrait("Ada"):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            after, report = Endpoints(finders).find_lookalikes(photo)
        finally:
            fetcher.stop()
    credits = {match["name"]: match["photo"] for match in report["faces"][0]["matches"]}
    assert credits["Ada"]["credit"] == "Jo Doe" and credits["Bo"] is None and credits["Cy"] is None
    assert before[0][0] != after[0][0] and before[1][0] == after[1][0]


def test_the_model_recognizes_a_person_by_the_threshold_of_one_person(finders: Finders):
    assert finders.served.recognizes(unit(1, 0.1, 0), "red")
    assert not finders.served.recognizes(unit(0, 0, 1), "red")
    with pytest.raises(GalleryError):
        finders.served.recognizes(unit(0, 0, 1), "nobody")


def test_a_person_has_another_version_after_the_rows_changed(finders: Finders):
    red = person_of(finders.served, "red")
    other = Finders(
        Lookalikes(
            Gallery.of([Row("red", unit(1, 0.1, 0), born=1950)], settings()),
            embedder=ColourEmbedder(),
            detector=BrightDetector(),
        )
    )
    changed = person_of(other.served, "red")
    assert red is not None and changed is not None and red.version != changed.version
    assert changed.facts == {"born": 1950}
    assert person_of(finders.served, "nobody") is None
    assert [person.name for person in people_without_photo(finders.served)] == ["blue", "red"]


def test_the_portraits_follow_a_replaced_gallery(finders: Finders):
    called = []
    finders.on_replace = lambda: called.append(True)
    finders.replace(Finders(finders.served))
    assert called == [True] and finders.portrait is not None


def test_another_gallery_has_portraits_of_its_own(finders: Finders, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path))
    kept = PortraitCache(cache_folder("portraits", "bundled"))
    blue = person_of(finders.served, "blue")
    kept.put(blue, Outcome("blue", Verdict.NO_ARTICLE))
    with serve_wikimedia() as server:
        opened = []

        def wikimedia() -> Wikimedia:
            opened.append(Wikimedia(WikimediaClient(base=server.base, per_minute=10_000)))
            return opened[-1]

        portraits = PagePortraits(finders, wikimedia)
        portraits.start()
        other = Gallery.of([Row("green", unit(0, 1, 0))], settings())
        finder = Lookalikes(other, embedder=ColourEmbedder(), detector=BrightDetector())
        finders.replace(Finders(finder, gallery_id="me/other"))
        deadline = time.monotonic() + 120  # a shared machine under load
        while not list((tmp_path / "portraits").glob("me-other-*/*.json")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        portraits.stop()
    assert len(opened) == 2 and kept.get(blue) is not None


def test_the_gallerys_own_photos_are_credited_too():
    rows = [
        Row(
            "red",
            unit(1, 0, 0),
            photo=webp(GREEN),
            credit="Jo Doe",
            licence="CC BY 2.0",
            source="https://x.org/",
        )
    ]
    gallery = Gallery.of(rows, settings())
    finders = Finders(Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector()))
    _, report = Endpoints(finders).find_lookalikes(RED)
    photo = {"credit": "Jo Doe", "licence": "CC BY 2.0", "source": "https://x.org/"}
    assert report["faces"][0]["matches"][0]["photo"] == photo
    view = FindCallbacks(finders).find(RED)
    assert 'href="https://creativecommons.org/licenses/by/2.0/"' in view.duel
