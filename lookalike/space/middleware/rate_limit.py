"""How often a visitor comes: told apart by address, which is forgotten after a minute, never written."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

MINUTE = 60.0
REMEMBERED = 10_000  # addresses; each takes some 300 bytes
NETWORK = 64  # bits of an IPv6 address that are one household's

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Visitors:
    """Lets each visitor make `per_minute` requests a minute, all at once if they like; 0 is no limit."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # requests left, and when that was

    def seconds_to_wait(self, visitor: str) -> int:
        """Count one request; return 0, or the whole seconds after which the visitor may come again."""
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
        """Drop whoever has been away for a minute, which fills everybody's measure, and the oldest beyond."""
        while self._left:
            visitor, (_, then) = next(iter(self._left.items()))
            if now - then < MINUTE and len(self._left) <= REMEMBERED:
                return
            del self._left[visitor]


def address_of(client: tuple[str, int] | None, headers: Mapping[str, str]) -> str:
    """Return what a visitor is told apart by: the address that connected, or behind a proxy the one it names.

    A proxy connects from a private address and appends its caller's to `x-forwarded-for`; so the last public
    one there counts, and not what the visitor may have written before it.
    """
    peer = _parsed(client[0] if client else "")
    if peer is not None and peer.is_global:
        return _household(peer)
    named = [_parsed(part.strip()) for part in headers.get("x-forwarded-for", "").split(",")]
    known = [address for address in named if address is not None]
    public = [address for address in known if address.is_global]
    last = [*known[-1:], *public[-1:]]
    return _household(last[-1] if last else peer)


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _household(address: Address | None) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, NETWORK), strict=False))
    return str(address)
