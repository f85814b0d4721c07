"""Limits on connections: in number, and in time for whoever is idle, sends slowly or does not read."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from lookalike.space.middleware.failures import Seldom

log = logging.getLogger(__name__)

FILES = 4096  # that the process asks for; many systems give 1,024 by default
MAX_CONNECTIONS = 1000  # and at most half of the files
GRACE_SECONDS = 0.1  # in which a new connection may begin its request, however many there are
HEAD_SECONDS = 10.0  # for the head of a request; then the connection is closed
UNREAD_SECONDS = 30.0  # that a reader may stand still; then the connection is closed
KEEP_ALIVE_SECONDS = 5  # between two requests; browsers open connections again
MAX_HEAD_BYTES = 32_768  # of a request's first line and headers


class LimitedConnection(H11Protocol):
    """A connection that may be closed while it has no request in progress, the longest idle one first."""

    limit = MAX_CONNECTIONS
    idle: dict[LimitedConnection, float] = {}  # since when, the oldest first  # noqa: RUF012

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._unread: asyncio.TimerHandle | None = None
        self.idle[self] = time.monotonic()
        if len(self.connections) > self.limit:
            self.loop.call_later(GRACE_SECONDS, self._close_surplus)

    def _close_surplus(self) -> None:
        """Close the longest idle connections of those beyond the limit."""
        now = time.monotonic()
        while len(self.connections) > self.limit and self.idle:
            connection, since = next(iter(self.idle.items()))
            if now - since < GRACE_SECONDS:
                return
            connection.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.idle.pop(self, None)
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self.idle.pop(self, None)

    def on_response_complete(self) -> None:
        self.idle.pop(self, None)
        self.idle[self] = time.monotonic()
        super().on_response_complete()
        if self.cycle is not None and not self.cycle.response_complete:  # a pipelined request
            self.idle.pop(self, None)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def abort(self) -> None:
        """Close the connection at once, whatever is still to be sent."""
        self.connections.discard(self)
        self.idle.pop(self, None)
        self.transport.abort()

    @classmethod
    def close_idle(cls) -> None:
        """Close the connections that sent no whole head for HEAD_SECONDS, or closed ones that linger."""
        now = time.monotonic()
        for connection, since in list(cls.idle.items()):
            if now - since < HEAD_SECONDS:
                return
            connection.abort()


def limit_connections(config: Any) -> None:
    """Set the limits in a running server's configuration, which uvicorn reads for each new connection."""
    LimitedConnection.limit = min(MAX_CONNECTIONS, raise_file_limit() // 2)
    config.http_protocol_class = LimitedConnection
    config.limit_concurrency = 2 * LimitedConnection.limit  # a last resort: idle ones are closed before
    config.timeout_keep_alive = KEEP_ALIVE_SECONDS
    config.h11_max_incomplete_event_size = MAX_HEAD_BYTES


def raise_file_limit() -> int:
    """Allow FILES open files if the system does; return how many are allowed."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def log_seldom(loop: asyncio.AbstractEventLoop) -> None:
    """Write each line of the server's own at most once a minute; running out of files is one line, too."""
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        if not any(isinstance(each, Seldom) for each in logger.filters):
            logger.addFilter(Seldom())
    seldom = Seldom()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError):
            return loop.default_exception_handler(context)
        text = (
            f"{context.get('message')}: {os.strerror(error.errno) if error.errno else type(error).__name__}"
        )
        if seldom.filter(logging.makeLogRecord({"msg": text})):
            log.error(text)

    loop.set_exception_handler(handle)
