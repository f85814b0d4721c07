"""Stop a build on a signal: it writes what is done, and ends."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
STOP_SECONDS = 10.0  # to write what is done; a read from a lost network can block the process for minutes
HOW_TO_RESUME = "What was done so far is kept; the same command goes on from there."


class StopSignal(KeyboardInterrupt):
    """A signal asked the build to stop; `code` is the exit code of the process."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = exit_code(number)


def exit_code(number: int) -> int:
    """Return the exit code that shells give to a process that a signal ended."""
    return 128 + number


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise StopSignal in the block on SIGTERM, and on SIGHUP, which a closed terminal sends.

    If the block has not ended STOP_SECONDS later, the process exits; files on disk are whole at any time. A
    signal that was ignored before, as by nohup, stays ignored.
    """

    def stop(number: int, frame: object) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # a second signal would interrupt the writing
        raise StopSignal(number)

    handled = [number for number in STOP_SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in handled}
    over = threading.Event()
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    earlier = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_exit_if_blocked, args=(receiver, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(earlier)
        sender.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit_if_blocked(receiver: socket.socket, over: threading.Event) -> None:
    """End the process STOP_SECONDS after a signal: Python's own handlers run only in the main thread, which
    may be blocked.
    """
    with receiver:
        number = next((byte for byte in iter(lambda: receiver.recv(1), b"") if byte[0] in STOP_SIGNALS), None)
    if number is not None and not over.wait(STOP_SECONDS):
        print(f"Stopped. {HOW_TO_RESUME}", file=sys.stderr, flush=True)
        os._exit(exit_code(number[0]))
