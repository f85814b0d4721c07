"""Portraits for the people of the served gallery who have no photo there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from lookalike.errors import GalleryError
from lookalike.files import cache_folder
from lookalike.finder import Lookalikes, Probe
from lookalike.gallery.pictures import names_without_photo
from lookalike.portraits.cache import PortraitCache
from lookalike.portraits.fetcher import PortraitFetcher
from lookalike.portraits.portrait import Person, Portrait
from lookalike.portraits.verify import Verifier
from lookalike.portraits.wikimedia import Wikimedia, open_wikimedia
from lookalike.space.finders import Finders
from lookalike.space.middleware.decoders import DECODERS


class PagePortraits:
    """Shows portraits for `finders`, and fetches them in the background between `start` and `stop`.

    When another gallery takes the place of the served one, the portraits are those of its people, with a
    cache of their own.
    """

    def __init__(self, finders: Finders, wikimedia: Callable[[], Wikimedia] = open_wikimedia) -> None:
        self._finders, self._open = finders, wikimedia
        self._gallery = finders.gallery_id
        self._fetcher = self._new_fetcher()

    def start(self) -> None:
        """Show and fetch portraits from now on."""
        self._finders.portrait, self._finders.on_replace = self._portrait, self._follow
        self._fetcher.start()

    def stop(self) -> None:
        """End all requests."""
        self._finders.on_replace = None
        self._fetcher.stop()

    def _portrait(self, name: str) -> Portrait | None:
        person = person_of(self._finders.served, name)
        return self._fetcher.portrait(person) if person else None

    def _follow(self) -> None:
        if self._finders.gallery_id == self._gallery:
            self._fetcher.refresh()
            return
        self._fetcher.stop()
        self._gallery = self._finders.gallery_id
        self._fetcher = self._new_fetcher()
        self._fetcher.start()

    def _new_fetcher(self) -> PortraitFetcher:
        served, latest = self._finders.served, _Latest(self._finders)
        verifier = Verifier(
            detector=served.detector,
            embedder=served.embedder,
            matches=latest.recognizes,
            decode=DECODERS.read,
        )
        cache = PortraitCache(cache_folder("portraits", self._gallery))
        return PortraitFetcher(self._open(), verifier, cache, everybody=latest.people)


class _Latest:
    """The latest version of the gallery that is served now, also after another one took its place."""

    def __init__(self, finders: Finders) -> None:
        self._finders, self._served = finders, finders.current

    def people(self) -> list[Person]:
        return people_without_photo(self._finder())

    def recognizes(self, embedding: Probe, name: str) -> bool:
        try:
            return self._finder().recognizes(embedding, name)
        except GalleryError:  # the person was removed meanwhile
            return False

    def _finder(self) -> Lookalikes:
        current = self._finders.current
        if current.gallery_id == self._served.gallery_id:
            self._served = current
        return self._served.finder


def people_without_photo(finder: Lookalikes) -> list[Person]:
    """Return the people of a finder's gallery who have no photo there."""
    people = (person_of(finder, name) for name in names_without_photo(finder.gallery))
    return [person for person in people if person is not None]


def person_of(finder: Lookalikes, name: str) -> Person | None:
    """Return the person of this name in the gallery, None if there is none.

    The version changes with the model's weights and with the person's rows.
    """
    try:
        rows, facts = finder.gallery.rows_of(name), finder.gallery.facts_of(name)
    except GalleryError:
        return None
    digest = hashlib.sha256(finder.embedder.weights_hash.encode() + rows.tobytes())
    return Person(name, facts, digest.hexdigest()[:16])
