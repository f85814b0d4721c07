"""A build that is asked to stop: it writes what is done, and goes."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOPS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
PATIENCE = 10.0  # seconds to write what is done; a read from a lost network can hold the process for minutes
GO_ON = "What was done so far is kept; the same command goes on from there."


class Stop(KeyboardInterrupt):
    """A signal asked the build to stop; `code` is what the process then returns."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = exit_code(number)


def exit_code(number: int) -> int:
    """Return the code of a process that a signal ended, as shells say it."""
    return 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that was closed, stop what is done inside as Ctrl-C does.

    Where it has not stopped after PATIENCE seconds the process ends: what is on disk is whole at any time. A
    signal that is ignored, as by nohup, stays so.
    """

    def stop(number: int, frame: object) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # once is enough: a second would cut the writing short
        raise Stop(number)

    heard = [number for number in STOPS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    over = threading.Event()
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)
    earlier = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_insist, args=(ear, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(earlier)
        mouth.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def _insist(ear: socket.socket, over: threading.Event) -> None:
    """End the process some time after a signal. Python's own handlers wait for what holds the main thread."""
    with ear:
        number = next((byte for byte in iter(lambda: ear.recv(1), b"") if byte[0] in STOPS), None)
    if number is not None and not over.wait(PATIENCE):
        print(f"Stopped. {GO_ON}", file=sys.stderr, flush=True)
        os._exit(exit_code(number[0]))
