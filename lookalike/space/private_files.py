"""The files of the static site, for visitors who want their photo to stay on their device."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from lookalike.finder import Lookalikes
from lookalike.web.runtime import Runtime
from lookalike.web.site_files import site_files


class PrivateFiles:
    """The files of the site with the gallery that is served now, in memory: some 8 MB.

    They are made when they are first needed and when another gallery is served. Thumbnails are left out: in
    private mode the server should not see whose photo is looked at. Safe to use from several threads.
    """

    def __init__(self, served: Callable[[], Lookalikes], runtime: Runtime) -> None:
        self._served, self._runtime = served, runtime
        self._made: tuple[Lookalikes, Mapping[str, bytes]] | None = None
        self._lock = threading.Lock()

    def get(self) -> Mapping[str, bytes]:
        """Return the content of each file by its path. It takes seconds once."""
        finder = self._served()
        with self._lock:
            if self._made is None or self._made[0] is not finder:
                self._made = finder, site_files(finder, self._runtime)
            return self._made[1]
