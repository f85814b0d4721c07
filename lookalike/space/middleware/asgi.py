"""The types of ASGI, and an answer that refuses a request with a sentence."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from lookalike.space.messages import for_visitor

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def refuse(send: Send, status: int, sentence: str) -> None:
    """Answer with a status and a sentence, a visitor's in their language, as JSON."""
    body = json.dumps({"detail": for_visitor(sentence)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def headers_of(scope: Scope) -> dict[str, str]:
    """Return a request's headers by their lower-case names."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
