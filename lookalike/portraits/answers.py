"""Parsers of Wikimedia's JSON. An answer may have any shape, so what does not fit is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

from lookalike.names import clean_name

HUMAN, MALE, FEMALE = "Q5", "Q6581097", "Q6581072"
MAX_HTML = 20_000  # characters that are read of it
MAX_TEXT = 160  # characters of an author's name or a licence
PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")  # not SVG, PDF and video, which show no photo
FREE = re.compile(
    r"CC0( 1\.0)?|CC BY(-SA)? \d\.\d+( \S+)?( or earlier)?|CC BY(-SA)?|Public domain|PD\b.*|GFDL( .*)?|FAL|"
    r"Attribution|Copyrighted free use|No restrictions|OGL.*|GODL-India|KOGL Type 1|MIT|Apache.*|Beerware",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Page:
    """A page of Wikipedia: its Wikidata id and the file name of its free picture, "" where it has none."""

    entity: str = ""
    picture: str = ""
    disambiguation: bool = False


@dataclass(frozen=True)
class Entity:
    """What Wikidata says about somebody: ids of occupations and countries, and the year of birth."""

    human: bool
    gender: str
    born: int | None
    occupations: tuple[str, ...]
    countries: tuple[str, ...]


@dataclass(frozen=True)
class File:
    """A file on Commons: the address of its thumbnail, and what its licence asks for.

    `licence_url` is "" where there is none; `source` is the address of the file's page.
    """

    url: str
    credit: str
    licence: str
    licence_url: str
    source: str

    @property
    def is_free(self) -> bool:
        """Whether the licence is a known free one."""
        return FREE.fullmatch(self.licence) is not None


def parse_pages(answers: Iterable[Mapping[str, Any]], titles: Iterable[str]) -> dict[str, Page]:
    """Return the page of each title that has one, from the parts of a continued answer."""
    queries = [_mapping(answer.get("query")) for answer in answers]
    found: dict[str, dict[str, Any]] = {}
    for query in queries:
        for page in _mappings(query.get("pages")):
            if not page.get("missing") and not page.get("invalid"):
                found.setdefault(_text(page.get("title")), {}).update(page)
    pages = {title: found.get(_resolved(title, queries)) for title in titles}
    return {title: _page(page) for title, page in pages.items() if page is not None}


def parse_entities(answer: Mapping[str, Any]) -> dict[str, Entity]:
    """Return Wikidata's entities by id; a merged entity is there under its old id too."""
    entities = {}
    for key, value in _mapping(answer.get("entities")).items():
        fields = _mapping(value)
        entity = _entity(_mapping(fields.get("claims")))
        for name in (key, _text(fields.get("id")), _text(_mapping(fields.get("redirects")).get("from"))):
            entities[name] = entity
    return entities


def parse_labels(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the English labels of Wikidata's entities by id."""
    entities = _mapping(answer.get("entities"))
    labels = {
        key: _mapping(_mapping(_mapping(value).get("labels")).get("en")) for key, value in entities.items()
    }
    return {key: _text(label.get("value")) for key, label in labels.items()}


def parse_files(answer: Mapping[str, Any], titles: Iterable[str]) -> dict[str, File]:
    """Return Commons' files by title; `titles` have no underscores."""
    query = _mapping(answer.get("query"))
    found = {_text(page.get("title")): page for page in _mappings(query.get("pages"))}
    files = {title: _file(found.get(_resolved(title, [query])) or {}) for title in titles}
    return {title: file for title, file in files.items() if file is not None}


def plain_text(html: object) -> str:
    """Return the text of a piece of HTML on one line, without markup, scripts and control characters."""
    whole = _text(html)
    part = whole[:MAX_HTML]
    if len(part) < len(whole) and part.rfind("<") > part.rfind(">"):  # the cut is inside a tag
        part = part[: part.rfind("<")]
    reader = _TextReader()
    with suppress(AssertionError):  # HTMLParser's error for an unknown kind of <![…
        reader.feed(part)
        reader.close()
    text = clean_name(" ".join("".join(reader.parts).split()).replace("_", " "))
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1].rstrip() + "…"


class _TextReader(HTMLParser):
    """Collects the text outside elements that show none."""

    SILENT = ("script", "style", "template", "noscript", "svg")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self.SILENT
        self.parts.append(" " if tag in ("br", "p", "div", "li", "td") else "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self.SILENT))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def _page(page: Mapping[str, Any]) -> Page:
    properties = _mapping(page.get("pageprops"))
    entity, picture = _text(properties.get("wikibase_item")), _text(page.get("pageimage"))
    shows_photo = picture.lower().endswith(PHOTOS) and "|" not in picture
    return Page(
        entity if re.fullmatch(r"Q\d{1,12}", entity) else "",
        picture.replace("_", " ") if shows_photo else "",
        "disambiguation" in properties,
    )


def _entity(claims: Mapping[str, Any]) -> Entity:
    genders = {MALE: "man", FEMALE: "woman"}
    named = [genders[value] for value in _ids(claims, "P21") if value in genders]
    return Entity(
        human=HUMAN in _ids(claims, "P31"),
        gender=named[0] if named else "",
        born=_year(claims),
        occupations=_ids(claims, "P106"),
        countries=_ids(claims, "P27"),
    )


def _file(page: Mapping[str, Any]) -> File | None:
    info = next(iter(_mappings(page.get("imageinfo"))), {})
    url, title = _text(info.get("thumburl")), _text(page.get("title"))
    if not url or not title:
        return None
    fields = _mapping(info.get("extmetadata"))

    def value(name: str) -> str:
        return plain_text(_mapping(fields.get(name)).get("value"))

    return File(
        url=url,
        credit=value("Attribution") or value("Artist") or value("Credit") or "unknown author",
        licence=value("LicenseShortName"),
        licence_url=_web_address(_text(_mapping(fields.get("LicenseUrl")).get("value"))),
        source=f"https://commons.wikimedia.org/wiki/{quote(title.replace(' ', '_'), safe=':')}",
    )


def _resolved(title: str, queries: Iterable[Mapping[str, Any]]) -> str:
    """Return the title that the API gave to a requested one, after normalization and one redirect."""
    for step in ("normalized", "redirects"):
        moves = {
            _text(move.get("from")): _text(move.get("to")) for q in queries for move in _mappings(q.get(step))
        }
        title = moves.get(title) or title
    return title


def _ids(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(
        value
        for claim in _values(claims, name)
        if re.fullmatch(r"Q\d{1,12}", value := _text(claim.get("id")))
    )


def _year(claims: Mapping[str, Any]) -> int | None:
    for value in _values(claims, "P569"):
        if year := re.match(r"([+-]\d{1,6})-", _text(value.get("time"))):
            return int(year[1])
    return None


def _values(claims: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the values of a property's claims, without outdated ones."""
    valid = [claim for claim in _mappings(claims.get(name)) if claim.get("rank") != "deprecated"]
    return [
        _mapping(_mapping(_mapping(claim.get("mainsnak")).get("datavalue")).get("value")) for claim in valid
    ]


def _web_address(text: str) -> str:
    text = f"https:{text}" if text.startswith("//") else text
    return (
        text if re.fullmatch(r"https?://[\w.-]+(/[\w.~%/:+-]*)?", text, re.ASCII) and len(text) < 300 else ""
    )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
