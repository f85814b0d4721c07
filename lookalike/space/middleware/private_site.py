"""ASGI middleware that serves the static site below /private/, with a security policy of its own."""

from __future__ import annotations

from pathlib import PurePosixPath

import anyio.to_thread

from lookalike.space.middleware.asgi import App, Receive, Scope, Send
from lookalike.space.private_files import PrivateFiles

PREFIX = "/private/"
TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".mjs": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".webmanifest": b"application/manifest+json",
}
HEADERS = (
    # what the site itself may load and send is in its index.html; this says who may show it in a frame
    (b"content-security-policy", b"frame-ancestors 'self' https://huggingface.co https://*.hf.space"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)


class PrivateSite:
    """Answers GET and HEAD of /private/NAME from `files`; None serves no site."""

    def __init__(self, app: App, files: PrivateFiles | None) -> None:
        self._app, self._files = app, files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_asked = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and path.startswith(PREFIX)
        if self._files is None or not is_asked:
            return await self._app(scope, receive, send)
        name = path.removeprefix(PREFIX) or "index.html"
        content = (await anyio.to_thread.run_sync(self._files.get)).get(name)
        if content is None:
            return await self._app(scope, receive, send)
        kind = (b"content-type", TYPES.get(PurePosixPath(name).suffix, b"application/octet-stream"))
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [kind, length, *HEADERS]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
