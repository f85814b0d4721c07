"""From names to verified portraits, against a local Wikimedia with drawn faces."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from lookalike.errors import WikimediaError
from lookalike.faces.detectors import load_detector
from lookalike.portraits.cache import PortraitCache
from lookalike.portraits.collecting import collect_portraits
from lookalike.portraits.portrait import Outcome, Person, Portrait, Verdict
from lookalike.portraits.wikimedia import batches, contact, open_wikimedia
from tests.portraits.conftest import PEOPLE, jpeg, picture_of
from tests.support.drawing import draw_face, draw_group, draw_landscape
from tests.support.wikimedia_server import COMMONS, MEDIA, WIKIDATA, WIKIPEDIA, content, cut_off, moved


@pytest.fixture
def collect(wikimedia, verifier, cache):
    """Return the outcomes of some names or people, by name."""

    def run(*people: str | Person) -> dict[str, Outcome]:
        wanted = [each if isinstance(each, Person) else Person(each) for each in people]
        return {each.name: each for each in collect_portraits(wanted, wikimedia, verifier, cache)}

    return run


def test_a_portrait_is_found_verified_and_credited(collect, server):
    server.add("Ada Lovelace", picture_of("Ada Lovelace"), file="Ada L.jpg", Artist='<a href="x">Jo Doe</a>')
    (outcome,) = collect("Ada Lovelace").values()
    assert outcome.verdict == Verdict.PICTURED
    assert outcome.portrait == Portrait(
        name="Ada Lovelace",
        image=outcome.portrait.image,
        credit="Jo Doe",
        licence="CC BY-SA 4.0",
        licence_url="https://creativecommons.org/licenses/by-sa/4.0",
        source="https://commons.wikimedia.org/wiki/File:Ada_L.jpg",
    )
    with Image.open(io.BytesIO(outcome.portrait.image)) as thumbnail:
        assert thumbnail.format == "WEBP" and max(thumbnail.size) <= 320


def test_the_eyes_of_a_thumbnail_are_level(collect, server):
    server.add("Ada Lovelace", jpeg(draw_face(0, turn=20)))
    image = collect("Ada Lovelace")["Ada Lovelace"].portrait.image
    pixels = np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
    (face,) = load_detector().detect(pixels)
    across, down = face.landmarks[1] - face.landmarks[0]
    assert abs(np.degrees(np.arctan2(down, across))) < 3


def test_every_name_gets_a_verdict_with_its_reason(collect, server):
    seed = PEOPLE["Cher"]
    server.add("Ada Lovelace", picture_of("Ada Lovelace"))
    server.add("Bo Diddley", picture_of("Dolly"))  # a namesake
    server.add("Cher", jpeg(draw_landscape()))
    server.add("Dolly", picture_of("Dolly"), human=False)
    server.add("Group", jpeg(draw_group()))
    server.add("Small", jpeg(np.pad(draw_face(seed, size=48), ((80, 80), (80, 80), (0, 0)), "edge")))
    server.add("Blurred", jpeg(cv2.GaussianBlur(draw_face(seed), (0, 0), 10)))
    server.add("Several", disambiguation=True)
    server.add("Unpictured")
    server.add("Copyrighted", picture_of("Cher"), free=False)
    server.add("Restricted", picture_of("Cher"), LicenseShortName="CC BY-NC 2.0")
    server.add("Drawing", picture_of("Cher"), file="Drawing.svg")
    found = collect(*server.articles, "Nobody", "A|B", "\ud800", "x" * 300)
    assert {name: (each.verdict, each.reason) for name, each in found.items()} == {
        "Ada Lovelace": (Verdict.PICTURED, ""),
        "Bo Diddley": (Verdict.ANOTHER_PERSON, "the model does not recognize the person"),
        "Cher": (Verdict.NO_FACE, ""),
        "Dolly": (Verdict.ANOTHER_PERSON, "not a person"),
        "Group": (Verdict.UNSURE, "several faces"),
        "Small": (Verdict.UNSURE, "the face is too small"),
        "Blurred": (Verdict.UNSURE, "the face is blurred"),
        "Several": (Verdict.NO_ARTICLE, "several people have this name"),
        "Unpictured": (Verdict.NO_FREE_PICTURE, ""),
        "Copyrighted": (Verdict.NO_FREE_PICTURE, ""),
        "Restricted": (Verdict.NO_FREE_PICTURE, "the licence is CC BY-NC 2.0"),
        "Drawing": (Verdict.NO_FREE_PICTURE, ""),
        "Nobody": (Verdict.NO_ARTICLE, ""),
        "A|B": (Verdict.NO_ARTICLE, ""),
        "\ud800": (Verdict.NO_ARTICLE, ""),
        "x" * 300: (Verdict.NO_ARTICLE, ""),
    }


def test_redirects_and_other_spellings_lead_to_the_article(collect, server):
    server.add("Ada, Countess of Lovelace", picture_of("Ada Lovelace"))
    server.redirects["Ada Lovelace"] = "Ada, Countess of Lovelace"
    server.add("Cher", picture_of("Cher"))
    found = collect("Ada Lovelace", "cher")
    assert found["Ada Lovelace"].verdict == Verdict.PICTURED
    assert found["cher"].verdict == Verdict.ANOTHER_PERSON  # the gallery knows nobody of this spelling


def test_facts_tell_namesakes_apart_before_anything_is_downloaded(collect, server):
    server.add("Cher", picture_of("Cher"), born=1946, occupations=["singer"], countries=["United States"])
    found = collect(Person("Cher", {"field": "sports", "country": "France"}))
    assert (found["Cher"].verdict, found["Cher"].reason) == (
        Verdict.ANOTHER_PERSON,
        "singer from United States",
    )
    assert MEDIA not in server.hosts()


def test_fifty_names_take_one_request_to_each_api(collect, server):
    server.part = 20  # Wikipedia answers in parts
    for number in range(50):
        server.add(f"Nobody {number}", jpeg(draw_landscape(64, 64)), occupations=["singer"])
    found = collect(*server.articles, "One more")
    assert {each.verdict for each in found.values()} == {Verdict.NO_FACE, Verdict.NO_ARTICLE}
    hosts = server.hosts()
    assert [hosts.count(each) for each in (WIKIPEDIA, WIKIDATA, COMMONS, MEDIA)] == [4, 2, 1, 50]
    assert server.peaks["media"] <= 2


def test_long_names_go_into_more_requests():
    assert [len(each) for each in batches([Person("ß" * 100)] * 20)] == [8, 8, 4]
    assert [len(each) for each in batches([Person("x")] * 101)] == [50, 50, 1]
    assert list(batches([])) == []


@pytest.mark.parametrize(
    "fault",
    [
        content(b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        content(b""),
        content(b"\xff\xd8\xff cut"),
        content(b"GIF89a\xff\xff\xff\xff"),
    ],
)
def test_what_is_no_photo_is_refused(collect, server, fault):
    server.add("Cher", picture_of("Cher"))
    server.faults[MEDIA] = [fault]
    assert collect("Cher")["Cher"].reason == "the picture cannot be read"


def test_a_picture_with_too_many_pixels_is_refused(collect, server):
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    server.add("Cher", picture_of("Cher"))
    server.faults[MEDIA] = [content(file.getvalue())]
    assert collect("Cher")["Cher"].reason == "the picture cannot be read"


def test_a_picture_that_cannot_be_downloaded_is_tried_again_next_time(collect, server):
    server.add("Cher", picture_of("Cher"))
    server.faults[MEDIA] = [moved("http://127.0.0.1:1/secret")]
    assert collect("Cher")["Cher"].reason == "the picture cannot be downloaded"
    assert collect("Cher")["Cher"].verdict == Verdict.PICTURED


def test_scripts_in_the_author_become_text(collect, server):
    server.add("Cher", picture_of("Cher"), Artist="<script>alert(1)</script><b onclick='x'>Jo</b> {{x}}")
    assert collect("Cher")["Cher"].portrait.credit == "Jo {{x}}"


def test_an_interrupted_collection_goes_on_where_it_was(collect, server):
    server.add("Cher", picture_of("Cher"))
    server.add("Dolly", picture_of("Dolly"))
    server.faults["Dolly.jpg"] = [cut_off] * 4
    with pytest.raises(WikimediaError):
        collect("Cher", "Dolly")
    server.requests.clear()
    assert {each.verdict for each in collect("Cher", "Dolly").values()} == {Verdict.PICTURED}
    assert [path for host, path in server.requests if host == MEDIA] == ["Dolly.jpg"]
    server.requests.clear()
    assert len(collect("Cher", "Dolly", "Cher")) == 2
    assert server.requests == []


def test_progress_gets_every_outcome(wikimedia, verifier, cache, server):
    seen: list[Outcome] = []
    people = [Person("Nobody"), Person("Cher")]
    outcomes = list(collect_portraits(people, wikimedia, verifier, cache, progress=seen.append))
    assert seen == outcomes and len(seen) == 2


def test_a_disk_that_takes_nothing_costs_no_portrait(wikimedia, verifier, server, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    server.add("Cher", picture_of("Cher"))
    (outcome,) = collect_portraits([Person("Cher")], wikimedia, verifier, PortraitCache(tmp_path / "file"))
    assert outcome.portrait is not None and "cannot be kept" in caplog.text


def test_the_contact_is_given_or_the_spaces_address(monkeypatch):
    monkeypatch.delenv("LOOKALIKE_CONTACT", raising=False)
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert contact() == ""
    monkeypatch.setenv("SPACE_ID", "me/space")
    assert contact() == "https://huggingface.co/spaces/me/space"
    monkeypatch.setenv("LOOKALIKE_CONTACT", "me@example.org")
    assert contact() == "me@example.org"


def test_another_server_can_be_named_for_tests(server, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_WIKIMEDIA", server.base)
    opened = open_wikimedia(per_minute=10_000)
    assert opened.find([Person("Nobody")])["Nobody"].verdict == Verdict.NO_ARTICLE
    opened.close()
