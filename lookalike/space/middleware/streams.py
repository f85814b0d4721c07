"""ASGI middleware for answers that last: who reads them, and how many each visitor has."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from lookalike.space.gradio_internals import page_of
from lookalike.space.middleware.asgi import App, Receive, Scope, Send, refuse
from lookalike.space.middleware.shares import Shares, is_stream

STREAMS = 300  # open at a time; a page has one, and one more while it waits for an answer
FEWEST_STREAMS = 4
TOO_MANY = "Too many open pages or answers from your address; close some."
EVENT = re.compile(r"/gradio_api/call/.+/(?P<name>[A-Za-z0-9_-]+)")


class Streams:
    """Limits the streams of each visitor, and tells the page's queue whose answers are being read."""

    def __init__(self, app: App) -> None:
        self._app, self._shares = app, Shares(STREAMS, least=FEWEST_STREAMS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_stream(scope):
            return await self._app(scope, receive, send)
        with self._shares.hold(scope["visitor"]) as allowed:
            if not allowed:
                return await refuse(send, 429, TOO_MANY)
            with page_of(scope["app"]).reading(_name(scope)):
                await self._app(scope, receive, send)


def _name(scope: Scope) -> str:
    """Return the session or event whose answers a request reads, or an empty string."""
    if event := EVENT.fullmatch(scope["path"]):
        return event["name"]
    return parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
