"""Serve until told to stop, then answer the requests that wait before the process ends."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from lookalike.space.gradio_internals import PrivateBlocks

log = logging.getLogger(__name__)

ANSWER_SECONDS = 15.0  # to answer the requests that wait; a full queue takes 7
FETCH_SECONDS = 8.0  # to fetch the answers; all is over before 30 seconds, when containers are killed
POLL_SECONDS = 0.05  # shorter than an answer takes


def serve_until_stopped(page: PrivateBlocks, options: dict[str, Any]) -> None:
    """Launch the page; return when SIGTERM or Ctrl-C came and every waiting request has its answer.

    New requests are refused meanwhile. Camera streams, which last minutes, are cut off.
    """
    stop = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    try:
        page.launch(**options, prevent_thread_lock=True)
        stop.wait()
    except KeyboardInterrupt:
        pass
    except ValueError as error:  # gradio requests the page once and waits three seconds for it
        raise OSError(
            f"The page does not answer on this machine, which may be too busy; start again. ({error})"
        ) from error
    finally:
        signal.signal(signal.SIGTERM, before)
    log.warning("stopping; waiting requests are answered first")
    answer_waiting_requests(page)
    page.close(verbose=False)


def answer_waiting_requests(page: PrivateBlocks) -> None:
    """Refuse new requests, and wait until all others are answered and their answers fetched."""
    page.refuse_new_requests()
    wait_until(lambda: not page.is_working(), ANSWER_SECONDS)
    wait_until(lambda: not page.has_unread_answers(), FETCH_SECONDS)


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    """Return when `done` returns true, or after this many seconds."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
