"""ASGI middleware that limits the bytes of each visitor's uploads that are on the disk."""

from __future__ import annotations

import asyncio

from lookalike.space.middleware.asgi import App, Message, Receive, Scope, Send
from lookalike.space.middleware.cleanup import CLEANUP_SECONDS, MAX_FILE_AGE
from lookalike.space.middleware.request_filter import UPLOAD, UPLOAD_BYTES
from lookalike.space.middleware.shares import Shares

BYTES_ON_DISK = 2_000_000_000  # of the 50 GB of a free Space; uploads that nobody asks about stay 40 seconds


class UploadShares:
    """Counts an upload as its visitor's until it is deleted; an upload beyond the share is cut off."""

    def __init__(self, app: App) -> None:
        self._app, self._shares = app, Shares(BYTES_ON_DISK, least=UPLOAD_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != UPLOAD:
            return await self._app(scope, receive, send)
        visitor, taken = scope["visitor"], 0

        async def counting() -> Message:
            nonlocal taken
            message = await receive()
            size = len(message.get("body", b""))
            if size and not self._shares.take(visitor, size):
                return {"type": "http.disconnect"}
            taken += size
            return message

        try:
            await self._app(scope, counting, send)
        finally:
            if taken:
                loop = asyncio.get_running_loop()
                loop.call_later(MAX_FILE_AGE + CLEANUP_SECONDS, self._shares.give_back, visitor, taken)
