"""The portraits of many people, in batches, with a result for every name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from lookalike.errors import ImageError
from lookalike.portraits.answers import File
from lookalike.portraits.cache import PortraitCache
from lookalike.portraits.client import MEDIA_AT_ONCE
from lookalike.portraits.portrait import Outcome, Person, Portrait, Verdict
from lookalike.portraits.verify import Verifier
from lookalike.portraits.wikimedia import BATCH, Wikimedia

log = logging.getLogger(__name__)


def collect_portraits(
    people: Iterable[Person],
    wikimedia: Wikimedia,
    verifier: Verifier,
    cache: PortraitCache,
    *,
    progress: Callable[[Outcome], None] = lambda outcome: None,
) -> Iterator[Outcome]:
    """Yield the outcome of every person, in any order; `progress` gets each one too.

    What the cache holds is not asked again, so a collection that was interrupted goes on where it was. Raises
    WikimediaError.
    """
    batch: list[Person] = []
    for person in people:
        outcome = cache.get(person)
        if outcome is not None:
            progress(outcome)
            yield outcome
            continue
        batch.append(person)
        if len(batch) == BATCH:
            yield from _collect(batch, wikimedia, verifier, cache, progress)
            batch = []
    yield from _collect(batch, wikimedia, verifier, cache, progress)


def _collect(
    people: Sequence[Person],
    wikimedia: Wikimedia,
    verifier: Verifier,
    cache: PortraitCache,
    progress: Callable[[Outcome], None],
) -> Iterator[Outcome]:
    by_name = {person.name: person for person in people}
    found = wikimedia.find(list(by_name.values()))
    with ThreadPoolExecutor(MEDIA_AT_ONCE) as executor:
        pending = {name: executor.submit(_picture, wikimedia, each) for name, each in found.items()}
        try:
            for name, future in pending.items():
                outcome = _outcome(name, found[name], future.result(), verifier)
                _keep(cache, by_name[name], outcome)
                progress(outcome)
                yield outcome
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def _picture(wikimedia: Wikimedia, found: File | Outcome) -> bytes | None:
    """Return the bytes of a picture, None if there is none or it cannot be downloaded."""
    if isinstance(found, Outcome):
        return None
    try:
        return wikimedia.download(found)
    except ImageError as error:
        log.info("%s", error)
        return None


def _outcome(name: str, found: File | Outcome, picture: bytes | None, verifier: Verifier) -> Outcome:
    if isinstance(found, Outcome):
        return found
    if picture is None:
        return Outcome(name, Verdict.UNSURE, "the picture cannot be downloaded", lasting=False)
    check = verifier.check(name, picture)
    if check.verdict != Verdict.PICTURED:
        return Outcome(name, check.verdict, check.reason)
    portrait = Portrait(name, check.thumbnail, found.credit, found.licence, found.licence_url, found.source)
    return Outcome(name, check.verdict, portrait=portrait)


def _keep(cache: PortraitCache, person: Person, outcome: Outcome) -> None:
    try:
        cache.put(person, outcome)
    except OSError as error:  # a full or read-only disk: the portrait is shown all the same
        log.warning("the portrait of %s cannot be kept: %s", person.name, error)
