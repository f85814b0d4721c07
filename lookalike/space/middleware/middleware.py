"""The door in front of gradio: only what the page and its endpoints need is let in, and nobody too often.

Gradio serves much that this page has no use for: it fetches addresses for callers, stores a session's state
as a link, edits videos, prints what it was asked for. What is not on the list below gets a 404 here.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from lookalike.images import MAX_BYTES
from lookalike.space.middleware.rate_limit import Visitors, address_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger(__name__)

UPLOAD_BYTES = MAX_BYTES + 100_000  # the largest photo, and the form around it
BODY_BYTES = (
    28_000_000  # a phone's 48-megapixel JPEG as base64; larger photos are uploaded, which takes no memory
)
API = "/gradio_api"
NAME = r"[A-Za-z0-9_-]{1,64}"
ENDPOINT = "(v2/)?(find_lookalikes|compare)"
READ = re.compile(
    r"/|/config/?|/theme\.css|/manifest\.json|/favicon\.ico|/robots\.txt|/(assets|static|svelte)/.+|"
    rf"{API}/(info/?|openapi\.json|app_id/?|startup-events|theme\.css|queue/data|upload_progress|user/?|"
    rf"login_check/?|token/?|heartbeat/{NAME}|call/{ENDPOINT}/{NAME}|file=.+)"
)
WRITTEN = re.compile(rf"{API}/(upload|queue/join|cancel|reset/?|stream/{NAME}(/close)?|call/{ENDPOINT}/?)")
COUNTED = re.compile(rf"{API}/(upload|queue/join|call/.+|mcp.*)")  # what makes the server work
MCP = re.compile(rf"{API}/mcp(/.*)?")
FILE = re.compile(r"[0-9a-f]{64}/[^/\\\0]+")  # below the folder: what it is named after, and its name

HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
NOT_HERE = "There is nothing here."
TOO_LARGE = (
    f"That is too large; a photo may have {MAX_BYTES / 1e6:.0f} MB as an upload, 20 MB as a data: URL."
)
TOO_OFTEN = "Too many requests; wait {seconds} seconds and try again."
UNREADABLE = "The request could not be read; send what the page's API description lists."


class Door:
    """An ASGI application in front of another: what is let in, how large, and how often from one visitor.

    `visitors` says who has come too often; `mcp` whether language models are answered too.
    """

    def __init__(self, app: App, *, visitors: Visitors, mcp: bool = False) -> None:
        self._app, self._visitors, self._mcp = app, visitors, mcp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await self._answer(scope, receive, _Answer(send))

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        if refusal := self._refusal(scope, headers):
            return await answer.refuse(*refusal)
        try:
            await self._app(_without_deep_link(scope), _counted(receive, _limit(scope["path"])), answer)
        except Exception as error:  # gradio's own, over what somebody sent: that is not to stand in the log
            place = traceback.extract_tb(error.__traceback__)[-1]
            log.warning("a request failed: %s, %s:%s", type(error).__name__, place.filename, place.lineno)
            if not answer.started:
                await answer.refuse(400, UNREADABLE)

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Return with which status and sentence a request is refused, None where it is let in."""
        path, method = scope["path"], scope["method"]
        if not self._is_known(method, path):
            return 404, NOT_HERE
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _limit(path):
            return 413, TOO_LARGE
        if method != "POST" or not COUNTED.fullmatch(path):
            return None
        seconds = self._visitors.seconds_to_wait(address_of(scope.get("client"), headers))
        return (429, TOO_OFTEN.format(seconds=seconds)) if seconds else None

    def _is_known(self, method: str, path: str) -> bool:
        if self._mcp and MCP.fullmatch(path):
            return True
        if method == "OPTIONS":
            return bool(READ.fullmatch(path) or WRITTEN.fullmatch(path))
        if method == "POST":
            return bool(WRITTEN.fullmatch(path))
        return method in ("GET", "HEAD") and bool(READ.fullmatch(path)) and _is_ours(path)


def _is_ours(path: str) -> bool:
    """Return whether a file that is asked for is an upload or a picture of ours; other paths are no files."""
    _, marker, name = path.partition("/file=")
    if not marker:
        return True
    folder = Path(get_upload_folder())
    try:
        inside = Path(name).relative_to(folder).as_posix()
        real = Path(name).resolve(strict=True)
    except (ValueError, OSError, RuntimeError):  # elsewhere, not there, a null character, links in a circle
        return False
    return bool(FILE.fullmatch(inside)) and real == folder.resolve() / inside and real.is_file()


def _without_deep_link(scope: Scope) -> Scope:
    """Return the request without gradio's parameter for stored sessions, of which there are none."""
    kept = [pair for pair in scope["query_string"].split(b"&") if not pair.startswith(b"deep_link")]
    return {**scope, "query_string": b"&".join(kept)}


def _limit(path: str) -> int:
    return UPLOAD_BYTES if path == f"{API}/upload" else BODY_BYTES


def _counted(receive: Receive, limit: int) -> Receive:
    """Return a reader of the request that breaks off where the body is too large, whatever its head said."""
    read = 0

    async def counting() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        return message if read <= limit else {"type": "http.disconnect"}

    return counting


class _Answer:
    """A writer that tells browsers not to guess what a file is, nor to tell others of this page."""

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
