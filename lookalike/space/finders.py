"""The gallery that the page serves, with a finder for each of its models."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from lookalike.errors import UnknownModelError, UnreachableError, WeightsError
from lookalike.finder import Lookalikes
from lookalike.gallery.choices import EVERYONE, Choice
from lookalike.gallery.gallery import BUNDLED_GALLERY
from lookalike.gallery.storage import models_in
from lookalike.models.registry import DEFAULT_MODEL, is_installed, is_run
from lookalike.portraits.portrait import Portrait
from lookalike.space.feedback import Feedback
from lookalike.space.model_loading import WAIT_SECONDS, ModelLoader
from lookalike.space.private_files import PrivateFiles

log = logging.getLogger(__name__)

REMEMBERED_CHOICES = 16  # each is a copy of some rows of a gallery


class ServedGallery:
    """One version of a gallery: its finder, and those of the other models that it has a table for.

    `gallery_id` names the gallery in reports, `notice` is a sentence for visitors, `models` starts with the
    default one. A request takes one of these (`Finders.current`) and uses no other until it is answered.
    """

    def __init__(
        self,
        finder: Lookalikes,
        *,
        gallery_id: str,
        notice: str,
        others: Sequence[str],
        load: Callable[[str], Lookalikes] | None,
        wait: float,
    ) -> None:
        default = finder.embedder.model.name
        self.finder, self.gallery_id, self.notice = finder, gallery_id, notice
        self.models = (default, *(name for name in others if name != default))
        self.choices = finder.gallery.choices
        self._loader = ModelLoader(load or _no_loader, default=default, wait=wait)
        self._chosen = lru_cache(REMEMBERED_CHOICES)(_chosen)

    def get(self, model: str | None = None, choice: Choice = EVERYONE) -> Lookalikes:
        """Return the finder of `model`, the default one for None, over the people who fit the choice.

        Raises UnknownModelError if there is no such model or it is not loaded yet, and GalleryError if
        the gallery does not have what is chosen or nobody fits.
        """
        finder = self._of_model(model or self.models[0])
        return finder if choice == EVERYONE else self._chosen(finder, choice)

    def start_loading(self) -> None:
        """Load every model in the background."""
        for model in self.models[1:]:
            self._loader.start(model)

    def _of_model(self, model: str) -> Lookalikes:
        if model == self.models[0]:
            return self.finder
        if model not in self.models:
            raise UnknownModelError(f"There is no such model here; choose one of {', '.join(self.models)}.")
        return self._loader.get(model)


class Finders:
    """What the page serves now. Safe to use from several threads.

    `others` names the models that `load` can load besides the one of `served`; a request for one waits at
    most `wait` seconds for it. `portrait` returns the portrait of a name of the gallery if it is here; None
    where only cards are shown. `on_replace` is called after another gallery took the place of the served one.
    `building` returns a sentence for visitors about a gallery that is being built, "" if there is nothing to
    say; None where none is built. `feedback` counts what visitors say about their matches; None where they
    are not asked. `private` are the files for visitors whose photo stays on their device; None where no
    browser can run the model.
    """

    portrait: Callable[[str], Portrait | None] | None = None
    on_replace: Callable[[], None] | None = None
    building: Callable[[], str] | None = None
    feedback: Feedback | None = None
    private: PrivateFiles | None = None

    def __init__(
        self,
        served: Lookalikes,
        *,
        gallery_id: str = "bundled",
        notice: str = "",
        others: Sequence[str] = (),
        load: Callable[[str], Lookalikes] | None = None,
        wait: float = WAIT_SECONDS,
    ) -> None:
        self.current = ServedGallery(
            served, gallery_id=gallery_id, notice=notice, others=others, load=load, wait=wait
        )

    @property
    def served(self) -> Lookalikes:
        return self.current.finder

    @property
    def gallery_id(self) -> str:
        return self.current.gallery_id

    @property
    def notice(self) -> str:
        return self.current.notice

    def get(self, model: str | None = None, choice: Choice = EVERYONE) -> Lookalikes:
        """Return a finder of the current gallery; see `ServedGallery.get`."""
        return self.current.get(model, choice)

    def replace(self, newer: Finders) -> None:
        """Serve the gallery of `newer` from now on; running requests keep the one that they took."""
        self.current = newer.current
        if self.on_replace is not None:
            self.on_replace()


def _chosen(finder: Lookalikes, choice: Choice) -> Lookalikes:
    part = finder.gallery.only(choice)
    return Lookalikes(part, embedder=finder.embedder, detector=finder.detector)


def _no_loader(model: str) -> Lookalikes:
    raise UnknownModelError(f"There is no way to load the model {model}.")


def load_finders(gallery: str | None, *, model: str, detector: str) -> Finders:
    """Load a gallery: the bundled one, a folder, or a Hub dataset.

    If the Hub or a model's weights cannot be reached, the bundled gallery and model are served, with a notice
    that says so. Raises LookalikeError for anything else, and for a training run, which is on this machine.
    """
    try:
        return load_only(gallery, model=model, detector=detector)
    except (UnreachableError, WeightsError) as error:  # only for the log: it may name folders
        if is_run(model):
            raise
        missing = f"gallery {gallery}" if isinstance(error, UnreachableError) else f"model {model}"
        log.warning("the bundled gallery and model are served instead: %s", error)
    notice = f"The {missing} cannot be reached right now; this is the gallery that comes with the project."
    return load_only(None, model=DEFAULT_MODEL, detector=detector, notice=notice)


def load_only(
    gallery: str | None, *, model: str, detector: str, notice: str = "", gallery_id: str | None = None
) -> Finders:
    """Load a gallery as `load_finders` does, without falling back to the bundled one.

    Reports name it `gallery_id`, by default what `gallery` says.
    """
    folder = BUNDLED_GALLERY if gallery is None else Path(gallery)
    return Finders(
        Lookalikes.load(gallery, model=model, detector=detector),
        gallery_id=gallery_id or _public_name(gallery),
        notice=notice,
        others=[name for name in models_in(folder) if is_installed(name)],  # none if it is a Hub dataset
        load=lambda name: Lookalikes.load(gallery, model=name, detector=detector),
    )


def _public_name(gallery: str | None) -> str:
    """Return "bundled", a folder's own name, or a Hub dataset's id as it was given."""
    if gallery is None:
        return "bundled"
    return Path(gallery).resolve().name if Path(gallery).is_dir() else gallery
