"""Limits on what one visitor may send, hold and use: JSON bodies, shares, decoder time, connections, logs."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from typing import Any

import pytest

from lookalike.errors import ImageError
from lookalike.space.middleware.decoder_time import SECONDS, DecoderTime
from lookalike.space.middleware.decoders import JOB, Decoders, Job
from lookalike.space.middleware.failures import Seldom
from lookalike.space.middleware.headers import SecurityHeaders
from lookalike.space.middleware.json_bodies import JsonBodies
from lookalike.space.middleware.json_check import MAX_DEPTH, PHOTO, check_request, checked_json
from lookalike.space.middleware.shares import RequestShares, Shares, within_share
from lookalike.space.middleware.turns import Turns
from tests.space.test_middleware import slow_png

LONG = "data:image/jpeg;base64," + "A" * 100_000
JOIN = "/gradio_api/queue/join"


def test_long_strings_are_replaced_and_the_rest_is_parsed():
    value = {"data": [{"url": LONG, "meta": {}}, 5, None, 'a "quoted" \\ text'], "session_hash": "abc"}
    parsed = checked_json(json.dumps(value).encode())
    assert parsed == {**value, "data": [{"url": PHOTO, "meta": {}}, *value["data"][1:]]}
    check_request(parsed, needs_session=True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": "',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        json.dumps([0] * 5000).encode(),
        json.dumps(["x"] * 5000).encode(),
        json.dumps("x" * 30_000).encode(),
        json.dumps([LONG] * 3).encode(),
        json.dumps(LONG + '"').encode(),
        b" " * 300_000 + b"[]",
        json.dumps({"data": []}).encode("utf-16"),
        b'"' + b"\\" * 1_000_000 + b'"',
    ],
)
def test_json_that_no_client_sends_is_refused(body: bytes):
    with pytest.raises(ValueError):
        checked_json(body)


def test_a_check_of_the_largest_body_is_fast():
    body = json.dumps({"data": [{"url": "data:," + "A" * 27_000_000}]}).encode()
    started = time.process_time()
    checked_json(body)
    for hostile in (b"[" * 27_000_000, b'"\\"' * 9_000_000, b'"' + b'\\"' * 13_000_000, b"\\" * 27_000_000):
        with pytest.raises(ValueError):
            checked_json(hostile)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"data": []},
        {"data": [], "session_hash": ""},
        {"data": [], "session_hash": "a b"},
        {"data": [], "session_hash": PHOTO},
        {"data": {}, "session_hash": "a"},
        {"data": [PHOTO], "session_hash": "a"},
        {"data": [{"url": [PHOTO]}], "session_hash": "a"},
        {"data": [{"path": PHOTO}], "session_hash": "a"},
        {"data": [], "session_hash": "a", "event_data": {"x": [PHOTO]}},
        {"data": [], "session_hash": "a", "fn_index": 10**30},
        {"data": [], "session_hash": "a", "event_id": "x" * 65},
    ],
)
def test_requests_of_another_form_are_refused(value: Any):
    with pytest.raises(ValueError):
        check_request(value, needs_session=True)


def test_the_first_frame_of_a_camera_is_in_the_event_too():
    frame = {"url": PHOTO}
    event = {"value": frame, "is_value_data": True}
    check_request({"data": [frame, None], "session_hash": "a", "event_data": event}, needs_session=True)
    with pytest.raises(ValueError):
        hidden = {**event, "value": {"url": PHOTO, "x": PHOTO}}
        check_request({"data": [], "session_hash": "a", "event_data": hidden}, needs_session=True)


def test_one_holds_half_two_a_third_each_and_everybody_a_little():
    def alone(total: int) -> int:
        held = 0
        while within_share(held, total - held, least=1):
            held += 1
        return held

    assert alone(40) == 20
    shares = Shares(30, least=2)
    while shares.take("a") | shares.take("b"):
        pass
    assert shares._held["a"] == shares._held["b"] == 10
    assert shares.take("c")
    shares.give_back("a", 10)
    assert "a" not in shares._held and shares.take("b")


def test_a_visitor_whose_photos_are_slow_waits_and_others_do_not():
    now = [0.0]
    limit = DecoderTime(clock=lambda: now[0])
    assert [limit.take("a", 8), limit.take("a", 8), limit.take("b", 8)] == [8, SECONDS - 8, 8]
    with pytest.raises(ImageError, match="wait 5 seconds"):
        limit.take("a", 8)
    assert limit.take("", 8) == 8
    limit.give_back("a", 8)
    assert limit.take("a", 8) == pytest.approx(8)
    for _ in range(1000):  # ordinary photos
        limit.give_back("c", limit.take("c", 8) - 0.05)
    now[0] = 60.0
    assert limit.take("a", 8) == 8


def test_a_cancelled_request_stops_its_decoder():
    decoders, job = Decoders(1), Job("a")
    failed: list[Exception] = []

    def read() -> None:
        JOB.set(job)
        try:
            decoders.read(slow_png())
        except ImageError as error:
            failed.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    time.sleep(0.5)
    job.stop()
    thread.join(timeout=60)
    assert not thread.is_alive() and failed
    decoders.close()


class Recorder:
    """An application that notes whether it was reached, and answers with a status."""

    def __init__(self, status: int = 200) -> None:
        self.status, self.bodies = status, list[bytes]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.bodies.append((await receive()).get("body", b""))
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"echo"})


def answer_of(app: Any, *parts: bytes, path: str = JOIN, kind: str = "application/json") -> tuple[int, bytes]:
    """Return status and body of the answer to a POST request whose body comes in parts."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "visitor": "8.8.8.8",
        "client": ("8.8.8.8", 1),
        "headers": [(b"content-type", kind.encode())],
    }
    left, sent = list(parts), list[dict[str, Any]]()

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or parts[-1] == b"half"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_a_body_reaches_gradio_whole_and_only_when_it_is_valid(monkeypatch: pytest.MonkeyPatch):
    app = Recorder()
    body = json.dumps({"data": [{"url": LONG}], "session_hash": "a"}).encode()
    assert answer_of(JsonBodies(app), body[:50], body[50:])[0] == 200
    assert app.bodies == [body]
    refused = {
        (b"{}", JOIN, "application/json"): 400,
        (body, JOIN, "text/plain"): 400,
        (bytes(5000), "/gradio_api/reset", "application/json"): 413,
    }
    for (sent, path, kind), status in refused.items():
        assert answer_of(JsonBodies(app), sent, path=path, kind=kind)[0] == status
    monkeypatch.setattr("lookalike.space.middleware.json_bodies.BODY_SECONDS", 0.1)
    assert answer_of(JsonBodies(app), b"half")[0] == 408
    assert len(app.bodies) == 1


