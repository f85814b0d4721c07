"""Notice a newer version of the served gallery, load it beside the old one, and serve it instead."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from lookalike.errors import GalleryError, LookalikeError, UnknownModelError, UnreachableError
from lookalike.space.finders import Finders

log = logging.getLogger(__name__)

LASTING = (GalleryError, UnknownModelError)  # until the gallery changes again


class GalleryRefresher:
    """Checks from time to time whether there is a newer gallery than the served one.

    `version` returns a string that changes when the gallery does, `load` returns the finders of the newest
    version; both raise LookalikeError. `forget` deletes what is kept of the version that was served
    before; it may raise OSError. `seen` is the served version, None if another gallery is served in its
    place. A version that can never be served is logged once and not tried again; after a failure that may
    pass (network, disk, memory), the next check tries again.
    """

    def __init__(
        self,
        finders: Finders,
        *,
        version: Callable[[], str],
        load: Callable[[], Finders],
        seen: str | None,
        forget: Callable[[str], None] | None = None,
    ) -> None:
        self._finders, self._version, self._load, self._seen = finders, version, load, seen
        self._forget = forget

    def check(self) -> bool:
        """Serve the newest gallery if it is not the served one; return whether the gallery was replaced."""
        try:
            newest = self._version()
        except (LookalikeError, OSError) as error:
            log.info("the gallery's version is not known: %s", error)
            return False
        return newest != self._seen and self._replace(newest)

    def _replace(self, newest: str) -> bool:
        try:
            newer = self._load()
            newer.served.warm_up()
            loaded = self._version()  # without the Hub, an older copy from the cache was loaded
        except (LookalikeError, OSError, MemoryError) as error:
            log.warning("the newer gallery is not served, the old one is: %s", error)
            if isinstance(error, LASTING) and not isinstance(error, UnreachableError):
                self._seen = newest
            return False
        if loaded != newest:
            log.info("the gallery changed while it was loaded; the next check loads it again")
            return False
        self._finders.replace(newer)
        older, self._seen = self._seen, newest
        log.warning("a newer gallery is served: %r at %s", newer.served.gallery, newest[:12])
        if older is not None and self._forget is not None:
            self._clean_up(older, self._forget)
        return True

    def _clean_up(self, older: str, forget: Callable[[str], None]) -> None:
        try:
            forget(older)
        except OSError as error:
            log.info("the gallery's version %s stays in the cache: %s", older[:12], error)

    def start(self, minutes: float) -> None:
        """Check every `minutes` in a thread that ends with the process."""
        threading.Thread(target=self._run, args=(60 * minutes,), name="gallery-refresh", daemon=True).start()

    def _run(self, seconds: float) -> None:
        never = threading.Event()
        while not never.wait(seconds):  # a sleep by the monotonic clock
            try:
                self.check()
            except Exception:  # the next check may succeed
                log.exception("the check for a newer gallery failed")
