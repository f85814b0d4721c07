"""The client: hosts, redirects, addresses, limits, retries, and what it says about itself."""

from __future__ import annotations

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from lookalike.errors import ImageError, WikimediaError
from lookalike.portraits import client as module
from lookalike.portraits.client import MEDIA_HOSTS, WIKIPEDIA, WikimediaClient, is_public, user_agent
from lookalike.portraits.pace import Pace, retry_after
from tests.portraits.conftest import FAST
from tests.support.wikimedia_server import MEDIA, busy, content, cut_off, moved, slow, together

ASK = {"action": "query", "titles": "Cher", "pilicense": "free"}
PICTURE = f"https://{MEDIA}/Cher.jpg"


def test_the_user_agent_names_the_operator():
    assert user_agent("me@example.org (x)\r\nEvil: 1").startswith("lookalike/")
    assert "(me@example.org xEvil: 1) httpx/" in user_agent("me@example.org (x)\r\nEvil: 1")
    assert "(" not in user_agent("")


def test_the_server_sees_the_user_agent_and_no_cookie_comes_back(client, server):
    seen = []
    server.faults[WIKIPEDIA] = [
        content(b"{}"),
        lambda handler: (seen.append(handler.headers.get("Cookie")), handler.send_json({}))[1],
    ]
    client.query(WIKIPEDIA, ASK)
    client.query(WIKIPEDIA, ASK)
    assert seen == [None]
    assert server.user_agents == {user_agent("https://example.org")}


@pytest.mark.parametrize(
    "url",
    [
        "http://thumb.wikimedia.org/a.jpg",
        "https://thumb.wikimedia.org.evil.example/a.jpg",
        "https://user@thumb.wikimedia.org/a.jpg",
        "https://thumb.wikimedia.org:8443/a.jpg",
        "https://127.0.0.1/a.jpg",
        "file:///etc/passwd",
        "https://en.wikipedia.org/w/api.php",
        "//thumb.wikimedia.org/a.jpg",
        "https://[::1",
        "",
    ],
)
def test_pictures_come_from_no_other_address(client, server, url):
    with pytest.raises(ImageError, match="address"):
        client.picture(url)
    assert server.requests == []


def test_a_redirect_to_another_host_is_not_followed(client, server):
    for target in (
        f"{server.base}/{MEDIA}/Cher.jpg",
        "http://127.0.0.1:1/",
        "https://evil.example/",
        "https://[x",
    ):
        server.faults[MEDIA] = [moved(target)]
        with pytest.raises(ImageError, match=r"outside Wikimedia|cannot be read"):
            client.picture(PICTURE)
    server.faults[WIKIPEDIA] = [moved(PICTURE)]
    with pytest.raises(WikimediaError, match="outside Wikimedia"):
        client.query(WIKIPEDIA, ASK)
    assert len(server.requests) == 5


def test_a_redirect_within_the_hosts_is_followed_a_few_times(client, server):
    server.add("Cher", b"picture", file="There.jpg")
    server.faults["Cher.jpg"] = [moved(f"https://{MEDIA}/There.jpg"), *[moved(PICTURE)] * 9]
    assert client.picture(PICTURE) == b"picture"
    with pytest.raises(ImageError, match="too many redirects"):
        client.picture(PICTURE)


@pytest.mark.parametrize("status", [300, 304, 307])
def test_a_redirect_that_leads_nowhere_is_an_error_with_a_sentence(status):
    transport = httpx.MockTransport(lambda request: httpx.Response(status))
    client = WikimediaClient(transport=transport, **FAST)
    with pytest.raises(WikimediaError, match=f"status {status}"):
        client.query(WIKIPEDIA, ASK)
    with pytest.raises(ImageError, match=f"status {status}"):
        client.picture(PICTURE)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fe80::1%eth0"]
)
def test_an_answer_from_a_private_address_is_refused(address):
    class Stream:
        def get_extra_info(self, name: str) -> object:
            return (address, 443) if name == "server_addr" else None

    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, content=b"secret", extensions={"network_stream": Stream()})
    )
    with pytest.raises(ImageError, match="a private address"):
        WikimediaClient(transport=transport, per_minute=1000).picture(PICTURE)


def test_public_addresses_are_told_from_private_ones():
    assert is_public("185.15.59.224") and is_public("2a02:ec80:300:ed1a::1")
    assert not is_public("::ffff:127.0.0.1") and not is_public("224.0.0.1") and not is_public("nonsense")


