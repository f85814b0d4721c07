"""Regular work beside the requests: delete what nobody fetched, close idle connections, watch the queue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread

from lookalike.space.gradio_internals import page_of
from lookalike.space.middleware.connections import LimitedConnection, log_seldom
from lookalike.space.middleware.failures import place_of
from lookalike.space.middleware.uploads import TEMP_DIR_VARIABLE, delete_old_files

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0  # between two looks at the queue and the connections
CLEANUP_SECONDS = 10.0  # between two rounds of deleting files
MAX_FILE_AGE = 30.0  # seconds: uploads are read within a few, pictures are fetched at once
MAX_ANSWER_AGE = 60.0  # seconds that an answer waits for a visitor, who has left by then


@contextlib.asynccontextmanager
async def run_cleanup(app: Any) -> AsyncIterator[None]:
    """Clean up every few seconds while the server runs: the lifespan of its application."""
    log_seldom(asyncio.get_running_loop())
    tasks = [asyncio.create_task(work(app)) for work in (_check_forever, _clean_up_forever)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def _check_forever(app: Any) -> None:
    """Close idle connections, and start the queue again if a fault has stopped it."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        with _logged():
            LimitedConnection.close_idle()
            page_of(app).restart_after_fault()
            page_of(app).give_back_places(MAX_ANSWER_AGE)


async def _clean_up_forever(app: Any) -> None:
    while True:
        await asyncio.sleep(CLEANUP_SECONDS)
        with _logged():
            page = page_of(app)
            renew(page.queued_files() & page.upload_file_set)
            if folder := os.environ.get(TEMP_DIR_VARIABLE):  # gradio's default folder is shared
                await anyio.to_thread.run_sync(delete_old_files, Path(folder), MAX_FILE_AGE)


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """Log an error and go on: the next round may succeed."""
    try:
        yield
    except Exception as error:
        log.error("a round of cleaning up failed: %s", place_of(error))


def renew(files: Iterable[str]) -> None:
    """Set the time stamp of files to now, so that uploads of waiting requests are not deleted."""
    for file in files:
        with contextlib.suppress(OSError):  # read and deleted meanwhile
            os.utime(file)
