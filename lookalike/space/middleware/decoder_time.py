"""How much time of the decoders each visitor may take."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from lookalike.errors import ImageError

SECONDS = 9.0  # of CPU time in hand: for one photo of the slowest kind, and an ordinary one beside it
SECONDS_BACK = 0.2  # a second: what a visitor may take for ever, of the two cores of a free Space
FREE_SECONDS = 0.1  # of every photo; an ordinary one takes 0.03
LEAST_SECONDS = 1.0  # for a photo; a visitor with less in hand has to wait
MAX_VISITORS = 10_000
WAIT = "Photos from your address took too long to read; wait {seconds} seconds, or save them as plain JPEGs."


class DecoderTime:
    """A bucket of CPU seconds for each visitor, which fills up again slowly; safe for several threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # seconds in hand, and when

    def take(self, visitor: str, seconds: float) -> float:
        """Take at most `seconds` and return how many; raise ImageError if the visitor has to wait.

        No visitor ("") is the page itself, which always gets them.
        """
        if not visitor:
            return seconds
        with self._lock:
            left, now = self._in_hand(visitor)
            if left < min(LEAST_SECONDS, seconds):
                wait = math.ceil((LEAST_SECONDS - left) / SECONDS_BACK)
                raise ImageError(WAIT.format(seconds=wait))
            taken = min(left, seconds)
            self._left[visitor] = (left - taken, now)
            while len(self._left) > MAX_VISITORS:
                self._left.popitem(last=False)
            return taken

    def give_back(self, visitor: str, seconds: float) -> None:
        """Give back what a photo did not take."""
        if not visitor:
            return
        with self._lock:
            left, now = self._in_hand(visitor)
            left += max(0.0, seconds) + FREE_SECONDS
            if left < SECONDS:
                self._left[visitor] = (left, now)

    def _in_hand(self, visitor: str) -> tuple[float, float]:
        now = self._clock()
        left, then = self._left.pop(visitor, (SECONDS, now))
        return min(SECONDS, left + (now - then) * SECONDS_BACK), now
