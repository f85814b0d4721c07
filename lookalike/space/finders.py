"""The finders that the page serves: one a model, loaded when somebody first asks for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lookalike.errors import LookalikeError, UnknownModelError, UnreachableError, WeightsError
from lookalike.finder import Lookalikes
from lookalike.gallery.gallery import BUNDLED_GALLERY
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.models.registry import DEFAULT_MODEL, is_run

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Served:
    """All that is served of one gallery, exchanged as one; `ready` and `parts` keep what is loaded later."""

    finder: Lookalikes
    gallery_id: str
    notice: str
    models: tuple[str, ...]
    load: Callable[[str], Lookalikes] | None
    ready: dict[str, Lookalikes] = field(default_factory=dict)
    parts: dict[tuple[str, str], Lookalikes] = field(default_factory=dict)


class Finders:
    """The served finder, and those for the other models that its gallery has a table for.

    `gallery_id` is what a report says of the gallery; `notice` what visitors are to know about it;
    `others` names the models that `load` can load besides.
    Safe to use from several threads.
    """

    def __init__(
        self,
        served: Lookalikes,
        *,
        gallery_id: str = "bundled",
        notice: str = "",
        others: Sequence[str] = (),
        load: Callable[[str], Lookalikes] | None = None,
    ) -> None:
        name = served.embedder.model.name
        models = (name, *(other for other in others if other != name))
        self._now = Served(served, gallery_id, notice, models, load, {name: served})
        self._lock = threading.Lock()

    @property
    def served(self) -> Lookalikes:
        return self._now.finder

    @property
    def gallery_id(self) -> str:
        return self._now.gallery_id

    @property
    def notice(self) -> str:
        return self._now.notice

    @property
    def models(self) -> tuple[str, ...]:
        return self._now.models

    def take_over(self, newer: Finders) -> None:
        """Serve what `newer` serves, from one moment on: a question is answered by the old or by the new."""
        self._now = newer._now

    def get(self, model: str | None = None, category: str | None = None) -> Lookalikes:
        """Return the finder for `model`, by default the served one, and if wanted for one category alone.

        Raises UnknownModelError, or GalleryError where there is no such category.
        """
        now = self._now
        finder = self._whole(now, model)
        if not category:
            return finder
        key = (finder.embedder.model.name, category)
        if key not in now.parts:
            only = finder.gallery.only(category)
            now.parts[key] = Lookalikes(only, embedder=finder.embedder, detector=finder.detector)
        return now.parts[key]

    def _whole(self, now: Served, model: str | None) -> Lookalikes:
        if not model:
            return now.finder
        if model not in now.models:
            raise UnknownModelError(f"There is no such model here; choose one of {', '.join(now.models)}.")
        if model not in now.ready:
            with self._lock:
                if model not in now.ready:
                    now.ready[model] = _loaded(now, model)
        return now.ready[model]


def _loaded(now: Served, model: str) -> Lookalikes:
    try:
        if now.load is None:
            raise UnknownModelError("There is no way to load another model.")
        finder = now.load(model)
        finder.warm_up()
        return finder
    except LookalikeError as error:  # its sentence is for whoever runs the page, and may name folders
        log.warning("%s could not be loaded: %s", model, error)
        name = now.finder.embedder.model.name
        raise UnknownModelError(f"The model {model} cannot be used at the moment; choose {name}.") from error


def load_finders(gallery: str | None, *, model: str, detector: str) -> Finders:
    """Load a gallery: the bundled one, a folder, or a Hub dataset; raise LookalikeError with the way out.

    Where the Hub or a model's weights cannot be reached, the bundled gallery and model are served, and the
    finders' notice says so. A run of the training room lies on this machine, and is served or refused.
    """
    try:
        return load_only(gallery, model=model, detector=detector)
    except (UnreachableError, WeightsError) as error:  # its sentence is for whoever runs the page
        if is_run(model):
            raise
        what = f"gallery {gallery}" if isinstance(error, UnreachableError) else f"model {model}"
        log.warning("the bundled gallery and model are served instead: %s", error)
    notice = f"The {what} cannot be reached at the moment; this is the gallery that comes with the project."
    return load_only(None, model=DEFAULT_MODEL, detector=detector, notice=notice)


def load_only(gallery: str | None, *, model: str, detector: str, notice: str = "") -> Finders:
    """Load a gallery as `load_finders` does; raise where it cannot be had."""
    folder = BUNDLED_GALLERY if gallery is None else Path(gallery)
    return Finders(
        Lookalikes.load(gallery, model=model, detector=detector),
        gallery_id=_public_name(gallery),
        notice=notice,
        others=sorted(
            file.parent.name for file in folder.glob(f"[!.]*/{SETTINGS_FILE}")
        ),  # none for a Hub dataset
        load=lambda name: Lookalikes.load(gallery, model=name, detector=detector),
    )


def _public_name(gallery: str | None) -> str:
    """Return "bundled", a folder's own name, or a Hub dataset as it was given."""
    if gallery is None:
        return "bundled"
    return Path(gallery).resolve().name if Path(gallery).is_dir() else gallery
