"""When the next request may be sent: at an even rate, and not before the server wants it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lookalike.errors import WikimediaError


class Pace:
    """Spreads requests evenly over time, and holds all of them back if the server asks for it."""

    def __init__(self, per_minute: float) -> None:
        self._interval = 60 / per_minute
        self._next = 0.0
        self._lock, self._stop = threading.Lock(), threading.Event()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def wait(self) -> None:
        """Wait until the next request may be sent; raise WikimediaError when stopped."""
        while True:
            with self._lock:
                left = self._next - time.monotonic()
                if left <= 0:
                    self._next = time.monotonic() + self._interval
            if self._stop.wait(max(0.0, left)):
                raise WikimediaError("The requests to Wikimedia were stopped.")
            if left <= 0:
                return

    def hold(self, seconds: float) -> None:
        """Send nothing for so many seconds."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def stop(self) -> None:
        self._stop.set()


def retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks to wait, a number or a date; None without one."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header.strip()[:9])
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):  # OverflowError: a year or a time zone of too many digits
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
