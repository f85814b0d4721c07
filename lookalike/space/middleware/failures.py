"""What the log says of an error, and how often: visitors cause these lines, and the text may quote them."""

from __future__ import annotations

import logging
import time
import traceback

LOG_SECONDS = 60.0  # between two lines with the same text


def place_of(error: BaseException) -> str:
    """Return the kind of an error and the line that raised it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}, {place.filename}:{place.lineno}"


class Seldom(logging.Filter):
    """A filter that lets a message pass once in LOG_SECONDS: visitors cause these lines."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now, text = time.monotonic(), record.getMessage()
        if now - self._last.get(text, -LOG_SECONDS) < LOG_SECONDS:
            return False
        if len(self._last) > 100:  # texts that a visitor made
            self._last.clear()
        self._last[text] = now
        return True
