"""The parsers: HTML becomes text, and answers of any shape break nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.portraits.answers import (
    Entity,
    File,
    parse_entities,
    parse_files,
    parse_labels,
    parse_pages,
    plain_text,
)
from lookalike.portraits.facts import contradiction

KEYS = ["query", "pages", "title", "pageimage", "pageprops", "wikibase_item", "imageinfo", "thumburl"]
KEYS += [
    "extmetadata",
    "Artist",
    "value",
    "normalized",
    "redirects",
    "from",
    "to",
    "entities",
    "id",
    "claims",
]
KEYS += ["P31", "P569", "mainsnak", "datavalue", "time", "labels", "en"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_no_answer_breaks_a_parser(answer: object):
    fields = answer if isinstance(answer, dict) else {"query": answer, "entities": answer}
    found = (
        parse_pages([fields], ["a", ""]),
        parse_files(fields, ["a", ""]),
        parse_entities(fields),
        parse_labels(fields),
    )
    assert all(isinstance(result, dict) for result in found)
    assert set(found[0]) <= {"a", ""} and set(found[1]) <= {"a", ""}  # nothing that was not asked for


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="//commons.wikimedia.org/wiki/User:Jo" title="User:Jo">Jo  Doe</a>', "Jo Doe"),
        ("<script>alert(1)</script>Jo<style>b{}</style>", "Jo"),
        ("Jo<br>Doe &amp; Sons &lt;b&gt;", "Jo Doe & Sons <b>"),
        ("<div><p>Jo</p><p>Doe</p></div>", "Jo Doe"),
        ("Jo\u202egnp.exe\x00", "Jognp.exe"),
        ("<img src=x onerror=alert(1)>", ""),
        ("<script>never closed", ""),
        (None, ""),
        (["x"], ""),
    ],
)
def test_html_becomes_text(html: object, text: str):
    assert plain_text(html) == text


def test_markup_that_python_refuses_ends_the_text():
    assert plain_text("Jo <b>Doe</b> <![x[y]]> and others") == "Jo Doe"


def test_long_texts_are_cut():
    assert len(plain_text("x" * 1_000_000)) == 160
    assert plain_text("<b>" * 50_000) == ""


def a_file(licence: str) -> File:
    return File("https://thumb.wikimedia.org/a.jpg", "Jo", licence, "", "")


@pytest.mark.parametrize(
    "licence", ["CC BY-SA 4.0", "CC BY 2.0 de", "CC0", "Public domain", "GFDL 1.2", "PD US"]
)
def test_free_licences(licence: str):
    assert a_file(licence).is_free


@pytest.mark.parametrize(
    "licence", ["", "CC BY-NC 2.0", "CC BY-ND 4.0", "CC BY-NC-SA 3.0", "Fair use", "All rights reserved"]
)
def test_licences_that_are_not_free(licence: str):
    assert not a_file(licence).is_free


def test_only_web_addresses_become_a_licence_address():
    def address(url: str) -> str:
        info = {
            "thumburl": "https://thumb.wikimedia.org/a.jpg",
            "extmetadata": {"LicenseUrl": {"value": url}},
        }
        page = {"title": "File:a b.jpg", "imageinfo": [info]}
        return parse_files({"query": {"pages": [page]}}, ["File:a b.jpg"])["File:a b.jpg"].licence_url

    assert (
        address("https://creativecommons.org/licenses/by/2.0")
        == "https://creativecommons.org/licenses/by/2.0"
    )
    assert address("//creativecommons.org/licenses/by/2.0") == "https://creativecommons.org/licenses/by/2.0"
    for bad in ("javascript:alert(1)", 'https://x.org/"onclick="', "https://x.org/<b>", "ftp://x.org/"):
        assert address(bad) == ""


def test_the_source_is_the_file_page_on_commons():
    page = {"title": "File:A & b?.jpg", "imageinfo": [{"thumburl": "https://thumb.wikimedia.org/a.jpg"}]}
    (file,) = parse_files({"query": {"pages": [page]}}, ["File:A & b?.jpg"]).values()
    assert file.source == "https://commons.wikimedia.org/wiki/File:A_%26_b%3F.jpg"
    assert file.credit == "unknown author"


def test_pictures_that_are_no_photos_are_left():
    def picture(name: str) -> str:
        page = {"title": "A", "pageimage": name, "pageprops": {"wikibase_item": "Q1"}}
        return parse_pages([{"query": {"pages": [page]}}], ["A"])["A"].picture

    assert [picture(each) for each in ("A_b.JPG", "A.svg", "A.webm", "A.pdf", "A.jpg|B.jpg")] == [
        "A b.JPG",
        "",
        "",
        "",
        "",
    ]


LABELS = {
    "Q1": "film actor",
    "Q2": "singer",
    "Q3": "United States of America",
    "Q4": "politician",
    "Q5": "India",
}
ENTITY = Entity(human=True, gender="woman", born=1975, occupations=("Q1",), countries=("Q3",))


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, ""),
        ({"field": "film & TV", "country": "United States", "gender": "woman", "born": 1976}, ""),
        ({"field": "music", "country": "United States"}, ""),  # one of both may differ
        ({"field": "film & TV", "country": "India"}, ""),
        ({"field": "music", "country": "India"}, "film actor from United States of America"),
        ({"born": 1950}, "born in 1975, not in 1950"),
        ({"gender": "man"}, "a woman"),
        ({"field": "unknown to us", "country": ""}, ""),
    ],
)
def test_facts_that_contradict_wikidata(facts: dict[str, str | int], why: str):
    assert contradiction(ENTITY, LABELS, facts) == why


def test_somebody_of_whom_wikidata_says_little_contradicts_nothing():
    entity = Entity(human=True, gender="", born=None, occupations=("Q9",), countries=())
    assert (
        contradiction(entity, LABELS, {"field": "music", "country": "India", "born": 1950, "gender": "man"})
        == ""
    )
    assert contradiction(Entity(False, "", None, (), ()), LABELS, {}) == "not a person"


def test_a_merged_entity_is_found_under_both_ids():
    answer = {"entities": {"Q7": {"id": "Q7", "redirects": {"from": "Q3", "to": "Q7"}, "claims": {}}}}
    assert {"Q3", "Q7"} <= set(parse_entities(answer))


def test_outdated_claims_do_not_count():
    claim = {"mainsnak": {"datavalue": {"value": {"time": "+1900-00-00T00:00:00Z"}}}, "rank": "deprecated"}
    assert parse_entities({"entities": {"Q1": {"claims": {"P569": [claim]}}}})["Q1"].born is None
