"""Gradio's queue with shares for each visitor, and a task that starts again after a fault."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter, OrderedDict, defaultdict
from typing import Any

import gradio as gr

from lookalike.space.messages import UNREADABLE_REQUEST, for_visitor
from lookalike.space.middleware.failures import place_of
from lookalike.space.middleware.rate_limit import MAX_VISITORS, visitor_of
from lookalike.space.middleware.readers import Readers
from lookalike.space.middleware.shares import within_share

log = logging.getLogger(__name__)

CAMERA_PLACES = 6  # two that run and four that wait, apart from the places for photos
FEWEST_CAMERAS = 2  # that a visitor may have: one runs, and one that the page has just left
FEWEST_PLACES = 2  # that a visitor may have in a line that is nearly full
ANSWERS = 200  # that are not read yet, of all visitors together; one may take 2 MB
FEWEST_ANSWERS = 10
WAITING_BYTES = 300_000_000  # of the requests that wait; gradio keeps each twice
FEWEST_BYTES = 28_000_000  # the largest request
CAMERA_READER_SECONDS = 10.0  # without a reader; then a camera's place is given back
SLOW_SECONDS = 2.0  # for a request; an ordinary one takes a third of a second
REMEMBERED_SECONDS = 60.0
SESSIONS = 200  # of a visitor, of the 500 that gradio remembers
READER_SECONDS = 30.0  # the same for a photo's place
REPEATED_SECONDS = 10.0  # two faults within that time: the cause may be a request that waits
FULL = "Queue is full. Max size is {size}; try again in a minute."
TOO_MANY = "Your address has as many requests waiting as it may have; wait for their answers first."
UNREAD = "Your address has as many answers that it has not fetched as it may have; fetch them first."
NO_ANSWER = "Something went wrong while your request waited; send it again."
TOO_LARGE = "Too many large photos are waiting; try again in a minute, or upload the photo."


class PageQueue(gr.queueing.Queue):  # type: ignore[misc]  # gradio has no types here
    """A queue that goes on whatever happens to one request, with a share of its places for each visitor."""

    def __init__(self, *, max_size: int | None, **options: Any) -> None:
        self.closing = False
        super().__init__(max_size=None if max_size is None else max_size + CAMERA_PLACES, **options)
        self._photo_places = math.inf if max_size is None else max_size
        self._worker: asyncio.Task[Any] | None = None
        self._restarted = -math.inf
        self._asked: dict[str, tuple[str, str, float]] = {}  # by event: its visitor, its session, and when
        self._sessions: defaultdict[str, OrderedDict[str, None]] = defaultdict(OrderedDict)
        self._slow: dict[str, float] = {}  # when a visitor's request took long
        self.readers = Readers()

    async def start_processing(self) -> None:
        """Work the queue, as gradio does; the task is remembered."""
        self._worker = asyncio.current_task()
        await super().start_processing()

    def close(self) -> None:
        """Stop for good."""
        self.closing = True
        super().close()

    @property
    def stopped(self) -> bool:
        """Whether the page is closed; gradio also sets this after a fault, and tells everybody who waits."""
        return self.closing

    @stopped.setter
    def stopped(self, value: bool) -> None:
        """Ignore gradio: only closing the page stops the queue."""

    def is_healthy(self) -> bool:
        """Return whether the task that works the queue is running."""
        return self._worker is not None and not self._worker.done() and not self.closing

    def restart_after_fault(self) -> None:
        """Start the task again if something ended it; what runs and what waits goes on."""
        if self.closing or self._worker is None or self.is_healthy():
            return
        log.error("the queue had stopped and is started again: %s", _cause(self._worker))
        now = time.monotonic()
        if now - self._restarted < REPEATED_SECONDS:
            self._fail_waiting()
        self._restarted = now
        self._worker = asyncio.create_task(self.start_processing())

    def _cancel_asyncio_tasks(self) -> None:
        """Cancel what runs only when the page is closed, not after a fault of the queue's own task."""
        if self.closing:
            super()._cancel_asyncio_tasks()

    def _fail_waiting(self) -> None:
        error = gr.server_messages.ProcessCompletedMessage
        for event in self._waiting():
            self.send_message(event, error(output={"error": for_visitor(NO_ANSWER)}, success=False))
            self.event_queue_per_concurrency_id[event.concurrency_id].queue.remove(event)
            self.event_ids_to_events.pop(event._id, None)

    def send_message(self, event: Any, event_message: Any) -> None:
        """Send a message to an event's session; without one, nobody waits for the event any more."""
        if event.session_hash in self.pending_messages_per_session:
            super().send_message(event, event_message)
        else:
            event.alive = False

    async def push(self, body: Any, request: Any, username: str | None) -> tuple[bool, Any, Any]:
        """Add an event, as gradio does, unless its visitor holds as much as one may."""
        function = self.blocks.fns.get(body.fn_index)
        if function is None or function.fn is None:  # it runs in the browser alone
            return False, UNREADABLE_REQUEST, "error"
        visitor, size = _visitor(request), request.scope.get("body_bytes", 0)
        if sentence := self._refusal(visitor, size, function.connection == "stream"):
            return False, for_visitor(sentence), "queue_full"
        pushed = await super().push(body=body, request=request, username=username)
        if pushed[0]:
            self._asked[pushed[1]] = (visitor, body.session_hash, time.monotonic())
            self._keep_sessions(visitor, body.session_hash)
        return pushed

    def _keep_sessions(self, visitor: str, session: str) -> None:
        """Remember a session; forget the visitor's oldest ones, so that others' stay."""
        sessions = self._sessions[visitor]
        sessions[session] = None
        sessions.move_to_end(session)
        while len(sessions) > SESSIONS:
            self.server_app.state_holder.session_data.pop(sessions.popitem(last=False)[0], None)
        while len(self._sessions) > MAX_VISITORS:
            del self._sessions[next(iter(self._sessions))]

    def _refusal(self, visitor: str, size: int, camera: bool) -> str | None:
        """Return a sentence if a visitor may not have one more place for a request of `size` bytes."""
        events = list(self.event_ids_to_events.values())
        held = [event for event in events if event.streaming is camera]
        places = CAMERA_PLACES if camera else self._photo_places
        if not camera:
            held = [event for event in held if event not in _running(self)]
        mine, free = sum(_visitor(event.request) == visitor for event in held), places - len(held)
        if free < 1 or self.max_size == 0:
            return FULL.format(size=places)
        if not within_share(mine, free, least=FEWEST_CAMERAS if camera else FEWEST_PLACES):
            return TOO_MANY
        unread = Counter(self._asked[event][0] for event in self._unread())
        if not within_share(unread[visitor], ANSWERS - unread.total(), least=FEWEST_ANSWERS):
            return UNREAD
        sizes = [(_visitor(event.request), event.request.scope.get("body_bytes", 0)) for event in events]
        free = WAITING_BYTES - sum(each for _, each in sizes)
        mine = sum(each for who, each in sizes if who == visitor)
        return None if within_share(mine, free, least=FEWEST_BYTES, more=size) else TOO_LARGE

    def get_events(self) -> Any:
        """Take the next event, first of those for whom the fewest run; a slow visitor's run one by one."""
        lines = [line for line in self.event_queue_per_concurrency_id.values() if line.queue]
        running = Counter(_visitor(event.request) for event in _running(self)) if lines else {}
        for line in lines:
            line.queue.sort(key=lambda event: (running[_visitor(event.request)], event.enqueue_time))
        first = [(line, line.queue, _visitor(line.queue[0].request)) for line in lines]
        held = [
            (line, queue) for line, queue, visitor in first if running[visitor] and self._is_slow(visitor)
        ]
        for line, _ in held:
            line.queue = []
        try:
            return super().get_events()
        finally:
            for line, queue in held:
                line.queue = queue

    def note_seconds(self, visitor: str, seconds: float) -> None:
        """Note how long a request took; a slow one limits this visitor to one at a time for a while."""
        if seconds > SLOW_SECONDS:
            self._slow[visitor] = time.monotonic()

    def _is_slow(self, visitor: str) -> bool:
        return time.monotonic() - self._slow.get(visitor, -math.inf) < REMEMBERED_SECONDS

    def give_back_places(self, answer_seconds: float) -> None:
        """Remove events whose reader is gone, and drop answers not fetched within `answer_seconds`."""
        for event in [*self._waiting(), *filter(lambda event: event.streaming, _running(self))]:
            limit = CAMERA_READER_SECONDS if event.streaming else READER_SECONDS
            if self._unread_seconds(event._id) > limit:
                self._remove(event)
        alive = {event.session_hash for event in self.event_ids_to_events.values()}
        for event in self._unread():
            session = self._asked[event][1]
            if session not in alive and self._unread_seconds(event) > answer_seconds:
                self.pending_messages_per_session.pop(session, None)
                self.pending_event_ids_session.pop(session, None)
        self._forget(alive, answer_seconds)

    def _forget(self, alive: set[str], answer_seconds: float) -> None:
        unread = set(self._unread())
        self._asked = {event: asked for event, asked in self._asked.items() if event in unread}
        kept = alive | {session for _, session, _ in self._asked.values()}
        self.readers.forget(answer_seconds)
        now = time.monotonic()
        self._slow = {name: then for name, then in self._slow.items() if now - then < REMEMBERED_SECONDS}
        for session in [each for each in self.pending_messages_per_session if each not in kept]:
            if not self.readers.has(session):  # a page that has just read an answer may open its stream again
                self.pending_messages_per_session.pop(session, None)
                self.pending_event_ids_session.pop(session, None)

    def _unread(self) -> list[str]:
        """Return the events whose answers are not fetched; also those that wait or run."""
        pending = self.pending_event_ids_session
        return [event for event, (_, session, _) in self._asked.items() if event in pending.get(session, ())]

    def _unread_seconds(self, event: str) -> float:
        """Return for how long nobody has read an event's answer; 0 while somebody does."""
        _, session, asked = self._asked.get(event, ("", event, time.monotonic()))
        return self.readers.unread_seconds((event, session), asked)

    def _waiting(self) -> list[Any]:
        return [event for line in self.event_queue_per_concurrency_id.values() for event in line.queue]

    def _remove(self, event: Any) -> None:
        """Take an event out of its line, or end a camera that runs."""
        line = self.event_queue_per_concurrency_id[event.concurrency_id].queue
        if event in line:
            line.remove(event)
            self.event_ids_to_events.pop(event._id, None)
            self.pending_event_ids_session.get(event.session_hash, set()).discard(event._id)
        event.alive = False
        event.closed = True
        event.signal.set()


def _running(queue: PageQueue) -> list[Any]:
    return [event for job in queue.active_jobs if job for event in job]


def _visitor(request: Any) -> str:
    """Return the visitor of a request; it is worked out once."""
    if "visitor" not in request.scope:
        request.scope["visitor"] = visitor_of(request.client, request.headers)
    return str(request.scope["visitor"])


def _cause(task: asyncio.Task[Any]) -> str:
    """Return what ended a task."""
    error = None if task.cancelled() or not task.done() else task.exception()
    if error is None:
        return "it was cancelled"
    return place_of(error)
