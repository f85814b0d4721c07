"""ASGI middleware that serves the pictures which docs/make_pictures.py drew: people, icon, link preview."""

from __future__ import annotations

from pathlib import Path

from lookalike.space.middleware.asgi import App, Receive, Scope, Send

DRAWN = Path(__file__).parents[1] / "drawn"
PREFIX = "/drawn/"
TYPES = {".jpg": b"image/jpeg", ".png": b"image/png"}
CACHE = (b"cache-control", b"public, max-age=86400")


class Pictures:
    """Answers GET and HEAD of /drawn/NAME with the file of that name, from memory."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._files = {
            f"{PREFIX}{file.name}": (file.read_bytes(), TYPES[file.suffix]) for file in DRAWN.iterdir()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self._files.get(scope.get("path", "")) if scope["type"] == "http" else None
        if file is None or scope["method"] not in ("GET", "HEAD"):
            return await self._app(scope, receive, send)
        content, kind = file
        length = (b"content-length", str(len(content)).encode())
        headers = [(b"content-type", kind), length, CACHE]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
