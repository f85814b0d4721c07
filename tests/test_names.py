"""Which spellings of a name mean the same person."""

from __future__ import annotations

import unicodedata

import pytest

from lookalike.names import person_key

NAGATA, NAKATA = "ながた", "なかた"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Beyoncé", "BEYONCE"),
        ("Renée  O'Connor-Smith", "renee oconnor_smith"),
        (NAGATA, unicodedata.normalize("NFD", NAGATA)),
        ("ﾅｶﾞﾀ", "ナガタ"),  # half-width and full-width
    ],
)
def test_spellings_of_one_person_have_the_same_key(one: str, other: str):
    assert person_key(one) == person_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (NAGATA, NAKATA),
        ("ナガタ", "ナカタ"),
        ("パパ", "ババ"),
        (unicodedata.normalize("NFD", NAGATA), NAKATA),
        ("राम", "रमा"),
    ],
)
def test_marks_that_make_another_name_make_another_key(one: str, other: str):
    assert person_key(one) != person_key(other)
