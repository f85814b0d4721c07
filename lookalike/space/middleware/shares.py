"""Shares of whatever is scarce: no visitor may hold more than half, or more than is still free."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from lookalike.space.middleware.asgi import App, Receive, Scope, Send, headers_of, refuse
from lookalike.space.middleware.rate_limit import visitor_of

REQUESTS = 200  # in progress at a time, besides streams
FEWEST_REQUESTS = 8  # that every visitor may have: a browser opens six connections
STREAM = re.compile(r"/gradio_api/(queue/data|heartbeat/.+|upload_progress|call/.+)")
TOO_MANY_AT_ONCE = "Too many requests at once from your address; wait until some are answered."


def within_share(held: float, free: float, *, least: float, more: float = 1) -> bool:
    """Return whether somebody who holds `held` may take `more`, while `free` are left for everybody.

    One visitor alone can hold half of all, two a third each, and so on: something is left for a newcomer
    (dynamic thresholds; Choudhury and Hahne 1998). `least` is what everybody may hold while there is any.
    """
    return free >= more and held + more <= max(least, free)


class Shares:
    """Counts what each visitor holds of `total`."""

    def __init__(self, total: float, *, least: float) -> None:
        self._total, self._least = total, least
        self._held: Counter[str] = Counter()

    def take(self, visitor: str, amount: int = 1) -> bool:
        """Take an amount; return False, and take nothing, if that would be more than the visitor's share."""
        free = self._total - self._held.total()
        if not within_share(self._held[visitor], free, least=self._least, more=amount):
            return False
        self._held[visitor] += amount
        return True

    def give_back(self, visitor: str, amount: int = 1) -> None:
        """Give back what was taken."""
        self._held[visitor] -= amount
        if self._held[visitor] <= 0:
            del self._held[visitor]

    @contextmanager
    def hold(self, visitor: str) -> Iterator[bool]:
        """Hold one for as long as the block runs; yield whether the share allows it."""
        taken = self.take(visitor)
        try:
            yield taken
        finally:
            if taken:
                self.give_back(visitor)


def is_stream(scope: Scope) -> bool:
    """Return whether a request is answered for as long as a page is open or waits for its answer."""
    return scope["method"] == "GET" and STREAM.fullmatch(scope["path"]) is not None


class RequestShares:
    """ASGI middleware that limits how many requests each visitor has in progress; more get status 429.

    Streams are not counted here; see `lookalike.space.middleware.streams`. The visitor's address is in
    `scope["visitor"]` for whatever comes next.
    """

    def __init__(self, app: App, *, total: int = REQUESTS) -> None:
        self._app, self._shares = app, Shares(total, least=FEWEST_REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        visitor = visitor_of(scope.get("client"), headers_of(scope))
        if is_stream(scope):
            return await self._app({**scope, "visitor": visitor}, receive, send)
        with self._shares.hold(visitor) as allowed:
            if not allowed:
                return await refuse(send, 429, TOO_MANY_AT_ONCE)
            await self._app({**scope, "visitor": visitor}, receive, send)
