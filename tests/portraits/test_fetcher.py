"""The background fetcher: who comes first, what happens without a network, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from lookalike.portraits.cache import PortraitCache
from lookalike.portraits.client import WikimediaClient
from lookalike.portraits.fetcher import PortraitFetcher
from lookalike.portraits.portrait import Person
from lookalike.portraits.wikimedia import Wikimedia
from tests.portraits.conftest import FAST, PEOPLE, picture_of
from tests.support.wikimedia_server import MEDIA, WIKIPEDIA, busy, content

EVERYBODY = [Person(name) for name in PEOPLE]


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:  # a shared machine under load
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def start(wikimedia, verifier, cache) -> Iterator[Callable[..., PortraitFetcher]]:
    """Start a fetcher for some people; it stops with the test."""
    running: list[PortraitFetcher] = []

    def begin(people: Sequence[Person] = (), source: Wikimedia = wikimedia) -> PortraitFetcher:
        fetcher = PortraitFetcher(source, verifier, cache, everybody=lambda: people, first_wait=0.05)
        fetcher.start()
        running.append(fetcher)
        return fetcher

    yield begin
    for fetcher in running:
        fetcher.stop()


def test_a_person_who_was_shown_is_fetched_and_then_there(start, server):
    server.add("Cher", picture_of("Cher"))
    fetcher = start()
    assert fetcher.portrait(Person("Cher")) is None
    wait_for(lambda: fetcher.portrait(Person("Cher")))
    wait_for(lambda: fetcher.portrait(Person("Nobody")) is None and server.hosts().count(WIKIPEDIA) == 2)
    assert fetcher.portrait(Person("Cher")).credit == "A Photographer"
    assert server.hosts().count(MEDIA) == 1


def test_the_rest_of_the_gallery_follows_and_is_there_after_a_restart(start, server, cache):
    for name in PEOPLE:
        server.add(name, picture_of(name))
    start(EVERYBODY)
    wait_for(lambda: all(cache.get(person) for person in EVERYBODY))
    server.requests.clear()
    again = start(EVERYBODY)
    assert all(again.portrait(person) for person in EVERYBODY)
    assert server.requests == []


def test_those_who_were_shown_come_first_among_others(wikimedia, verifier, cache, server):
    people = [Person(f"Nobody {number}") for number in range(200)]
    people += [Person(f"Shown {number}") for number in range(5)]
    fetcher = PortraitFetcher(wikimedia, verifier, cache, everybody=lambda: people)
    shown = {f"Shown {number}" for number in range(5)}
    for name in shown:
        fetcher.portrait(Person(name))
    fetcher.start()
    wait_for(lambda: server.hosts().count(WIKIPEDIA) >= 4)
    fetcher.stop()
    first = server.requests[0][1]["titles"].split("|")
    assert len(first) == 50 and shown < set(first)
    assert set(first[:5]) != shown


def test_without_a_network_one_line_is_logged(start, server, caplog):
    server.add("Cher", picture_of("Cher"))
    server.faults[WIKIPEDIA] = [content(b"no JSON")] * 3
    fetcher = start()
    assert fetcher.portrait(Person("Cher")) is None
    wait_for(lambda: fetcher.portrait(Person("Cher")))
    assert caplog.text.count("no portraits for now") == 1


def test_nothing_listens(start, caplog):
    nowhere = Wikimedia(WikimediaClient(base="http://127.0.0.1:9", **FAST))
    fetcher = start([Person("Cher")], nowhere)
    wait_for(lambda: "no portraits for now" in caplog.text)
    assert fetcher.portrait(Person("Cher")) is None


def test_people_who_left_the_gallery_leave_the_cache(start, server, cache):
    people = list(EVERYBODY)
    for name in PEOPLE:
        server.add(name, picture_of(name))
    fetcher = start(people)
    wait_for(lambda: all(cache.get(person) for person in EVERYBODY))
    people.remove(Person("Cher"))
    fetcher.refresh()
    wait_for(lambda: cache.get(Person("Cher")) is None)
    assert all(cache.get(person) for person in people)


def test_visitors_do_not_wait_with_it_and_it_stops_at_once(start, server):
    server.faults[WIKIPEDIA] = [busy("100")] * 9
    fetcher = start([Person("Cher")])
    wait_for(lambda: server.requests)
    begin = time.monotonic()
    assert fetcher.portrait(Person("Cher")) is None
    fetcher.stop()
    assert time.monotonic() - begin < 10  # of the 100 seconds
    assert not any(thread.name == "portraits" and thread.is_alive() for thread in threading.enumerate())


def test_an_unexpected_error_ends_one_round_alone(wikimedia, verifier, server, tmp_path, caplog):
    class Broken(PortraitCache):
        def keep_only(self, names):
            raise OSError("the disk is gone")

    server.add("Cher", picture_of("Cher"))
    fetcher = PortraitFetcher(wikimedia, verifier, Broken(tmp_path), everybody=lambda: [Person("Cher")])
    fetcher.start()
    wait_for(lambda: fetcher.portrait(Person("Cher")))
    fetcher.stop()
    assert "the disk is gone" in caplog.text
