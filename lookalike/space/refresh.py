"""A gallery that changes while it is served: noticed, loaded beside the old one, and put in its place."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from lookalike.errors import LookalikeError, UnreachableError
from lookalike.space.finders import Finders

log = logging.getLogger(__name__)


class Refresher:
    """Looks now and then whether there is a newer gallery than the one that is served.

    `version` returns what changes when the gallery does, `load` the finders of what is there now; both raise
    LookalikeError. `seen` is the version that is served, None where another gallery is served in its place. A
    version that cannot be served is told in the log once, and the old gallery serves on.
    """

    def __init__(
        self,
        finders: Finders,
        *,
        version: Callable[[], str],
        load: Callable[[], Finders],
        seen: str | None,
    ) -> None:
        self._finders, self._version, self._load, self._seen = finders, version, load, seen

    def look(self) -> bool:
        """Exchange the gallery if there is a newer one that can be served; say whether there was."""
        there = self._seen
        try:
            there = self._version()
            if there == self._seen:
                return False
            newer = self._load()
            newer.served.warm_up()
        except UnreachableError as error:  # it may pass
            log.info("the gallery was not looked at: %s", error)
            return False
        except (LookalikeError, OSError, MemoryError) as error:
            log.warning("the newer gallery is not served, the old one is: %s", error)
            self._seen = there
            return False
        self._finders.take_over(newer)
        self._seen = there
        log.warning("a newer gallery is served: %r at %s", newer.served.gallery, there[:12])
        return True

    def start(self, minutes: float) -> None:
        """Look every so many minutes, in a thread that ends with the process."""
        threading.Thread(target=self._watch, args=(60 * minutes,), name="refresher", daemon=True).start()

    def _watch(self, seconds: float) -> None:
        pause = threading.Event()
        while not pause.wait(seconds):  # counted by a clock that is never set
            try:
                self.look()
            except Exception:  # whatever it is, the next look may do
                log.exception("the look for a newer gallery failed")