def test_gradios_own_errors_do_not_repeat_the_request():
    body = json.dumps({"data": [], "session_hash": "a"}).encode()
    status, said = answer_of(JsonBodies(Recorder(422)), body)
    assert status == 422 and b"echo" not in said


def test_a_visitor_with_too_many_requests_in_progress_is_refused():
    app = RequestShares(Recorder(), total=16)
    app._shares.take("8.8.8.8", 8)
    assert answer_of(app, b"")[0] == 429


def test_a_visitor_s_requests_for_pages_wait_for_their_turn():
    running, most = 0, 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1

    async def ask_at_once(visitors: list[str]) -> None:
        turns = Turns(app)
        scopes = [{"type": "http", "path": "/config", "visitor": visitor} for visitor in visitors]
        await asyncio.gather(*(turns(scope, None, None) for scope in scopes))
        assert not turns._turns

    asyncio.run(ask_at_once(["a"] * 10))
    assert most == 2
    asyncio.run(ask_at_once(["a"] * 10 + ["b"]))
    assert most == 3


def test_every_answer_has_security_headers_and_is_not_stored():
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"access-control-allow-credentials", b"true"), (b"x", b"y")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    for path in ("/config", "/assets/a.js"):
        asyncio.run(SecurityHeaders(app)({"type": "http", "path": path}, None, send))
    page, static = (dict(message["headers"]) for message in sent)
    assert page[b"cache-control"] == b"no-store" and b"cache-control" not in static
    assert b"frame-ancestors 'self' https://huggingface.co" in page[b"content-security-policy"]
    assert b"access-control-allow-credentials" not in page and page[b"x"] == b"y"


def test_a_line_of_the_log_comes_once_a_minute():
    seldom = Seldom()
    record = logging.makeLogRecord({"msg": "Invalid HTTP request received."})
    assert [seldom.filter(record) for _ in range(3)] == [True, False, False]
