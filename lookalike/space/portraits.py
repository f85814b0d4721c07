"""Portraits for the people of the served gallery who have no photo there."""

from __future__ import annotations

import hashlib

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


def start_portraits(finders: Finders, wikimedia: Wikimedia | None = None) -> PortraitFetcher:
    """Show portraits for `finders` from now on, and fetch them in the background until `stop` is called."""

    def recognizes(embedding: Probe, name: str) -> bool:
        try:
            return finders.served.recognizes(embedding, name)
        except GalleryError:  # the gallery was replaced meanwhile
            return False

    def portrait(name: str) -> Portrait | None:
        person = person_of(finders.served, name)
        return fetcher.portrait(person) if person else None

    served = finders.served
    verifier = Verifier(
        detector=served.detector, embedder=served.embedder, matches=recognizes, decode=DECODERS.read
    )
    fetcher = PortraitFetcher(
        wikimedia or open_wikimedia(),
        verifier,
        PortraitCache(cache_folder("portraits", finders.gallery_id)),
        everybody=lambda: people_without_photo(finders.served),
    )
    finders.portrait, finders.on_replace = portrait, fetcher.refresh
    fetcher.start()
    return fetcher


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
