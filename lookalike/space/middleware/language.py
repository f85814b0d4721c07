"""ASGI middleware that notes the language of each request, and opens the page in it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from lookalike.space.labels import GRADIO_LANGUAGES
from lookalike.space.middleware.address import url_of
from lookalike.space.middleware.asgi import App, Message, Receive, Scope, Send, headers_of
from lookalike.space.middleware.link_preview import with_preview
from lookalike.space.texts import LANGUAGE, RIGHT_TO_LEFT, language_of, texts_of

HEAD = b"<head>"
LANG = b'lang="en"'  # in gradio's <html>


class Language:
    """Sets LANGUAGE for a request. The page itself gets its direction, and our scripts their texts.

    Gradio asks `navigator.language` for the language, so that is set to the one that was chosen.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        named = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])
        accepted = headers_of(scope).get("accept-language", "*")
        language = language_of(named[0], accepted)
        LANGUAGE.set("" if accepted == "*" else language)  # only browsers say what they want
        if scope["path"] == "/" and scope["method"] == "GET":
            url = url_of(headers_of(scope), scope.get("root_path") or "")
            send = _Page(send, language, url)
        await self._app(scope, receive, send)


def opening(language: str) -> bytes:
    """Return the script that runs before gradio's own ones."""
    texts = json.dumps(texts_of(language, "script_")).replace("<", "\\u003c")
    name = GRADIO_LANGUAGES.get(language, language)
    return (
        f'<script>window.pageLanguage = "{language}";\nwindow.pageTexts = {texts};\n'
        f'Object.defineProperty(navigator, "language", {{value: "{name}", configurable: true}});</script>'
    ).encode()


def language_of_call(function: Any, request: Any) -> str:
    """Return the language in which gradio calls a function of the page, "" for an endpoint for scripts."""
    if request is None or getattr(function, "api_visibility", "public") == "public":
        return ""
    return language_of(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))


class _Page:
    """A `send` that writes language, direction, link preview and script into the HTML, once it is whole."""

    def __init__(self, send: Send, language: str, url: str) -> None:
        self._send, self._language, self._url = send, language, url
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> Any:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        direction = b"rtl" if self._language in RIGHT_TO_LEFT else b"ltr"
        attributes = b'lang="%s" dir="%s"' % (self._language.encode(), direction)
        body = with_preview(self._body, self._url, self._language)
        body = body.replace(LANG, attributes, 1).replace(HEAD, HEAD + opening(self._language), 1)
        kept = [pair for pair in self._start["headers"] if pair[0].lower() != b"content-length"]
        headers = [*kept, (b"content-length", b"%d" % len(body)), (b"vary", b"accept-language")]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
