"""What stands between strangers and the page: the door, the rate limit, the decoders, the upkeep."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import time
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import ImageError
from lookalike.space.middleware.cleanup import Answers, keep_waiting
from lookalike.space.middleware.decoders import BROKEN, SLOW, Decoders
from lookalike.space.middleware.middleware import BODY_BYTES, Door
from lookalike.space.middleware.rate_limit import MINUTE, REMEMBERED, Visitors, address_of
from lookalike.space.middleware.uploads import sweep, upload_folder


def encoded(image: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def slow_png() -> bytes:
    """A PNG of three million empty chunks, which Pillow goes through one by one."""
    whole = encoded(np.zeros((8, 8, 3), np.uint8))
    chunk = struct.pack(">I", 0) + b"prVt" + struct.pack(">I", zlib.crc32(b"prVt"))
    return whole[:33] + chunk * 3_000_000 + whole[33:]


@pytest.fixture(scope="module")
def decoders():
    decoders = Decoders(1)
    yield decoders
    decoders.close()


def test_a_decoder_gives_the_pixels_and_the_sentences_of_read_image(decoders: Decoders):
    image = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
    assert np.array_equal(decoders.read(encoded(image)), image)
    for broken, sentence in ((b"", "empty"), (b"hello", "not a photo"), (encoded(image)[:90], "not a photo")):
        with pytest.raises(ImageError, match=sentence):
            decoders.read(broken)
    assert np.array_equal(decoders.read(encoded(image)), image)


def test_a_photo_that_takes_too_long_is_given_up_and_the_next_one_is_read():
    decoders = Decoders(1, seconds=1)
    started = time.process_time()
    with pytest.raises(ImageError, match=SLOW):
        decoders.read(slow_png())
    assert time.process_time() - started < 5
    assert decoders.read(encoded(np.zeros((8, 8, 3), np.uint8))).shape == (8, 8, 3)
    decoders.close()


def test_a_decoder_that_died_is_replaced(decoders: Decoders):
    decoders.read(encoded(np.zeros((8, 8, 3), np.uint8)))
    process = decoders._free.queue[-1]._process
    process.terminate()
    process.wait()
    assert decoders.read(encoded(np.zeros((4, 8, 3), np.uint8))).shape == (4, 8, 3)
    assert BROKEN.endswith(".")


def test_a_visitor_who_comes_too_often_waits_and_others_do_not():
    now = [0.0]
    visitors = Visitors(2, clock=lambda: now[0])
    assert [visitors.seconds_to_wait("a") for _ in range(3)] == [0, 0, 30]
    assert visitors.seconds_to_wait("b") == 0
    now[0] = 30.0
    assert [visitors.seconds_to_wait("a") for _ in range(2)] == [0, 30]
    assert [Visitors(0).seconds_to_wait("a") for _ in range(1000)] == [0] * 1000


def test_visitors_are_forgotten_after_a_minute_and_when_there_are_too_many():
    now = [0.0]
    visitors = Visitors(2, clock=lambda: now[0])
    for number in range(REMEMBERED + 10):
        visitors.seconds_to_wait(str(number))
    assert len(visitors._left) == REMEMBERED
    now[0] = MINUTE + 1
    visitors.seconds_to_wait("new")
    assert list(visitors._left) == ["new"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "visitor"),
    [
        ("8.8.8.8", "1.1.1.1", "8.8.8.8"),  # no proxy: what the visitor wrote does not count
        ("10.0.0.7", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.7", "9.9.9.9, 1.1.1.1, 10.0.0.3", "1.1.1.1"),  # only the proxies' own part does
        ("10.0.0.7", "nonsense, ' OR 1=1", "10.0.0.7"),
        ("10.0.0.7", "", "10.0.0.7"),
        ("127.0.0.1", "192.168.1.5", "192.168.1.5"),
        ("10.0.0.7", "2001:4860:4860:1:2::8", "2001:4860:4860:1::/64"),
        ("::ffff:8.8.8.8", "", "8.8.8.8"),
    ],
)
def test_a_visitor_is_known_by_the_address_that_the_proxy_saw(peer: str, forwarded: str, visitor: str):
    assert address_of((peer, 1234), {"x-forwarded-for": forwarded}) == visitor


def knock(door: Door, path: str, method: str = "GET", *parts: bytes, **headers: str) -> int:
    """Return the status with which a door answers a request."""
    scope = {
        "type": "http",
        "path": path,
        "method": method,
        "query_string": b"deep_link=x&a=b",
        "client": ("8.8.8.8", 1),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    bodies = iter(parts or (b"",))
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(bodies), "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
            assert (b"x-content-type-options", b"nosniff") in message["headers"]

    asyncio.run(door(scope, receive, send))
    return statuses[0]


async def welcome(scope: Any, receive: Any, send: Any) -> None:
    assert scope["query_string"] == b"a=b"
    for _ in range(3 if scope["method"] == "POST" else 1):
        if (await receive())["type"] == "http.disconnect":
            raise ConnectionError("secret")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/gradio_api/info", 200),
        ("POST", "/gradio_api/queue/join", 200),
        ("GET", "/gradio_api/mcp/sse", 404),
        ("GET", "/gradio_api/deep_link", 404),
        ("POST", "/gradio_api/process_recording", 404),
        ("GET", "/gradio_api/proxy=https://x.hf.space/", 404),
        ("GET", "/gradio_api/file=http://127.0.0.1/", 404),
        ("GET", "/gradio_api/file=/etc/passwd", 404),
        ("GET", "/gradio_api/custom_component/a/client/b/c", 404),
        ("POST", "/gradio_api/component_server", 404),
        ("POST", "/gradio_api/run/look", 404),
        ("POST", "/gradio_api/call/look", 404),
        ("POST", "/", 404),
        ("DELETE", "/gradio_api/info", 404),
        ("GET", "/monitoring", 404),
    ],
)
def test_only_what_is_needed_is_let_in(method: str, path: str, status: int):
    door = Door(welcome, visitors=Visitors(0))
    assert knock(door, path, method, b"", b"", b"") == status


def test_language_models_are_let_in_where_they_are_asked_for():
    assert knock(Door(welcome, visitors=Visitors(0), mcp=True), "/gradio_api/mcp/sse") == 200


def test_a_body_that_is_too_large_is_refused_by_its_head_and_cut_off_where_that_lies():
    door = Door(welcome, visitors=Visitors(0))
    path = "/gradio_api/queue/join"
    assert knock(door, path, "POST", content_length=str(BODY_BYTES + 1)) == 413
    assert knock(door, path, "POST", content_length="many") == 413
    assert knock(door, path, "POST", bytes(BODY_BYTES), b"1", b"") == 400


def test_too_many_requests_are_refused_with_the_seconds_to_wait():
    door = Door(welcome, visitors=Visitors(1))
    path = "/gradio_api/call/find_lookalikes"
    assert [knock(door, path, "POST", b"", b"", b"") for _ in range(2)] == [200, 429]
    assert knock(door, "/") == 200


def test_a_failure_is_logged_without_its_words(caplog: pytest.LogCaptureFixture):
    knock(Door(welcome, visitors=Visitors(0)), "/gradio_api/reset", "POST", bytes(BODY_BYTES), b"1")
    assert "ConnectionError" in caplog.text and "secret" not in caplog.text


def test_only_pictures_and_uploads_are_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    inside = tmp_path / ("a" * 64)
    inside.mkdir()
    (inside / "me.png").write_bytes(b"photo")
    (inside / "link.png").symlink_to("/etc/passwd")
    (tmp_path / "tmp123").write_bytes(b"half")
    door = Door(welcome, visitors=Visitors(0))
    statuses = {
        f"{inside}/me.png": 200,
        f"{inside}/link.png": 404,
        f"{inside}/../{inside.name}/me.png": 404,
        f"{inside}": 404,
        f"{tmp_path}/tmp123": 404,
        f"{inside}/no.png": 404,
        f"{inside}/a\0b": 404,
        "me.png": 404,
    }
    for path, status in statuses.items():
        assert knock(door, f"/gradio_api/file={path}") == status, path


def test_the_upload_folder_is_private_and_goes_with_the_server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    with upload_folder() as folder:
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder) and folder.stat().st_mode & 0o077 == 0
    assert not folder.exists() and "GRADIO_TEMP_DIR" not in os.environ


def test_what_lies_about_is_swept_up(tmp_path: Path):
    old, empty = tmp_path / "aa", tmp_path / "bb"
    for folder in (old, empty):
        folder.mkdir()
    (old / "photo.jpg").write_bytes(b"photo")
    (tmp_path / "tmpx").write_bytes(b"half")
    sweep(tmp_path, 60)
    assert (old / "photo.jpg").exists() and (tmp_path / "tmpx").exists() and empty.exists()
    os.utime(empty, (1, 1))
    sweep(tmp_path, -1)
    assert [path.name for path in tmp_path.rglob("*")] == ["aa"]  # it was not empty until just now
    os.utime(old, (1, 1))
    sweep(tmp_path, -1)
    assert not list(tmp_path.iterdir())


def test_answers_that_nobody_fetches_are_forgotten():
    answers = Answers()
    answers["gone"] = answers["here"] = 1
    answers._looked["gone"] -= 100
    assert answers.forget(60) == ["gone"] and list(answers) == ["here"] and answers["here"] == 1


def test_an_upload_whose_question_waits_is_kept(tmp_path: Path):
    waiting, others = tmp_path / "waiting.png", tmp_path / "others.png"
    for file in (waiting, others):
        file.write_bytes(b"photo")
        os.utime(file, (1, 1))
    data = [{"path": str(waiting)}, {"path": 5}, {"path": str(others)}, None, "x"]
    event = SimpleNamespace(data=SimpleNamespace(data=data))
    line = SimpleNamespace(queue=[event, SimpleNamespace(data=None)])
    keep_waiting(SimpleNamespace(event_queue_per_concurrency_id={"model": line}), {str(waiting)})
    assert waiting.stat().st_mtime > 1 and others.stat().st_mtime == 1
