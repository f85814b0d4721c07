"""ASGI middleware that reads JSON bodies within limits of size and time, and checks them for gradio."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from lookalike.space.messages import UNREADABLE_REQUEST
from lookalike.space.middleware.asgi import App, Message, Receive, Scope, Send, headers_of, refuse
from lookalike.space.middleware.json_check import check_request, checked_json
from lookalike.space.middleware.shares import Shares

# A phone's 48-megapixel JPEG as base64. Larger photos can be uploaded, which takes no memory.
PHOTO_BYTES = 28_000_000
FRAME_BYTES = 4_000_000  # a camera's picture of full HD has a tenth
OTHER_BYTES = 4_000  # two names and a number
BYTES_AT_ONCE = 160_000_000  # of bodies being read and parsed; gradio needs about four times that
BODY_SECONDS = 60.0  # for a whole body; a slower network can upload the photo instead
LIMITS = (  # by route; a route that is not here has OTHER_BYTES
    (re.compile(r"/gradio_api/(queue/join|call/.+|mcp(/.*)?)"), PHOTO_BYTES),
    (re.compile(r"/gradio_api/stream/[^/]+"), FRAME_BYTES),
)
UPLOAD = "/gradio_api/upload"
TOO_LARGE = (
    "The request is too large; a photo may have 40 MB as an upload, 20 MB as a data: URL, "
    "and the rest some kilobytes."
)
TOO_SLOW = f"The request took more than {BODY_SECONDS:.0f} seconds to arrive; upload the photo instead."
BUSY = "Too many large requests at once; try again in a minute, or upload the photo."


class JsonBodies:
    """Passes a POST request on when its whole body has arrived and is of the form that gradio's clients send.

    The body's size is in `scope["body_bytes"]` then. Uploads are passed on as they come.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._bytes = Shares(BYTES_AT_ONCE, least=PHOTO_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] == UPLOAD:
            return await self._app(scope, receive, send)
        body = _Body(self._bytes, scope["visitor"], max_bytes(scope["path"]))
        try:
            await body.read(receive)
            _check(scope, bytes(body.data))
        except _RefusedError as refused:
            return await refuse(send, refused.status, refused.sentence)
        except ValueError:
            return await refuse(send, 400, UNREADABLE_REQUEST)
        else:
            whole, body.data = bytes(body.data), bytearray()
            await self._app({**scope, "body_bytes": len(whole)}, _replay(whole, receive), _Terse(send))
        finally:
            body.give_back()


def max_bytes(path: str) -> int:
    """Return how many bytes a JSON body may have on a route."""
    return next((limit for route, limit in LIMITS if route.fullmatch(path)), OTHER_BYTES)


def _check(scope: Scope, body: bytes) -> None:
    path = scope["path"]
    if path.endswith("/close"):  # has no body
        return
    if "json" not in headers_of(scope).get("content-type", ""):
        raise ValueError("not JSON")  # gradio would answer with the body
    value = checked_json(body)
    if "/mcp" not in path:
        check_request(value, needs_session=path.endswith(("/queue/join", "/cancel")))


class _RefusedError(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class _Body:
    """A body that is being read; its bytes count as the visitor's until `give_back`."""

    def __init__(self, shares: Shares, visitor: str, limit: int) -> None:
        self._shares, self._visitor, self._limit = shares, visitor, limit
        self._taken = 0
        self.data = bytearray()

    async def read(self, receive: Receive) -> None:
        try:
            await asyncio.wait_for(self._read(receive), BODY_SECONDS)
        except TimeoutError:
            raise _RefusedError(408, TOO_SLOW) from None

    async def _read(self, receive: Receive) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError("left")
            chunk, more = message.get("body", b""), message.get("more_body", False)
            if len(self.data) + len(chunk) > self._limit:
                raise _RefusedError(413, TOO_LARGE)
            if chunk and not self._shares.take(self._visitor, len(chunk)):
                raise _RefusedError(503, BUSY)
            self._taken += len(chunk)
            self.data += chunk

    def give_back(self) -> None:
        if self._taken:
            self._shares.give_back(self._visitor, self._taken)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that has the whole body at once, and then what the server has to say."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay


class _Terse:
    """A `send` that answers status 422 with our sentence; gradio's answer repeats the request."""

    def __init__(self, send: Send) -> None:
        self._send, self._replaced = send, False

    async def __call__(self, message: Message) -> Any:
        if message["type"] == "http.response.start" and message["status"] == 422:
            self._replaced = True
            return await refuse(self._send, 422, UNREADABLE_REQUEST)
        if not self._replaced:
            await self._send(message)
