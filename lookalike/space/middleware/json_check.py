"""Check a JSON body before anything parses it: its depth, its number of values, and its long strings.

Python needs fifty times the size of a body of nested lists. A photo is one string, which costs its own size.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_STRING = 20_000  # bytes; a longer string must be a photo
MAX_SHORT_BYTES = 200_000  # of all but the photos
MAX_VALUES = 2_000
MAX_DEPTH = 16  # a photo's own description is four deep
MAX_PHOTOS = 2  # to compare
PHOTO = "data:photo"  # stands for a long string in what `checked_json` returns
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # of sessions, events and uploads
MAX_NUMBER = 10**9


def checked_json(body: bytes) -> Any:
    """Return the body's value, where PHOTO stands for each string of more than MAX_STRING bytes.

    Raises ValueError if the body is no JSON, too deep, or has too many values or other long strings.
    """
    if b"\0" in body:  # the encodings UTF-16 and UTF-32, which would hide quotation marks
        raise ValueError("not UTF-8")
    short, outside = _without_photos(body)
    _check_structure(outside)
    try:
        return json.loads(short)
    except RecursionError as error:  # never: the depth is known
        raise ValueError("too deep") from error


def _without_photos(body: bytes) -> tuple[bytes, bytes]:
    """Return the body with PHOTO for long strings, and what is outside of all strings."""
    short, outside, photos, start, size = [], [], 0, 0, 0
    while (quote := body.find(b'"', start)) >= 0:
        end = _end_of_string(body, quote)
        outside.append(body[start:quote])
        if end - quote <= MAX_STRING:
            short.append(body[start : end + 1])
        else:
            photos += 1
            if photos > MAX_PHOTOS or not body.startswith(b"data:", quote + 1):
                raise ValueError("long strings")
            short.append(body[start:quote] + f'"{PHOTO}"'.encode())
        start, size = end + 1, size + len(short[-1])
        if size > MAX_SHORT_BYTES or len(short) > MAX_VALUES:
            raise ValueError("too long")
    if size + len(body) - start > MAX_SHORT_BYTES:
        raise ValueError("too long")
    return b"".join([*short, body[start:]]), b" ".join([*outside, body[start:]])


def _end_of_string(body: bytes, quote: int) -> int:
    """Return the place of the quotation mark that ends the string which begins at `quote`."""
    end = quote
    while (end := body.find(b'"', end + 1)) >= 0:
        backslashes = 0
        while body[end - 1 - backslashes] == ord("\\") and backslashes < MAX_STRING:
            backslashes += 1
        if backslashes % 2 == 0:
            return end
        if end - quote > MAX_STRING:
            raise ValueError("a long string with quotation marks")
    raise ValueError("a string without end")


def _check_structure(outside: bytes) -> None:
    if outside.count(b",") + outside.count(b"[") + outside.count(b"{") > MAX_VALUES:
        raise ValueError("too many values")
    depth = 0
    for mark in re.findall(rb"[\[\]{}]", outside):
        depth += 1 if mark in b"[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError("too deep")


def check_request(value: Any, *, needs_session: bool) -> None:
    """Raise ValueError if a request to gradio is not of the form that its clients send.

    Names of sessions and events are NAMEs, numbers of callbacks are small, and a photo is the `url` of an
    input, or of the event's value, which is how a camera sends its first frame.
    """
    if not isinstance(value, dict):
        raise ValueError("no object")
    for key in ("session_hash", "event_id"):
        name = value.get(key)
        if (name is not None or (needs_session and key == "session_hash")) and not _is_name(name):
            raise ValueError(key)
    for key in ("fn_index", "trigger_id"):
        number = value.get(key)
        if number is not None and not (type(number) is int and abs(number) < MAX_NUMBER):
            raise ValueError(key)
    inputs = value.get("data", [])
    if not isinstance(inputs, list):
        raise ValueError("data")
    rest = {key: each for key, each in value.items() if key != "data"}
    event = rest.get("event_data")
    if isinstance(event, dict) and "value" in event:
        rest |= {"event_data": {**event, "value": None}, "event": event["value"]}
    for each in [*inputs, *rest.values()]:
        is_photo = isinstance(each, dict) and each.get("url") == PHOTO
        if _has_photo({**each, "url": None} if is_photo else each):
            raise ValueError("a photo in a wrong place")


def _is_name(name: object) -> bool:
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def _has_photo(value: Any) -> bool:
    if isinstance(value, dict):
        return PHOTO in value or any(map(_has_photo, value.values()))
    return any(map(_has_photo, value)) if isinstance(value, list) else value == PHOTO