def test_retry_after_is_honoured_in_seconds_and_as_a_date(client, server):
    server.add("Cher")
    server.faults[WIKIPEDIA] = [busy("1"), busy("0", 503)]
    start = time.monotonic()
    assert client.query(WIKIPEDIA, ASK)["query"]["pages"][0]["title"] == "Cher"
    assert time.monotonic() - start >= 1
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90))
    assert 80 < (retry_after(later) or 0) <= 90
    assert [retry_after(each) for each in (None, "", "5", "soon", "-1")] == [None, None, 5, None, None]
    assert retry_after("Wed, 21 Oct 99999999999 07:28:00 GMT") is None


def test_a_long_wait_is_left_to_the_caller(client, server):
    server.faults[WIKIPEDIA] = [busy("900")]
    with pytest.raises(WikimediaError, match="900 s") as caught:
        client.query(WIKIPEDIA, ASK)
    assert caught.value.retry_after == 900


def test_errors_of_the_server_are_tried_again_and_then_reported(client, server):
    server.add("Cher")
    server.faults[WIKIPEDIA] = [busy("0", 500), cut_off, slow(2.5)]
    assert client.query(WIKIPEDIA, ASK)["query"]
    server.faults[WIKIPEDIA] = [cut_off] * 9
    with pytest.raises(WikimediaError, match="does not answer"):
        client.query(WIKIPEDIA, ASK)
    assert len(server.faults[WIKIPEDIA]) == 5


def test_busy_answers_with_status_200_are_tried_again(client, server):
    server.add("Cher")
    body = json.dumps({"error": {"code": "maxlag", "info": "Waiting"}}).encode()
    server.faults[WIKIPEDIA] = [content(body)]
    assert client.query(WIKIPEDIA, ASK)["query"]
    server.faults[WIKIPEDIA] = [content(b'{"error": {"code": "badvalue"}}')]
    with pytest.raises(WikimediaError, match="badvalue"):
        client.query(WIKIPEDIA, ASK)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff", b"", b"[" * 100_000])
def test_an_answer_that_is_no_json_object_is_an_error(client, server, body):
    server.faults[WIKIPEDIA] = [content(body)]
    with pytest.raises(WikimediaError, match="cannot be used"):
        client.query(WIKIPEDIA, ASK)


def test_large_answers_and_compression_bombs_are_refused(client, server):
    bomb = gzip.compress(bytes(200_000_000), 9)
    server.faults[WIKIPEDIA] = [content(bomb, **{"Content-Encoding": "gzip"})]
    with pytest.raises(WikimediaError, match="more than 4 MB"):
        client.query(WIKIPEDIA, ASK)
    server.faults[MEDIA] = [content(bytes(module.MAX_PICTURE + 1))]
    with pytest.raises(ImageError, match="more than 3 MB"):
        client.picture(PICTURE)
    server.faults[MEDIA] = [content(b"x", **{"Content-Encoding": "br"})]
    with pytest.raises(ImageError, match="compression"):
        client.picture(PICTURE)


def test_few_requests_run_at_once(client, server):
    server.add("Cher", b"picture")
    server.faults[WIKIPEDIA] = [together(3)] * 12
    server.faults[MEDIA] = [together(2)] * 12

    def quietly(number: int) -> None:
        with suppress(WikimediaError):  # the answer is empty
            client.picture(PICTURE) if number % 2 else client.query(WIKIPEDIA, ASK)

    with ThreadPoolExecutor(16) as executor:
        list(executor.map(quietly, range(24)))
    assert server.peaks == {"api": 3, "media": 2}


def test_requests_are_spread_over_time_and_stop_at_once():
    pace = Pace(per_minute=1200)
    start = time.monotonic()
    for _ in range(5):
        pace.wait()
    assert 0.19 < time.monotonic() - start < 5
    pace.hold(60)
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(pace.wait)
        pace.stop()
        with pytest.raises(WikimediaError):
            waiting.result(timeout=30)


def test_a_closed_client_sends_nothing(server):
    closed = WikimediaClient(base=server.base, **FAST)
    closed.close()
    with pytest.raises(WikimediaError):
        closed.picture(f"https://{MEDIA_HOSTS[0]}/a.jpg")
    assert server.requests == []
