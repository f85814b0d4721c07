"""ASGI middleware in front of gradio: an allowlist of routes, sizes of requests, and a rate limit.

Gradio serves much that this page does not need: it fetches web addresses for callers, stores sessions as
links and edits videos. A route that is not listed below gets status 404.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl

from lookalike.images import MAX_BYTES
from lookalike.space.gradio_internals import upload_root
from lookalike.space.messages import UNREADABLE_REQUEST
from lookalike.space.middleware.asgi import App, Message, Receive, Scope, Send, headers_of, refuse
from lookalike.space.middleware.failures import Seldom, place_of
from lookalike.space.middleware.json_bodies import TOO_LARGE, max_bytes
from lookalike.space.middleware.json_check import NAME as NAME_PATTERN
from lookalike.space.middleware.rate_limit import RateLimit

log = logging.getLogger(__name__)
log.addFilter(Seldom())

UPLOAD_BYTES = MAX_BYTES + 100_000  # the largest photo and its multipart form
UPLOAD_SECONDS = 30.0  # without a byte of an upload; then it is given up
QUERY_BYTES = 2_000  # of an address after its question mark
API = "/gradio_api"
NAME = NAME_PATTERN.pattern
ENDPOINT = "(v2/)?(find_lookalikes|compare)"
GET_ROUTES = re.compile(
    r"/|/config/?|/theme\.css|/manifest\.json|/favicon\.ico|/pwa_icon/(192|512)|/robots\.txt|"
    rf"/(assets|static|svelte)/.+|"
    rf"{API}/(info/?|openapi\.json|app_id/?|startup-events|theme\.css|queue/data|upload_progress|user/?|"
    rf"login_check/?|token/?|heartbeat/{NAME}|call/{ENDPOINT}/{NAME}|file=.+)"
)
POST_ROUTES = re.compile(
    rf"{API}/(upload|queue/join|cancel|reset/?|stream/{NAME}(/close)?|call/{ENDPOINT}/?)"
)
FRAMES = re.compile(rf"{API}/stream/{NAME}")  # ten a second while a camera runs
NAMED = ("session_hash", "upload_id")  # parameters under which gradio keeps something
UPLOAD = f"{API}/upload"
MCP_ROUTES = re.compile(rf"{API}/mcp(/.*)?")
STORED_FILE = re.compile(r"[0-9a-f]{64}/[^/\\\0]+")  # hash and name, below gradio's folder

NOT_FOUND = "There is nothing here."
TOO_MANY = "Too many requests; wait {seconds} seconds and try again."


class RequestFilter:
    """ASGI middleware that passes a request on to `app`, or refuses it with a status and a sentence.

    `rate_limit` counts each visitor's POST requests, `frame_limit` those of cameras; `mcp` allows the routes
    for language models too.
    """

    def __init__(
        self, app: App, *, rate_limit: RateLimit, frame_limit: RateLimit | None = None, mcp: bool = False
    ) -> None:
        self._app, self._mcp = app, mcp
        self._rate_limit, self._frame_limit = rate_limit, frame_limit or RateLimit(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif refusal := self._refusal(scope, headers_of(scope)):
            await refuse(send, *refusal)
        else:
            await self._pass_on(scope, receive, _Started(send))

    async def _pass_on(self, scope: Scope, receive: Receive, send: _Started) -> None:
        if scope["path"] == UPLOAD:
            receive = _limited_upload(receive)
        try:
            await self._app(_own_query(scope), receive, send)
        except Exception as error:  # the message may quote the visitor, so it is not logged
            log.warning("a request failed: %s", place_of(error))
            if not send.started:
                await refuse(send, 400, UNREADABLE_REQUEST)
            elif send.is_stream:  # such as the answers of a session that is forgotten
                await send({"type": "http.response.body", "body": b""})

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Return the status and the sentence that refuse a request, None if it is allowed."""
        path, method = scope["path"], scope["method"]
        if not self._is_allowed(method, path):
            return 404, NOT_FOUND
        if not _is_plain_query(scope["query_string"]):
            return 400, UNREADABLE_REQUEST
        if method != "POST":
            return None
        length = headers.get("content-length", "0")
        limit = UPLOAD_BYTES if path == UPLOAD else max_bytes(path)
        if not length.isdecimal() or len(length) > 12 or int(length) > limit:
            return 413, TOO_LARGE
        counter = self._frame_limit if FRAMES.fullmatch(path) else self._rate_limit
        seconds = counter.seconds_to_wait(scope["visitor"])
        return (429, TOO_MANY.format(seconds=seconds)) if seconds else None

    def _is_allowed(self, method: str, path: str) -> bool:
        if self._mcp and MCP_ROUTES.fullmatch(path):
            return True
        if method == "OPTIONS":
            return bool(GET_ROUTES.fullmatch(path) or POST_ROUTES.fullmatch(path))
        if method == "POST":
            return bool(POST_ROUTES.fullmatch(path))
        return method in ("GET", "HEAD") and bool(GET_ROUTES.fullmatch(path)) and _is_public_file(path)


def _is_public_file(path: str) -> bool:
    """Return False for a path that names a file other than an upload or a picture of the page."""
    _, marker, name = path.partition("/file=")
    if not marker:
        return True
    folder = upload_root()
    try:
        inside = Path(name).relative_to(folder).as_posix()
        real = Path(name).resolve(strict=True)
    except (ValueError, OSError, RuntimeError):  # elsewhere, missing, a null character, circular links
        return False
    return bool(STORED_FILE.fullmatch(inside)) and real == folder.resolve() / inside and real.is_file()


def _is_plain_query(query: bytes) -> bool:
    """Return whether the address is short, and its names have the form that gradio's clients give them."""
    if len(query) > QUERY_BYTES:
        return False
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return all(NAME_PATTERN.fullmatch(value) for name, value in pairs if name in NAMED)


def _own_query(scope: Scope) -> Scope:
    """Return the request without gradio's parameter for stored sessions, which this page does not have.

    `/info` is asked for by page: gradio would keep the whole one, with the host that the first asker named.
    """
    kept = [pair for pair in scope["query_string"].split(b"&") if not pair.startswith(b"deep_link")]
    if scope["path"].rstrip("/") == f"{API}/info":
        kept = [pair for pair in kept if not pair.startswith((b"all_endpoints", b"page"))] + [b"page="]
    return {**scope, "query_string": b"&".join(filter(None, kept))}


def _limited_upload(receive: Receive) -> Receive:
    """Return a `receive` that disconnects if an upload is too slow, or too large whatever its header says."""
    read, whole = 0, False

    async def counting() -> Message:
        nonlocal read, whole
        try:
            async with asyncio.timeout(None if whole else UPLOAD_SECONDS):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        read += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        return message if read <= UPLOAD_BYTES else {"type": "http.disconnect"}

    return counting


class _Started:
    """A `send` that knows whether the answer has begun, and whether it is one without a stated length."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = self.is_stream = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.is_stream = True, "content-length" not in headers_of(message)
        await self._send(message)
