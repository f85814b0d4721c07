"""Serving until told to stop: whoever is being answered gets the answer, then the process goes."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import gradio as gr

log = logging.getLogger(__name__)

GRACE = 15.0  # seconds for those who wait: a full queue takes 7
FETCH = (
    8.0  # seconds for answers to be fetched; with closing, all is over before 30, when containers are killed
)
LOOK = 0.05  # seconds between looks at who still waits: less than an answer takes


def serve_until_stopped(page: gr.Blocks, options: dict[str, Any]) -> None:
    """Launch the page and return when SIGTERM or Ctrl-C came and everybody has their answer.

    Nobody new is let in meanwhile; cameras, which would go on for minutes, are not waited for.
    """
    stop = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    try:
        page.launch(**options, prevent_thread_lock=True)
        stop.wait()
    except KeyboardInterrupt:
        pass
    except ValueError as error:  # gradio asks the page for its first word, and gives it three seconds
        raise OSError(
            f"The page does not answer on this machine, which may be too busy; start again. ({error})"
        ) from error
    finally:
        signal.signal(signal.SIGTERM, before)
    log.warning("stopping; whoever waits is answered first")
    finish(page, grace=GRACE)
    page.close(verbose=False)


def finish(page: gr.Blocks, *, grace: float) -> None:
    """Let nobody new into the queue, and wait until all in it have their answer, `grace` seconds at most."""
    queue = page._queue  # gradio has no other way to ask who waits
    queue.max_size = 0
    wait_until(
        lambda: len(queue) == 0 and not any(job and not job[0].streaming for job in queue.active_jobs), grace
    )
    wait_until(lambda: not any(queue.pending_event_ids_session.values()), FETCH)


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    """Return when `done` is true, or after this many seconds."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(LOOK)
