"""Who reads answers at present, and since when nobody does."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Readers:
    """Counts the readers of each name, which is a session's or an event's."""

    def __init__(self) -> None:
        self._readers: Counter[str] = Counter()
        self._left: dict[str, float] = {}  # when the last reader of a name left

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Count a reader for as long as the block runs."""
        self._readers[name] += 1
        try:
            yield
        finally:
            self._readers[name] -= 1
            self._left[name] = time.monotonic()
            if not self._readers[name]:
                del self._readers[name]

    def unread_seconds(self, names: tuple[str, str], since: float) -> float:
        """Return for how long nobody has read these names, at most since `since`; 0 while somebody does."""
        if any(self._readers[name] for name in names):
            return 0.0
        return time.monotonic() - max(since, *(self._left.get(name, 0.0) for name in names))

    def has(self, name: str) -> bool:
        """Return whether somebody reads this name's answers, or did so since `forget` last forgot readers."""
        return self._readers[name] > 0 or name in self._left

    def forget(self, seconds: float) -> None:
        """Forget readers who left more than `seconds` ago."""
        now = time.monotonic()
        self._left = {name: left for name, left in self._left.items() if now - left < seconds}
