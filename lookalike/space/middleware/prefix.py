"""ASGI middleware for proxies that keep the prefix: /stars/config where GRADIO_ROOT_PATH is /stars."""

from __future__ import annotations

from urllib.parse import urlsplit

from lookalike.space.middleware.asgi import App, Receive, Scope, Send


class Prefix:
    """Removes the prefix from the path of a request, so that proxies may pass it on or not."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix = urlsplit(scope.get("root_path") or "").path.rstrip("/")  # it may be a whole address
        path = scope.get("path", "")
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            path = path.removeprefix(prefix) or "/"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
