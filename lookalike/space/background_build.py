"""A gallery that is built from photos beside the page, and served as soon as there is something to serve.

The build is the command build_gallery.py in a process of its own, with the lowest priority. It writes into
the user's folder for caches, where it resumes if it was stopped.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lookalike.errors import GalleryError, LookalikeError
from lookalike.files import cache_folder
from lookalike.gallery.fetching import latest_version
from lookalike.gallery.work_folder import Progress, exclusive, read_progress, write_progress
from lookalike.models.registry import DEFAULT_MODEL, find_model
from lookalike.space.finders import Finders, load_only
from lookalike.space.refresh import GalleryRefresher
from lookalike.space.texts import text

log = logging.getLogger(__name__)

# Photos: some seconds of work at first; in many sources the first ones show few people
FIRST_PARTS = (128, 512, 2048, 8192, 32_768)
FEWEST_NAMES = 10  # twice as many as the page shows matches; a part with fewer is not served
RETRY_SECONDS = (60.0, 3600.0)  # after a failure, at first and at most: a lost network comes back
POLL_SECONDS = 0.5  # while a build of another page works in the same folder
STOP_SECONDS = 12.0  # for a build to write what it has done
LOWEST_PRIORITY = 19  # of Unix: visitors' requests come first


class BackgroundBuild:
    """Builds the gallery of `source` with `command`, for a model (or the folder of a run) and a detector.

    `open` returns what can be served at once: the gallery of an earlier run, or else the bundled one. After
    `start` the new gallery takes its place, first with some of the photos (as many as the first of `parts`
    where they show enough people), then with all of them.
    """

    def __init__(
        self,
        source: str,
        *,
        model: str,
        detector: str,
        command: Sequence[str],
        parts: Sequence[int] = FIRST_PARTS,
    ) -> None:
        path = Path(source)
        place = str(path.resolve()) if path.exists() else source
        self.name = Path(place).name if path.exists() else source
        self.folder = cache_folder("galleries", f"{place} {detector}")
        self._model, self._detector, self._parts = model, detector, parts
        options = ["--output", str(self.folder), "--model", model, "--detector", detector]
        self._command = [*command, source, *options]
        self._quiet = read_progress(self.folder).complete  # only what is new in the source is missing
        self._limit: int | None = None
        self._served, self._failed, self._seen = False, False, ""
        self._process: subprocess.Popen[str] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gallery-build", daemon=True)

    def open(self) -> Finders:
        """Return the finders to begin with; they tell visitors how far the build is."""
        try:
            self._seen = self._version()
            finders = self._load()
            self._served = True
        except LookalikeError:  # there is none, or too little of one
            self._quiet = False
            finders = load_only(None, model=DEFAULT_MODEL, detector=self._detector)
        finders.building = self.sentence
        return finders

    def start(self, finders: Finders) -> None:
        """Build in the background, and let `finders` serve what is built."""
        self._refresher = GalleryRefresher(
            finders, version=self._version, load=self._load, seen=self._seen if self._served else None
        )
        self._thread.start()

    def stop(self) -> None:
        """End the build; what it has done is kept."""
        self._stopped.set()
        if self._process is not None:
            self._process.terminate()
            self._thread.join(STOP_SECONDS)
            self._process.kill()

    def sentence(self) -> str:
        """Return what visitors should know about the build, "" where there is nothing."""
        if self._quiet:
            return ""
        if self._failed:
            return text("build_stopped" if self._served else "build_failed", name=self.name)
        progress = progress_in_words(read_progress(self.folder), first=self._limit)
        if self._served:
            return text("build_growing", name=self.name, progress=progress)
        return text("build_first", name=self.name, progress=progress)

    def _run(self) -> None:
        wait, longest = RETRY_SECONDS
        while not self._build_parts() and not self._stopped.wait(wait):
            wait = min(2 * wait, longest)

    def _build_parts(self) -> bool:
        """Build some photos, as long as too few are served, and then all; return whether all are there."""
        for limit in (*self._parts, None):
            if limit is not None and self._served:
                continue
            self._limit, complete = limit, False
            if self._build(limit):
                self._served = self._refresher.check() or self._served
                complete = read_progress(self.folder).complete
            if complete or self._stopped.is_set():
                break
        self._failed, self._quiet = not complete, complete
        return complete

    def _build(self, limit: int | None) -> bool:
        """Build the first `limit` photos, all if None; return whether that succeeded."""
        try:
            problem = self._run_command(limit)
        except OSError as error:  # such as a full disk
            problem = str(error)
        if problem and not self._stopped.is_set():
            log.warning("the gallery %s was not built: %s", self.name, problem)
        return not problem

    def _run_command(self, limit: int | None) -> str:
        """Run the command for the first `limit` photos, all if None; return its last line if it failed, else
        "". Raises OSError.
        """
        self._wait_for_other_builds()
        if not self._quiet:  # the total of an earlier part is not that of this one
            write_progress(self.folder, Progress(read_progress(self.folder).records))
        part = [] if limit is None else ["--limit", str(limit)]
        process = self._process = _start([*self._command, *part])
        if self._stopped.is_set():
            process.terminate()
        output, _ = process.communicate()
        last = output.strip().rpartition("\n")[2]
        return (last or f"status {process.returncode}") if process.returncode else ""

    def _wait_for_other_builds(self) -> None:
        """Return when no build of another page, or of one that was killed, works in the folder."""
        while not self._stopped.is_set():
            with suppress(GalleryError), exclusive(self.folder):
                return
            self._stopped.wait(POLL_SECONDS)

    def _version(self) -> str:
        return latest_version(self.folder, model=find_model(self._model).name)

    def _load(self) -> Finders:
        name, folder = self.name, str(self.folder)
        finders = load_only(folder, model=self._model, detector=self._detector, gallery_id=name)
        names = len(finders.served.gallery.names)
        if names < FEWEST_NAMES and not read_progress(self.folder).complete:
            raise GalleryError(f"The gallery {name} has only {names} names so far; wait for its next part.")
        return finders


def progress_in_words(progress: Progress, *, first: int | None = None) -> str:
    """Return how far a build is, and how long it will take where that is known.

    `first` is the number of photos that it reads, None for all.
    """
    key = "build_photos_of_first" if first == progress.total else "build_photos_of"
    total = f"{progress.total or 0:,}"
    done = text("build_photos" if progress.total is None else key, done=f"{progress.records:,}", total=total)
    return done if progress.seconds_left is None else f"{done}, {time_left(progress.seconds_left)}"


def time_left(seconds: float) -> str:
    """Return a number of seconds in words, rounded."""
    minutes = seconds / 60
    if minutes < 1:
        return text("build_under_minute")
    if minutes < 90:
        return text("build_minutes", minutes=f"{minutes:.0f}")
    return text("build_hours", hours=f"{minutes / 60:.0f}")


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    """Start a command with the lowest priority; it shares the terminal's Ctrl-C."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=os.environ | {"TQDM_DISABLE": "1"},
        creationflags=getattr(subprocess, "IDLE_PRIORITY_CLASS", 0),  # of Windows
    )
    if hasattr(os, "setpriority"):
        with suppress(OSError):  # it has ended already
            os.setpriority(os.PRIO_PROCESS, process.pid, LOWEST_PRIORITY)
    return process
