"""Delete regularly what nobody fetched: files on disk and answers in memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import anyio.to_thread

from lookalike.space.gradio_internals import page_of
from lookalike.space.middleware.uploads import TEMP_DIR_VARIABLE, delete_old_files

CLEANUP_SECONDS = 10.0  # between two rounds
MAX_FILE_AGE = 30.0  # seconds: uploads are read within a few, pictures are fetched at once
MAX_ANSWER_AGE = 60.0  # seconds that an answer waits for a visitor, who has left by then


@contextlib.asynccontextmanager
async def run_cleanup(app: Any) -> AsyncIterator[None]:
    """Clean up every few seconds while the server runs: the lifespan of its application."""
    task = asyncio.create_task(_clean_up_forever(app))
    try:
        yield
    finally:
        task.cancel()


async def _clean_up_forever(app: Any) -> None:
    while True:
        await asyncio.sleep(CLEANUP_SECONDS)
        page = page_of(app)
        page.drop_unread_answers(MAX_ANSWER_AGE)
        renew(page.queued_files() & page.upload_file_set)
        if folder := os.environ.get(TEMP_DIR_VARIABLE):  # gradio's default folder is shared with other pages
            await anyio.to_thread.run_sync(delete_old_files, Path(folder), MAX_FILE_AGE)


def renew(files: Iterable[str]) -> None:
    """Set the time stamp of files to now, so that uploads of waiting requests are not deleted."""
    for file in files:
        with contextlib.suppress(OSError):  # read and deleted meanwhile
            os.utime(file)
