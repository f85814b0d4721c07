"""The middleware: request filter, rate limit, decoders and cleanup."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import ImageError
from lookalike.space.middleware import request_filter
from lookalike.space.middleware.cleanup import renew
from lookalike.space.middleware.decoders import BROKEN, SLOW, Decoders
from lookalike.space.middleware.rate_limit import MAX_VISITORS, MINUTE, RateLimit, visitor_of
from lookalike.space.middleware.request_filter import UPLOAD_BYTES, RequestFilter
from lookalike.space.middleware.uploads import LOCK, delete_old_files, private_upload_folder


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


def test_a_decoder_returns_the_pixels_and_the_errors_of_read_image(decoders: Decoders):
    image = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
    assert np.array_equal(decoders.read(encoded(image)), image)
    for broken, sentence in ((b"", "empty"), (b"hello", "not a photo"), (encoded(image)[:90], "not a photo")):
        with pytest.raises(ImageError, match=sentence):
            decoders.read(broken)
    assert np.array_equal(decoders.read(encoded(image)), image)


def test_a_photo_that_takes_too_long_is_refused_and_the_next_one_is_read():
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


def test_a_visitor_with_too_many_requests_waits_and_others_do_not():
    now = [0.0]
    limit = RateLimit(2, clock=lambda: now[0])
    assert [limit.seconds_to_wait("a") for _ in range(3)] == [0, 0, 30]
    assert limit.seconds_to_wait("b") == 0
    now[0] = 30.0
    assert [limit.seconds_to_wait("a") for _ in range(2)] == [0, 30]
    assert [RateLimit(0).seconds_to_wait("a") for _ in range(1000)] == [0] * 1000


def test_visitors_are_forgotten_after_a_minute_and_when_there_are_too_many():
    now = [0.0]
    limit = RateLimit(2, clock=lambda: now[0])
    for number in range(MAX_VISITORS + 10):
        limit.seconds_to_wait(str(number))
    assert len(limit._left) == MAX_VISITORS
    now[0] = MINUTE + 1
    limit.seconds_to_wait("new")
    assert list(limit._left) == ["new"]


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
def test_a_visitor_is_identified_by_the_address_that_the_proxy_saw(peer: str, forwarded: str, visitor: str):
    assert visitor_of((peer, 1234), {"x-forwarded-for": forwarded}) == visitor


def status_of(
    middleware: RequestFilter,
    path: str,
    method: str = "GET",
    *parts: bytes,
    query: bytes = b"deep_link=x&a=b",
    **headers: str,
) -> int:
    """Return the status with which the middleware answers a request."""
    scope = {
        "type": "http",
        "path": path,
        "method": method,
        "query_string": query,
        "client": ("8.8.8.8", 1),
        "visitor": "8.8.8.8",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    bodies = iter(parts or (b"",))
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(bodies), "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    asyncio.run(middleware(scope, receive, send))
    return statuses[0]


async def inner_app(scope: Any, receive: Any, send: Any) -> None:
    assert scope["query_string"] in (b"a=b", b"a=b&page=")
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
def test_only_needed_routes_are_allowed(method: str, path: str, status: int):
    middleware = RequestFilter(inner_app, rate_limit=RateLimit(0))
    assert status_of(middleware, path, method, b"", b"", b"") == status


def test_the_routes_of_language_models_are_allowed_on_request():
    assert (
        status_of(RequestFilter(inner_app, rate_limit=RateLimit(0), mcp=True), "/gradio_api/mcp/sse") == 200
    )


def test_a_body_that_is_too_large_is_refused_even_if_its_header_lies():
    middleware = RequestFilter(inner_app, rate_limit=RateLimit(0))
    path = "/gradio_api/upload"
    assert status_of(middleware, path, "POST", content_length=str(UPLOAD_BYTES + 1)) == 413
    assert status_of(middleware, path, "POST", content_length="many") == 413
    assert status_of(middleware, path, "POST", bytes(UPLOAD_BYTES), b"1", b"") == 400
    assert status_of(middleware, "/gradio_api/reset", "POST", content_length="5000") == 413


def test_names_of_sessions_and_uploads_have_a_form():
    middleware = RequestFilter(inner_app, rate_limit=RateLimit(0))
    for query in (b"upload_id=", b"session_hash=a/b", b"session_hash=" + b"x" * 65, b"a=" + b"x" * 3000):
        assert status_of(middleware, "/gradio_api/queue/data", query=query) == 400


def test_too_many_requests_are_refused_with_the_seconds_to_wait():
    middleware = RequestFilter(inner_app, rate_limit=RateLimit(1))
    path = "/gradio_api/call/find_lookalikes"
    assert [status_of(middleware, path, "POST", b"", b"", b"") for _ in range(2)] == [200, 429]
    assert status_of(middleware, "/") == 200


def test_a_failure_is_logged_without_its_message(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(request_filter.log, "filters", [])
    status_of(
        RequestFilter(inner_app, rate_limit=RateLimit(0)),
        "/gradio_api/upload",
        "POST",
        bytes(UPLOAD_BYTES),
        b"1",
    )
    assert "ConnectionError" in caplog.text and "secret" not in caplog.text


def test_a_stream_that_fails_on_the_way_ends_as_a_whole_answer():
    sent: list[dict[str, Any]] = []

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data", "more_body": True})
        raise RuntimeError("the session is gone")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/", "method": "GET", "query_string": b"", "headers": [], "visitor": ""}
    asyncio.run(RequestFilter(failing, rate_limit=RateLimit(0))(scope, None, send))
    assert not sent[-1].get("more_body") and sent[-2]["body"] == b"data"


def test_only_pictures_and_uploads_are_served_as_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    inside = tmp_path / ("a" * 64)
    inside.mkdir()
    (inside / "me.png").write_bytes(b"photo")
    (inside / "link.png").symlink_to("/etc/passwd")
    (tmp_path / "tmp123").write_bytes(b"half")
    middleware = RequestFilter(inner_app, rate_limit=RateLimit(0))
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
        assert status_of(middleware, f"/gradio_api/file={path}") == status, path


def test_the_upload_folder_is_private_and_deleted_with_the_server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    with private_upload_folder() as folder:
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder) and folder.stat().st_mode & 0o077 == 0
    assert not folder.exists() and "GRADIO_TEMP_DIR" not in os.environ


def test_only_folders_of_pages_that_were_killed_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    killed, other = tmp_path / "lookalike-uploads-1", tmp_path / "lookalike-uploads-2"
    for folder in (killed, other):
        folder.mkdir()
        (folder / "photo.jpg").write_bytes(b"photo")
    (killed / LOCK).touch()
    (tmp_path / "mine.jpg").write_bytes(b"photo")
    with private_upload_folder() as running:
        assert not killed.exists() and os.environ["GRADIO_TEMP_DIR"] == str(running)
        with private_upload_folder() as second:
            assert running.exists() and second.parent == running
        delete_old_files(running, -1)
        assert (running / LOCK).exists()
    assert sorted(path.name for path in tmp_path.rglob("*.jpg")) == ["mine.jpg", "photo.jpg"]


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="Windows")
def test_the_folder_of_another_user_s_page_does_not_keep_this_one_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "shared"))
    theirs = tmp_path / "shared" / "lookalike-uploads-1"
    theirs.mkdir(mode=0, parents=True)
    theirs.parent.chmod(0o777)
    user = os.geteuid()
    for folder in theirs.parents[:-1] if user == 0 else ():  # root may read every folder
        folder.chmod(folder.stat().st_mode | 0o011)
    try:
        if user == 0:
            os.seteuid(65534)
        with private_upload_folder() as running:
            assert running.parent == theirs.parent
    finally:
        if user == 0:
            os.seteuid(0)
        theirs.chmod(0o700)
    assert theirs.exists()


def test_old_files_and_empty_folders_are_deleted(tmp_path: Path):
    old, empty = tmp_path / "aa", tmp_path / "bb"
    for folder in (old, empty):
        folder.mkdir()
    (old / "photo.jpg").write_bytes(b"photo")
    (tmp_path / "tmpx").write_bytes(b"half")
    delete_old_files(tmp_path, 60)
    assert (old / "photo.jpg").exists() and (tmp_path / "tmpx").exists() and empty.exists()
    os.utime(empty, (1, 1))
    delete_old_files(tmp_path, -1)
    assert [path.name for path in tmp_path.rglob("*")] == ["aa"]  # it was not empty until just now
    os.utime(old, (1, 1))
    delete_old_files(tmp_path, -1)
    assert not list(tmp_path.iterdir())


def test_files_get_a_new_time_stamp_and_missing_ones_are_ignored(tmp_path: Path):
    waiting = tmp_path / "waiting.png"
    waiting.write_bytes(b"photo")
    os.utime(waiting, (1, 1))
    renew([str(waiting), str(tmp_path / "gone.png")])
    assert waiting.stat().st_mtime > 1
