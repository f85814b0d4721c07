"""The finders that the page serves: one a model, loaded when somebody first asks for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from lookalike.embedders import DEFAULT_MODEL
from lookalike.errors import LookalikeError, UnknownModelError, UnreachableError, WeightsError
from lookalike.finder import Lookalikes
from lookalike.gallery import BUNDLED_GALLERY
from lookalike.settings import SETTINGS_FILE

log = logging.getLogger(__name__)


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
        self.served, self.gallery_id, self.notice = served, gallery_id, notice
        name = served.embedder.model.name
        self.models = (name, *(other for other in others if other != name))
        self._ready = {name: served}
        self._parts: dict[tuple[str, str], Lookalikes] = {}
        self._load = load
        self._lock = threading.Lock()

    def get(self, model: str | None = None, category: str | None = None) -> Lookalikes:
        """Return the finder for `model`, by default the served one, and if wanted for one category alone.

        Raises UnknownModelError, or GalleryError where there is no such category.
        """
        finder = self._whole(model)
        if not category:
            return finder
        key = (finder.embedder.model.name, category)
        if key not in self._parts:
            only = finder.gallery.only(category)
            self._parts[key] = Lookalikes(only, embedder=finder.embedder, detector=finder.detector)
        return self._parts[key]

    def _whole(self, model: str | None) -> Lookalikes:
        if not model:
            return self.served
        if model not in self.models:
            raise UnknownModelError(f"There is no such model here; choose one of {', '.join(self.models)}.")
        if model not in self._ready:
            with self._lock:
                if model not in self._ready:
                    self._ready[model] = self._loaded(model)
        return self._ready[model]

    def _loaded(self, model: str) -> Lookalikes:
        try:
            if self._load is None:
                raise UnknownModelError("There is no way to load another model.")
            finder = self._load(model)
            finder.warm_up()
            return finder
        except LookalikeError as error:  # its sentence is for whoever runs the page, and may name folders
            log.warning("%s could not be loaded: %s", model, error)
            served = self.served.embedder.model.name
            raise UnknownModelError(
                f"The model {model} cannot be used at the moment; choose {served}."
            ) from error


def load_finders(gallery: str | None, *, model: str, detector: str) -> Finders:
    """Load a gallery: the bundled one, a folder, or a Hub dataset; raise LookalikeError with the way out.

    Where the Hub or a model's weights cannot be reached, the bundled gallery and model are served, and the
    finders' notice says so.
    """
    try:
        return _load(gallery, model=model, detector=detector)
    except (UnreachableError, WeightsError) as error:  # its sentence is for whoever runs the page
        what = f"gallery {gallery}" if isinstance(error, UnreachableError) else f"model {model}"
        log.warning("the bundled gallery and model are served instead: %s", error)
    notice = f"The {what} cannot be reached at the moment; this is the gallery that comes with the project."
    return _load(None, model=DEFAULT_MODEL, detector=detector, notice=notice)


def _load(gallery: str | None, *, model: str, detector: str, notice: str = "") -> Finders:
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
