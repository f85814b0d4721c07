"""A page that answers malformed requests with a sentence, deletes uploads and stores no photo."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

import gradio as gr

from lookalike.space.gradio_internals.components import Image
from lookalike.space.gradio_internals.mcp import ask_for_data_urls
from lookalike.space.gradio_internals.queue import PageQueue
from lookalike.space.messages import OUTDATED_PAGE, UNREADABLE_REQUEST, user_error
from lookalike.space.middleware.decoders import JOB, Job
from lookalike.space.middleware.failures import Seldom, place_of
from lookalike.space.middleware.json_check import MAX_STRING
from lookalike.space.middleware.language import language_of_call
from lookalike.space.middleware.rate_limit import visitor_of
from lookalike.space.middleware.uploads import Uploads
from lookalike.space.texts import LANGUAGE

log = logging.getLogger(__name__)
log.addFilter(Seldom())

FAILED = "Something went wrong; reload the page and try again."
UPLOADS = 500  # whose progress is known at a time


def current_page() -> PrivateBlocks | None:
    """Return the page whose callback runs now."""
    page = gr.context.LocalContext.blocks.get(None)
    return page if isinstance(page, PrivateBlocks) else None


def page_of(app: Any) -> PrivateBlocks:
    """Return the page that a running application serves."""
    return app.get_blocks()


class PrivateBlocks(gr.Blocks):  # type: ignore[misc]
    """A page that answers malformed requests with a sentence, deletes uploads and stores no photo."""

    def __init__(self, *, title: str, delete_cache: tuple[int, int]) -> None:
        super().__init__(title=title, delete_cache=delete_cache, analytics_enabled=False)
        self.upload_file_set = Uploads()
        self.temp_file_sets = [self.upload_file_set]

    def queue(self, *, api_open: bool | None = None, max_size: int | None = None) -> PrivateBlocks:
        """Set up the queue as gr.Blocks does; `max_size` photos may wait, and a few cameras beside them."""
        super().queue(api_open=api_open, max_size=max_size)
        # Gradio deletes uploads alone; the components' sets hold whatever path a request names.
        self.temp_file_sets = [self.upload_file_set]
        made = self._queue
        self._queue: PageQueue = PageQueue(
            live_updates=made.live_updates,
            concurrency_count=made.max_thread_count,
            update_intervals=made.update_intervals,
            max_size=max_size,
            blocks=self,
            default_concurrency_limit=made.default_concurrency_limit,
        )
        return self

    def launch(self, *args: Any, **options: Any) -> Any:
        """Launch as gr.Blocks does; language models, if they are served, are asked for photos as data."""
        launched = super().launch(*args, **options)
        if self.mcp_server_obj:
            ask_for_data_urls(self.mcp_server_obj)
        return launched

    async def process_api(self, *args: Any, **options: Any) -> Any:
        """Answer a request. One that is cancelled keeps its place until its photo is no longer being read."""
        request = options.get("request")
        LANGUAGE.set(language_of_call(args[0] if args else options["block_fn"], request))
        job = Job(visitor_of(request.client, request.headers) if request else "")
        JOB.set(job)
        work, started = asyncio.ensure_future(super().process_api(*args, **options)), time.monotonic()
        try:
            return await asyncio.shield(work)
        except gr.Error:
            raise
        except Exception as error:  # gradio would print the whole traceback, for every request
            log.error("a request failed: %s", place_of(error))
            raise user_error(FAILED) from None
        except asyncio.CancelledError:
            job.stop()
            while not work.done():
                with suppress(asyncio.CancelledError, Exception):
                    await asyncio.shield(work)
            raise
        finally:
            self._queue.note_seconds(job.visitor, time.monotonic() - started)

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        """Read a request's inputs; trailing ones that are missing get their default.

        Raises gr.Error with our sentence: a script would get gradio's own errors without their reason.
        """
        inputs = [*inputs, *(block.value for block in block_fn.inputs[len(inputs) :])]
        try:
            _refuse_misplaced_photos(block_fn.inputs, inputs)
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except gr.Error as error:
            if not error.print_exception:
                raise
            raise user_error(OUTDATED_PAGE) from None  # gradio's own error would log the request's values
        except Exception as error:  # only the caller's data is read here, and it may be anything
            log.info("unreadable request: %s", type(error).__name__)  # the message may quote the caller
            raise user_error(UNREADABLE_REQUEST) from None
        finally:
            _forget(block_fn.inputs, state)

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Write an answer's outputs."""
        try:
            return await super().postprocess_data(block_fn, predictions, state)
        finally:
            _forget(block_fn.outputs, state)

    def refuse_new_requests(self) -> None:
        """Close the queue to new requests; those in it are still answered."""
        self._queue.max_size = 0

    def is_working(self) -> bool:
        """Return whether a request waits or runs; camera streams, which last minutes, do not count."""
        jobs = self._queue.active_jobs
        return len(self._queue) > 0 or any(job and not job[0].streaming for job in jobs)

    def has_unread_answers(self) -> bool:
        """Return whether a browser or script has not fetched its answer yet."""
        return any(self._queue.pending_event_ids_session.values())

    def is_healthy(self) -> bool:
        """Return whether the queue is being worked."""
        return self._queue.is_healthy()

    def restart_after_fault(self) -> None:
        """Start working the queue again if a fault has ended that."""
        self._queue.restart_after_fault()

    def give_back_places(self, answer_seconds: float) -> None:
        """End requests that nobody reads; drop answers that nobody fetched for `answer_seconds`."""
        self._queue.give_back_places(answer_seconds)
        progress = gr.routes.file_upload_statuses
        for kept in (progress._statuses, progress._signals):  # gradio forgets only uploads that are watched
            while len(kept) > UPLOADS:
                del kept[next(iter(kept))]

    def reading(self, name: str) -> AbstractContextManager[None]:
        """Count a reader of a session's or event's answers, for as long as the block runs."""
        return self._queue.readers.reading(name)

    def queued_files(self) -> set[str]:
        """Return the paths that the waiting requests name; a request may name any path."""
        events = [
            event for line in self._queue.event_queue_per_concurrency_id.values() for event in line.queue
        ]
        values = [value for event in events if event.data for value in event.data.data]
        paths = [value.get("path") for value in values if isinstance(value, dict)]
        return {path for path in paths if isinstance(path, str)}


def _refuse_misplaced_photos(blocks: Sequence[Any], inputs: Sequence[Any]) -> None:
    """Raise ValueError for a long address that is no photo's: gradio would keep it as the session's value."""
    for block, value in zip(blocks, inputs, strict=False):
        url = value.get("url") if isinstance(value, dict) else None
        if isinstance(url, str) and len(url) > MAX_STRING and not isinstance(block, Image):
            raise ValueError("a photo in a wrong place")


def _forget(blocks: Sequence[Any], state: Any) -> None:
    """Delete photos from gradio's memory of a session, which lasts an hour after the visitor has left."""
    for block in blocks:
        if state is not None and getattr(block, "shows_face", False):
            state._update_value_in_config(block._id, None)
