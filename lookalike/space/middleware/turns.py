"""ASGI middleware that answers a visitor's requests for pages in turns: each takes time."""

from __future__ import annotations

import asyncio
import re

from lookalike.space.middleware.asgi import App, Receive, Scope, Send

AT_ONCE = 2  # for each visitor; a browser asks for one page
PAGES = re.compile(r"/|/config/?|/gradio_api/(info/?|openapi\.json)")


class Turns:
    """Lets AT_ONCE requests of a visitor for PAGES run; the others wait for their turn."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._turns: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}  # by visitor, with those who came

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not PAGES.fullmatch(scope["path"]):
            return await self._app(scope, receive, send)
        visitor = scope["visitor"]
        turn, present = self._turns.setdefault(visitor, (asyncio.Semaphore(AT_ONCE), []))
        present.append(None)
        try:
            async with turn:
                await self._app(scope, receive, send)
        finally:
            present.pop()
            if not present:
                del self._turns[visitor]
