"""ASGI middleware in front of gradio: an allowlist of routes, size limits, a rate limit, and headers.

Gradio serves much that this page does not need: it fetches web addresses for callers, stores sessions as
links and edits videos. A route that is not listed below gets status 404.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from lookalike.images import MAX_BYTES
from lookalike.space.gradio_internals import upload_root
from lookalike.space.messages import UNREADABLE_REQUEST
from lookalike.space.middleware.rate_limit import RateLimit, visitor_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger(__name__)

UPLOAD_BYTES = MAX_BYTES + 100_000  # the largest photo and its multipart form
# A phone's 48-megapixel JPEG as base64. Larger photos can be uploaded, which takes no memory.
BODY_BYTES = 28_000_000
API = "/gradio_api"
NAME = r"[A-Za-z0-9_-]{1,64}"
ENDPOINT = "(v2/)?(find_lookalikes|compare)"
GET_ROUTES = re.compile(
    r"/|/config/?|/theme\.css|/manifest\.json|/favicon\.ico|/robots\.txt|/(assets|static|svelte)/.+|"
    rf"{API}/(info/?|openapi\.json|app_id/?|startup-events|theme\.css|queue/data|upload_progress|user/?|"
    rf"login_check/?|token/?|heartbeat/{NAME}|call/{ENDPOINT}/{NAME}|file=.+)"
)
POST_ROUTES = re.compile(
    rf"{API}/(upload|queue/join|cancel|reset/?|stream/{NAME}(/close)?|call/{ENDPOINT}/?)"
)
LIMITED_ROUTES = re.compile(rf"{API}/(upload|queue/join|call/.+|mcp.*)")  # those that cost computing time
MCP_ROUTES = re.compile(rf"{API}/mcp(/.*)?")
STORED_FILE = re.compile(r"[0-9a-f]{64}/[^/\\\0]+")  # hash and name, below gradio's folder

HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
NOT_FOUND = "There is nothing here."
TOO_LARGE = (
    f"The request is too large; a photo may have {MAX_BYTES / 1e6:.0f} MB as an upload, 20 MB as a data: URL."
)
TOO_MANY = "Too many requests; wait {seconds} seconds and try again."


class RequestFilter:
    """ASGI middleware that passes a request on to `app`, or refuses it with a status and a sentence.

    `rate_limit` counts the requests of each visitor; `mcp` allows the routes for language models too.
    """

    def __init__(self, app: App, *, rate_limit: RateLimit, mcp: bool = False) -> None:
        self._app, self._rate_limit, self._mcp = app, rate_limit, mcp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await self._filter(scope, receive, _Response(send))

    async def _filter(self, scope: Scope, receive: Receive, response: _Response) -> None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        if refusal := self._refusal(scope, headers):
            return await response.refuse(*refusal)
        try:
            await self._app(_without_deep_link(scope), _limited(receive, _max_bytes(scope["path"])), response)
        except Exception as error:  # the message may quote the visitor, so it is not logged
            place = traceback.extract_tb(error.__traceback__)[-1]
            log.warning("a request failed: %s, %s:%s", type(error).__name__, place.filename, place.lineno)
            if not response.started:
                await response.refuse(400, UNREADABLE_REQUEST)

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Return the status and the sentence that refuse a request, None if it is allowed."""
        path, method = scope["path"], scope["method"]
        if not self._is_allowed(method, path):
            return 404, NOT_FOUND
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _max_bytes(path):
            return 413, TOO_LARGE
        if method != "POST" or not LIMITED_ROUTES.fullmatch(path):
            return None
        seconds = self._rate_limit.seconds_to_wait(visitor_of(scope.get("client"), headers))
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


def _without_deep_link(scope: Scope) -> Scope:
    """Return the request without gradio's parameter for stored sessions, which this page does not have."""
    kept = [pair for pair in scope["query_string"].split(b"&") if not pair.startswith(b"deep_link")]
    return {**scope, "query_string": b"&".join(kept)}


def _max_bytes(path: str) -> int:
    return UPLOAD_BYTES if path == f"{API}/upload" else BODY_BYTES


def _limited(receive: Receive, limit: int) -> Receive:
    """Return a `receive` that disconnects if the body is larger than `limit`, whatever its header says."""
    read = 0

    async def counting() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        return message if read <= limit else {"type": "http.disconnect"}

    return counting


class _Response:
    """A `send` that adds security headers: no guessing of file types, no referrer for other sites."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
        await self._send(message)

    async def refuse(self, status: int, sentence: str) -> None:
        body = json.dumps({"detail": sentence}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": body})
