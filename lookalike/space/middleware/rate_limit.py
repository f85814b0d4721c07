"""A limit on requests per visitor. Visitors are identified by address, kept in memory for a minute."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

MINUTE = 60.0
MAX_VISITORS = 10_000  # remembered; each takes some 300 bytes
NETWORK_BITS = 64  # of an IPv6 address: what one household gets

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class RateLimit:
    """A token bucket per visitor: `per_minute` requests a minute, also all at once; 0 is no limit."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # remaining requests, and when

    def seconds_to_wait(self, visitor: str) -> int:
        """Count a request; return 0 if it is allowed, else the whole seconds until one will be."""
        if not self._per_minute:
            return 0
        now, rate = self._clock(), self._per_minute / MINUTE
        left, then = self._left.pop(visitor, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - then) * rate)
        wait = 0 if left >= 1 else max(1, math.ceil((1 - left) / rate))
        self._left[visitor] = (left if wait else left - 1, now)
        self._forget(now)
        return wait

    def _forget(self, now: float) -> None:
        """Drop visitors with full buckets, who made no request for a minute, and the oldest surplus ones."""
        while self._left:
            visitor, (_, then) = next(iter(self._left.items()))
            if now - then < MINUTE and len(self._left) <= MAX_VISITORS:
                return
            del self._left[visitor]


def visitor_of(client: tuple[str, int] | None, headers: Mapping[str, str]) -> str:
    """Return the address that identifies a visitor: the connecting one, or the one that a proxy names.

    A proxy connects from a private address and appends its caller's address to `x-forwarded-for`. So the last
    public address there counts; the visitor may have forged those before it.
    """
    peer = _parsed(client[0] if client else "")
    if peer is not None and peer.is_global:
        return _network(peer)
    named = [_parsed(part.strip()) for part in headers.get("x-forwarded-for", "").split(",")]
    known = [address for address in named if address is not None]
    public = [address for address in known if address.is_global]
    last = [*known[-1:], *public[-1:]]
    return _network(last[-1] if last else peer)


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(address: Address | None) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, NETWORK_BITS), strict=False))
    return str(address)
