"""A build that is asked to stop: it writes what is done, and goes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

STOPS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stop(KeyboardInterrupt):
    """A signal asked the build to stop; `code` is what the process then returns."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = 128 + number  # as shells say it


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that was closed, stop what is done inside as Ctrl-C does.

    A signal that is ignored, as by nohup, stays so.
    """

    def stop(number: int, frame: object) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # once is enough: a second would cut the writing short
        raise Stop(number)

    heard = [number for number in STOPS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
