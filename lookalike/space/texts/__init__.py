"""The texts that visitors read: one JSON file a language, from a text's key to the text.

The beginning of a key says where the text stands, and `MAX_LENGTH` how long it may be there. `tab_`,
`button_`, `label_` and `page_` are parts of the page that the browser translates when it opens the page;
`script_` are for our scripts in the browser; all others are written for one request, in its visitor's
language. A text that a language lacks is in English.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LANGUAGES = {  # their files, and their own names
    "en": "English",
    "es": "Español",
    "pt": "Português",
    "fr": "Français",
    "de": "Deutsch",
    "hi": "हिन्दी",
    "ar": "العربية",
    "zh": "中文",
    "ja": "日本語",
    "ko": "한국어",
    "id": "Bahasa Indonesia",
    "tr": "Türkçe",
}
RIGHT_TO_LEFT = ("ar",)
STATIC = ("tab_", "button_", "label_", "page_")  # what the browser translates
TABS_LENGTH = 31  # letters of all tabs together at 390 pixels; gradio hides what does not fit
MAX_LENGTH = {  # letters, at 390 pixels
    "tab_": 12,
    "button_": 30,
    "chip_": 34,
    "label_": 48,
}

# The language of the request that is answered now; "" for a script's, whose answers are in English.
LANGUAGE: ContextVar[str] = ContextVar("language", default="")


def text(key: str, **values: object) -> str:
    """Return a text in the language of the request, with `values` in place of its {placeholders}."""
    known = table(LANGUAGE.get() or "en")
    return (known[key] if key in known else table("en")[key]).format(**values)


@cache
def table(language: str) -> Mapping[str, str]:
    """Return all texts of a language of `LANGUAGES` by their keys."""
    texts: dict[str, str] = json.loads((Path(__file__).parent / f"{language}.json").read_text("utf-8"))
    return texts


@contextmanager
def english() -> Iterator[None]:
    """Return the texts in English for as long as the block runs."""
    before = LANGUAGE.set("")
    try:
        yield
    finally:
        LANGUAGE.reset(before)


def texts_of(language: str, *beginnings: str) -> dict[str, str]:
    """Return the texts whose keys have one of these beginnings, by their whole keys."""
    whole = {**table("en"), **table(language)}
    return {key: value for key, value in whole.items() if key.startswith(beginnings)}


def language_of(named: str, accepted: str) -> str:
    """Return the language of a request: the one that `lang` in its address names, else the one of `LANGUAGES`
    that the browser wants most, else English. `accepted` is the header Accept-Language.
    """
    wanted = [named, *sorted(accepted.split(",")[:20], key=_weight, reverse=True)]
    codes = (each.partition(";")[0].strip().partition("-")[0].lower() for each in wanted)
    return next((code for code in codes if code in LANGUAGES), "en")


def _weight(accepted: str) -> float:
    """Return how much a language is wanted, 0 to 1: "fr;q=0.8" -> 0.8."""
    _, _, weight = accepted.partition("q=")
    try:
        return float(weight or 1)
    except ValueError:
        return 0.0
