"""Serve until told to stop, then answer the requests that wait before the process ends."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from lookalike.space.gradio_internals import PrivateBlocks
from lookalike.space.middleware.connections import limit_connections

log = logging.getLogger(__name__)

ANSWER_SECONDS = 15.0  # to answer the requests that wait; a full queue takes 7
FETCH_SECONDS = 8.0  # to fetch the answers; all is over before 30 seconds, when containers are killed
SAME_SECONDS = 1.0  # a terminal and a program around this one may both pass on one Ctrl-C
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
POLL_SECONDS = 0.05  # shorter than an answer takes


def serve_until_stopped(page: PrivateBlocks, options: dict[str, Any]) -> None:
    """Launch the page; return when a signal to stop came and every waiting request has its answer.

    New requests are refused meanwhile. Camera streams, which last minutes, are cut off. A second signal stops
    at once. Raises OSError if the port of the options cannot be used; gradio takes no other then.
    """
    with Stop() as stop:
        try:
            page.launch(**options, quiet=True, prevent_thread_lock=True)
        except OSError as error:
            raise OSError(
                f"Port {options.get('server_port')} cannot be used; another program may have it. Stop that "
                "program, or set GRADIO_SERVER_PORT to another number."
            ) from error
        except ValueError as error:  # gradio requests the page once and waits three seconds for it
            raise OSError(
                f"The page does not answer on this machine, which may be too busy; start again. ({error})"
            ) from error
        print(f"The page is at {page.local_url}", flush=True)
        limit_connections(page.server.config)
        stop.wait()
        log.warning("stopping; waiting requests are answered first")
        answer_waiting_requests(page, stop)
        page.close(verbose=False)


class Stop:
    """Notes SIGTERM, SIGHUP and Ctrl-C for as long as the block runs, instead of ending the process."""

    def __init__(self) -> None:
        self._first = 0.0
        self._wanted, self._at_once = threading.Event(), threading.Event()

    def __enter__(self) -> Stop:
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """After an error restore what was before; otherwise the process ends now, undisturbed by signals."""
        for number, handler in self._before.items():
            signal.signal(number, handler if error else signal.SIG_IGN)

    def _note(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if not self._wanted.is_set():
            self._first = now
        elif now - self._first > SAME_SECONDS:
            self._at_once.set()
        self._wanted.set()

    def wait(self) -> None:
        """Return when the first signal came."""
        self._wanted.wait()

    @property
    def at_once(self) -> bool:
        """Whether a second signal came."""
        return self._at_once.is_set()


def answer_waiting_requests(page: PrivateBlocks, stop: Stop) -> None:
    """Refuse new requests, and wait until all others are answered and fetched, or a second signal comes."""
    page.refuse_new_requests()
    wait_until(lambda: stop.at_once or not page.is_working(), ANSWER_SECONDS)
    wait_until(lambda: stop.at_once or not page.has_unread_answers(), FETCH_SECONDS)


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    """Return when `done` returns true, or after this many seconds."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
