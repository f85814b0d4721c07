"""ASGI middleware that adds security headers to every answer."""

from __future__ import annotations

from lookalike.space.middleware.asgi import App, Message, Receive, Scope, Send

# Gradio's page needs inline scripts, and evaluates the callbacks that run in the browser. Everything comes
# from this server; pictures also from data: URLs. Spaces are shown in a frame of Hugging Face's.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; worker-src 'self' blob:; "
    "connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self' https://huggingface.co https://*.hf.space"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)
NOT_STORED = (b"cache-control", b"no-store")
# The page has no accounts, so other origins may read its answers but never use a visitor's cookies.
REMOVED = b"access-control-allow-credentials"


class SecurityHeaders:
    """Adds HEADERS, and Cache-Control where gradio sets none, which it does for its own files."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() != REMOVED]
                if b"cache-control" not in {name.lower() for name, _ in kept} and not _is_static(scope):
                    kept.append(NOT_STORED)
                message = {**message, "headers": [*kept, *HEADERS]}
            await send(message)

        await self._app(scope, receive, with_headers)


def _is_static(scope: Scope) -> bool:
    return scope["path"].startswith(("/assets/", "/static/", "/svelte/"))
