"""What the server does beside its visitors: delete what nobody came back for, on disk and in memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Set
from pathlib import Path
from typing import Any

import anyio.to_thread
from gradio.utils import LRUCache

from lookalike.space.middleware.uploads import FOLDER, sweep

OFTEN = 10.0  # seconds between two rounds
AGE = 30.0  # seconds a file may be old: uploads are read within a few, pictures are fetched at once
UNREAD_SECONDS = 60.0  # that an answer waits for its visitor, who is gone after this
UNREAD_SESSIONS = 1000  # with answers that wait; more than can be in the queue and on their way


class Answers(LRUCache[str, Any]):  # type: ignore[misc]  # gradio has no types here
    """Gradio's answers by session, with the time when each session was last looked at.

    A browser that waits looks every few seconds; what nobody asks for would stay in memory, photos and all.
    """

    def __init__(self) -> None:
        super().__init__(UNREAD_SESSIONS)
        self._looked: dict[str, float] = {}

    def __getitem__(self, session: str) -> Any:
        answers = super().__getitem__(session)
        self._looked[session] = time.monotonic()
        return answers

    def __setitem__(self, session: str, answers: Any) -> None:
        super().__setitem__(session, answers)
        self._looked[session] = time.monotonic()

    def forget(self, age: float) -> list[str]:
        """Drop the sessions that nobody has looked at for `age` seconds, and return them."""
        now = time.monotonic()
        gone = [session for session, looked in self._looked.items() if now - looked > age]
        for session in gone:
            self.pop(session, None)
            del self._looked[session]
        return gone


def keep_waiting(queue: Any, uploads: Set[str]) -> None:
    """Make the uploads new again whose question waits in gradio's queue, so that they are not deleted."""
    for line in queue.event_queue_per_concurrency_id.values():
        for event in line.queue:
            sent = [each for each in (event.data.data if event.data else ()) if isinstance(each, dict)]
            for path in uploads & {each["path"] for each in sent if isinstance(each.get("path"), str)}:
                with contextlib.suppress(OSError):  # read and deleted just now
                    os.utime(path)


@contextlib.asynccontextmanager
async def upkeep(app: Any) -> AsyncIterator[None]:
    """Delete what nobody came back for, every few seconds as long as the server runs."""
    task = asyncio.create_task(_rounds(app))
    try:
        yield
    finally:
        task.cancel()


async def _rounds(app: Any) -> None:
    while True:
        await asyncio.sleep(OFTEN)
        queue = app.get_blocks()._queue
        for session in queue.pending_messages_per_session.forget(UNREAD_SECONDS):
            queue.pending_event_ids_session.pop(session, None)
        keep_waiting(queue, app.get_blocks().upload_file_set)
        if folder := os.environ.get(FOLDER):  # else it is one that other pages on this machine use too
            await anyio.to_thread.run_sync(sweep, Path(folder), AGE)
