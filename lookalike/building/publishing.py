"""Push a gallery to the Hub, and remove people from a gallery in a folder or on the Hub."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from lookalike.building.card import CARD_FILE, card, write_card
from lookalike.errors import GalleryError, HubError, LookalikeError
from lookalike.gallery.fetching import fetch_gallery
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.gallery.storage import models_among, models_in, part_files
from lookalike.gallery.work_folder import exclusive
from lookalike.hub import NO_PERMISSION, TEMPORARY, limit_waiting, reason_of, status_of
from lookalike.names import person_key

log = logging.getLogger(__name__)

Result = TypeVar("Result")

WAITS = (5.0, 20.0, 60.0)  # seconds between tries; each try of the Hub's client takes up to half a minute


@dataclass(frozen=True)
class Pushed:
    """The address of a pushed gallery, the commit that holds it, and whether this push made that commit."""

    url: str
    commit: str
    changed: bool


def remove_from_folder(folder: Path, people: Sequence[str]) -> int:
    """Remove people, in any spelling, from every table in `folder`; return the number of removed rows.

    Raises GalleryError where none of them is in any table, or a build is running in `folder`.
    """
    removed = 0
    with exclusive(folder):
        for model in models_in(folder):
            gallery = Gallery.load(folder, model=model)
            shorter = without_people(gallery, people)
            if shorter is not None:
                shorter.save(folder)
                write_card(folder, shorter)
                removed += len(gallery) - len(shorter)
    if not removed:
        raise GalleryError(f"None of {', '.join(people)} is in a gallery at {folder}; check the spelling.")
    return removed


def without_people(gallery: Gallery, people: Sequence[str]) -> Gallery | None:
    """Return the gallery without these people, None where it has none of them."""
    keys = {person_key(name) for name in people}
    return gallery.without(keys) if any(person_key(name) in keys for name in gallery.names) else None


class GalleryHub:
    """Writes galleries to the Hub with the token in HF_TOKEN, or that of `hf auth login`.

    After an error that may be temporary it waits for each of `waits` seconds and tries again.
    """

    def __init__(
        self, *, waits: tuple[float, ...] = WAITS, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        from huggingface_hub import HfApi  # takes half a second to import

        limit_waiting()
        self._api = HfApi()
        self._waits, self._sleep = waits, sleep

    def push(self, folder: Path, gallery: Gallery, name: str, *, private: bool, title: str) -> Pushed:
        """Create the dataset `name` if it is missing, and commit the model's table and the card.

        Everything goes into one commit; other models' tables stay as they are. Pushing the same table again
        makes no commit. Raises HubError with the way out.
        """
        return self._retried(name, lambda: self._push(folder, gallery, name, private=private, title=title))

    def _push(self, folder: Path, gallery: Gallery, name: str, *, private: bool, title: str) -> Pushed:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        api, model = self._api, gallery.settings.model
        api.create_repo(name, repo_type="dataset", private=private or None, exist_ok=True)
        before = api.dataset_info(name)
        if private and not before.private:
            raise HubError(f"{name} is there already and public; make it private in its settings first.")
        there = {file.rfilename for file in before.siblings or ()}
        files = [folder / model / SETTINGS_FILE, *part_files(folder, model)]
        ours = {file.relative_to(folder).as_posix(): file for file in files}
        page = card(gallery, sorted({*models_among(there), model}), place=name).encode()
        operations: list[Any] = [CommitOperationAdd(path, str(file)) for path, file in ours.items()]
        operations += [CommitOperationAdd(CARD_FILE, page)]
        stale = {path for path in there if path.startswith(f"{model}/")} - ours.keys()
        operations += [CommitOperationDelete(path) for path in sorted(stale)]
        commit = api.create_commit(name, operations, commit_message=title, repo_type="dataset")
        return Pushed(f"{api.endpoint}/datasets/{name}", commit.oid, commit.oid != before.sha)

    def remove(self, name: str, people: Sequence[str]) -> int:
        """Remove people from every table of the dataset `name`; return the number of removed rows.

        Raises HubError as `push` does, and GalleryError where none of them is in any table.
        """
        info = self._retried(name, lambda: self._api.dataset_info(name))
        models = models_among(file.rfilename for file in info.siblings or ())
        galleries = [Gallery.load(fetch_gallery(name, model), model=model) for model in models]
        shorter = [(gallery, without_people(gallery, people)) for gallery in galleries]
        if not any(after for _, after in shorter):
            raise GalleryError(f"None of {', '.join(people)} is in the gallery {name}; check the spelling.")
        removed = 0
        for before, after in shorter:
            if after is not None:
                with TemporaryDirectory() as folder:
                    after.save(Path(folder))
                    self.push(Path(folder), after, name, private=False, title="Remove rows")
                removed += len(before) - len(after)
        return removed

    def _retried(self, name: str, action: Callable[[], Result]) -> Result:
        from httpx2 import TransportError
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError

        # the last two are raised by Xet, which uploads large files
        network = (HfHubHTTPError, TransportError, ConnectionError, TimeoutError)
        for wait in (*self._waits, None):
            try:
                return action()
            except LookalikeError:
                raise
            except HFValidationError as error:
                raise HubError(f"'{name}' is not a name for a dataset; give owner/name.") from error
            except Exception as error:  # reading a malformed answer can raise anything, and may be temporary
                if isinstance(error, OSError) and not isinstance(error, network):
                    raise  # a local file cannot be read or written
                status = status_of(error)
                if status is not None and status not in TEMPORARY:
                    raise HubError(_refusal(name, status, error)) from error
                if wait is None:
                    raise HubError(
                        f"The Hub could not be reached for {name} ({reason_of(error)}); everything is kept: "
                        "give the same command again later, and it goes on from here."
                    ) from error
                log.warning("The Hub could not be reached (%s); next try in %d s", reason_of(error), wait)
                self._sleep(wait)
        raise AssertionError("the last round returns or raises")


def _refusal(name: str, status: int, error: Exception) -> str:
    if status in NO_PERMISSION:
        return (
            f"The Hub does not let you write {name}; put a token that may write there into HF_TOKEN "
            "(huggingface.co/settings/tokens). The gallery is kept: the same command goes on from here."
        )
    return (
        f"The Hub refused {name} ({reason_of(error)}); check the name. The gallery is kept: "
        "the same command goes on from here."
    )
