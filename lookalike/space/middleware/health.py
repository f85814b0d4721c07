"""ASGI middleware for the address /healthz, which says whether the page answers requests."""

from __future__ import annotations

from lookalike.space.gradio_internals import page_of
from lookalike.space.middleware.asgi import App, Receive, Scope, Send, refuse

PATH = "/healthz"
WORKING, STOPPED = "The page answers requests.", "The page answers no requests at present."


class Health:
    """Answers /healthz with status 200 while the queue of requests is worked, else with 503."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            return await self._app(scope, receive, send)
        working = page_of(scope["app"]).is_healthy()
        await refuse(send, 200 if working else 503, WORKING if working else STOPPED)
