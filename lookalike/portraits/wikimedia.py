"""From names to pictures with credit, by three requests for up to 50 names.

Wikipedia says which article a name has and which free picture it shows, Wikidata which person it is about,
and Commons who made the picture under which licence.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from lookalike.portraits.answers import (
    Entity,
    File,
    Page,
    parse_entities,
    parse_files,
    parse_labels,
    parse_pages,
)
from lookalike.portraits.client import COMMONS, WIKIDATA, WIKIPEDIA, WikimediaClient
from lookalike.portraits.facts import contradiction
from lookalike.portraits.portrait import Outcome, Person, Verdict

BATCH = 50  # titles or ids a request, the most that Wikimedia allows
MAX_TITLES = 5000  # characters of all titles in an address; servers refuse addresses of more than 8,000
MAX_PARTS = 10  # of an answer that is continued
WIDTH = 500  # pixels, one of the widths that Wikimedia offers; the page shows pictures 384 pixels wide
MAX_TITLE = 255  # bytes of one title, as on Wikipedia
NOT_IN_TITLES = frozenset("|#<>[]{}\x1f")
CREDIT_FIELDS = "Artist|Credit|Attribution|LicenseShortName|LicenseUrl"


def open_wikimedia(*, per_minute: float | None = None) -> Wikimedia:
    """Return the connection to Wikimedia with LOOKALIKE_CONTACT in its User-Agent.

    LOOKALIKE_WIKIMEDIA is the address of another server for tests.
    """
    base = os.environ.get("LOOKALIKE_WIKIMEDIA", "")
    return Wikimedia(WikimediaClient(contact=contact(), base=base, per_minute=per_minute))


def contact() -> str:
    """Return LOOKALIKE_CONTACT, else the address of the Space that this runs on, else ""."""
    space = os.environ.get("SPACE_ID")
    return os.environ.get("LOOKALIKE_CONTACT") or (f"https://huggingface.co/spaces/{space}" if space else "")


class Wikimedia:
    """Finds free pictures of people. Safe to use from several threads."""

    def __init__(self, client: WikimediaClient) -> None:
        self._client = client
        self._labels: dict[str, str] = {}  # of occupations and countries, which repeat

    def find(self, people: Sequence[Person]) -> dict[str, File | Outcome]:
        """Return by name the picture of each person, or the outcome that says why there is none.

        Raises WikimediaError.
        """
        found: dict[str, File | Outcome] = {}
        for batch in batches(people):
            found |= self._find(batch)
        return found

    def download(self, file: File) -> bytes:
        """Return the bytes of a picture. Raises ImageError and WikimediaError."""
        return self._client.picture(file.url)

    def close(self) -> None:
        """End all waiting and close the connections."""
        self._client.close()

    def _find(self, people: Sequence[Person]) -> dict[str, File | Outcome]:
        pages = self._pages([person.name for person in people if is_title(person.name)])
        found: dict[str, File | Outcome] = {}
        entities = self._entities(page.entity for page in pages.values() if page.entity and page.picture)
        for person in people:
            refusal = self._refusal(person, pages.get(person.name), entities)
            if refusal is not None:
                found[person.name] = refusal
        left = [person.name for person in people if person.name not in found]
        files = self._files([f"File:{pages[name].picture}" for name in left])
        for name in left:
            found[name] = _checked_file(name, files.get(f"File:{pages[name].picture}"))
        return found

    def _refusal(self, person: Person, page: Page | None, entities: Mapping[str, Entity]) -> Outcome | None:
        name = person.name
        if page is None:
            return Outcome(name, Verdict.NO_ARTICLE)
        if page.disambiguation:
            return Outcome(name, Verdict.NO_ARTICLE, "several people have this name")
        if not page.picture:
            return Outcome(name, Verdict.NO_FREE_PICTURE)
        if page.entity not in entities:
            return Outcome(name, Verdict.UNSURE, "Wikidata does not know the article")
        why = contradiction(entities[page.entity], self._labels, person.facts)
        return Outcome(name, Verdict.ANOTHER_PERSON, why) if why else None

    def _pages(self, titles: Sequence[str]) -> dict[str, Page]:
        parameters = {
            "action": "query",
            "formatversion": "2",
            "redirects": "1",
            "titles": "|".join(titles),
            "prop": "pageimages|pageprops",
            "piprop": "name",
            "pilimit": str(BATCH),
            "pilicense": "free",
            "ppprop": "wikibase_item|disambiguation",
        }
        return parse_pages(self._parts(WIKIPEDIA, parameters), titles) if titles else {}

    def _entities(self, ids: Iterable[str]) -> dict[str, Entity]:
        """Return the entities, and learn the labels that they refer to."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        entities = parse_entities(self._about(wanted, "claims"))
        named = {each for entity in entities.values() for each in (*entity.occupations, *entity.countries)}
        new = sorted(named - self._labels.keys())
        for start in range(0, len(new), BATCH):
            part = new[start : start + BATCH]
            self._labels |= dict.fromkeys(part, "") | parse_labels(self._about(part, "labels"))
        return entities

    def _about(self, ids: Sequence[str], properties: str) -> Mapping[str, Any]:
        parameters = {"action": "wbgetentities", "ids": "|".join(ids), "props": properties, "languages": "en"}
        return self._client.query(WIKIDATA, parameters)

    def _files(self, titles: Sequence[str]) -> dict[str, File]:
        parameters = {
            "action": "query",
            "formatversion": "2",
            "redirects": "1",
            "titles": "|".join(titles),
            "prop": "imageinfo",
            "iiprop": "url|extmetadata",
            "iiurlwidth": str(WIDTH),
            "iiextmetadatafilter": CREDIT_FIELDS,
        }
        return parse_files(self._client.query(COMMONS, parameters), titles) if titles else {}

    def _parts(self, host: str, parameters: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """Return all parts of an answer that may be continued."""
        parts: list[Mapping[str, Any]] = []
        more: dict[str, str] = {}
        while len(parts) < MAX_PARTS:
            parts.append(self._client.query(host, {**parameters, **more}))
            further = parts[-1].get("continue")
            if not isinstance(further, dict) or not further:
                break
            more = {key: str(value) for key, value in further.items() if key not in parameters}
        return parts


def batches(people: Iterable[Person]) -> Iterator[list[Person]]:
    """Yield people in groups that fit into one request."""
    batch: list[Person] = []
    length = 0
    for person in people:
        needed = len(quote(person.name, errors="replace")) + 3
        if batch and (len(batch) == BATCH or length + needed > MAX_TITLES):
            yield batch
            batch, length = [], 0
        batch.append(person)
        length += needed
    if batch:
        yield batch


def is_title(name: str) -> bool:
    """Return whether a page could have this title."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return 0 < length <= MAX_TITLE and not NOT_IN_TITLES & set(name)


def _checked_file(name: str, file: File | None) -> File | Outcome:
    if file is None:
        return Outcome(name, Verdict.NO_FREE_PICTURE, "the picture is not on Commons")
    if not file.is_free:
        return Outcome(name, Verdict.NO_FREE_PICTURE, f"the licence is {file.licence or 'not given'}")
    return file
