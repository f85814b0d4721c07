"""Fetches portraits in the background while the page answers its visitors."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from lookalike.errors import WikimediaError
from lookalike.portraits.cache import PortraitCache
from lookalike.portraits.collecting import collect_portraits
from lookalike.portraits.portrait import Outcome, Person, Portrait
from lookalike.portraits.verify import Verifier
from lookalike.portraits.wikimedia import BATCH, Wikimedia

log = logging.getLogger(__name__)

IN_MEMORY = 300  # results; a portrait has about 15 KB, and the cache holds the others
MAX_WANTED = 500  # people who were shown and are not fetched yet
MAX_REST = 10_000  # people who were not shown: about an hour of requests, and 150 MB on the disk
FIRST_WAIT = 30.0  # seconds after Wikimedia did not answer; twice as long after each further time
MAX_WAIT = 3600.0
CHECK_SECONDS = 24 * 3600.0  # between looks for portraits that are too old


class PortraitFetcher:
    """Implements `lookalike.portraits.portrait.Portraits` with one thread.

    `everybody` returns the people of the served gallery. People who were just shown come first, then the rest
    of the gallery. Each round is filled up with others and shuffled, so that Wikimedia cannot see whom a
    visitor was shown, or when. Without a network nothing happens but one line in the log.
    """

    def __init__(
        self,
        wikimedia: Wikimedia,
        verifier: Verifier,
        cache: PortraitCache,
        *,
        everybody: Callable[[], Sequence[Person]],
        first_wait: float = FIRST_WAIT,
    ) -> None:
        self._wikimedia, self._verifier, self._cache = wikimedia, verifier, cache
        self._everybody, self._first_wait = everybody, first_wait
        self._random = random.SystemRandom()
        self._wanted: OrderedDict[str, Person] = OrderedDict()  # the last one was shown last
        self._rest: list[Person] = []
        self._known: OrderedDict[tuple[str, str], Outcome] = (
            OrderedDict()
        )  # by name and version, last used last
        self._lock, self._wake, self._stop = threading.Lock(), threading.Event(), threading.Event()
        self._check_at, self._failures = 0.0, 0
        self._thread = threading.Thread(target=self._run, name="portraits", daemon=True)

    def start(self) -> None:
        """Begin to fetch."""
        self._thread.start()

    def stop(self) -> None:
        """End all requests and the thread."""
        self._stop.set()
        self._wake.set()
        self._wikimedia.close()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def portrait(self, person: Person) -> Portrait | None:
        """Return the portrait if it is here; else put the person first in the queue and return None."""
        key = person.name, person.version
        with self._lock:
            outcome = self._known.get(key)
        outcome = outcome or self._cache.get(person)
        if outcome is not None:
            self._remember(person, outcome)
            return outcome.portrait
        with self._lock:
            self._wanted[person.name] = person
            self._wanted.move_to_end(person.name)
            if len(self._wanted) > MAX_WANTED:
                self._wanted.popitem(last=False)
        self._wake.set()
        return None

    def refresh(self) -> None:
        """Read `everybody` again, because the gallery changed; people who left it leave the cache too."""
        self._check_at = 0.0
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                if time.monotonic() >= self._check_at:
                    self._take_everybody()
                people = self._next()
                if people:
                    self._round(people)
                    continue
            except Exception:  # cards are shown instead; the next round may succeed
                log.exception("some portraits could not be fetched")
            self._wake.wait(max(0.0, self._check_at - time.monotonic()))

    def _take_everybody(self) -> None:
        self._check_at = time.monotonic() + CHECK_SECONDS
        people = list(self._everybody())
        names = {person.name for person in people}
        with self._lock:
            self._wanted = OrderedDict((name, each) for name, each in self._wanted.items() if name in names)
            self._known.clear()
        self._random.shuffle(people)
        self._rest = people[:MAX_REST]
        self._cache.keep_only(names)

    def _next(self) -> list[Person]:
        """Return the people of the next round, those who were shown last and then others, shuffled."""
        with self._lock:
            shown = [self._wanted.popitem()[1] for _ in range(min(BATCH, len(self._wanted)))]
        people = {person.name: person for person in shown}
        while self._rest and len(people) < BATCH:
            person = self._rest.pop()
            if person.name not in people and self._cache.get(person) is None:
                people[person.name] = person
        mixed = list(people.values())
        self._random.shuffle(mixed)
        return mixed

    def _round(self, people: Sequence[Person]) -> None:
        left = {person.name: person for person in people}
        try:
            for outcome in collect_portraits(people, self._wikimedia, self._verifier, self._cache):
                self._remember(left.pop(outcome.name), outcome)
            self._failures = 0
        except WikimediaError as error:
            with self._lock:
                self._wanted = OrderedDict(left | self._wanted)
            self._wait(error)

    def _remember(self, person: Person, outcome: Outcome) -> None:
        key = person.name, person.version
        with self._lock:
            self._wanted.pop(person.name, None)
            self._known[key] = outcome
            self._known.move_to_end(key)
            if len(self._known) > IN_MEMORY:
                self._known.popitem(last=False)

    def _wait(self, error: WikimediaError) -> None:
        """Wait, longer each time; only the first failure in a row is logged."""
        if not self._failures and not self._stop.is_set():
            log.warning("no portraits for now, cards are shown instead: %s", error)
        wait = min(self._first_wait * 2 ** min(self._failures, 16), MAX_WAIT)
        self._failures += 1
        self._stop.wait(max(wait, error.retry_after or 0.0))
