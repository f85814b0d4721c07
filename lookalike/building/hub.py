"""A gallery to the Hub, in one commit, and a person out of a gallery that is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from lookalike.building.card import CARD_FILE, card
from lookalike.building.removal import take_out
from lookalike.errors import GalleryError, HubError, LookalikeError
from lookalike.gallery.fetching import fetch_gallery
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.hub import limit_waiting, reason_of, status_of

Result = TypeVar("Result")

WAITS = (5.0, 20.0, 60.0)  # seconds; the Hub's client has itself tried for half a minute each time
MAY_PASS = (408, 429, 500, 502, 503, 504)  # too many requests, or trouble of the Hub's own
REFUSED = (401, 403)


@dataclass(frozen=True)
class Pushed:
    """Where a gallery lies, the commit that holds it, and whether that commit was made now."""

    url: str
    commit: str
    changed: bool


class GalleryHub:
    """Writes galleries to the Hub; the token is HF_TOKEN's or that of `hf auth login`.

    What fails in a way that may pass is tried again after each of `waits`.
    """

    def __init__(
        self, *, waits: tuple[float, ...] = WAITS, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        from huggingface_hub import HfApi  # takes half a second to import

        limit_waiting()
        self._api = HfApi()
        self._waits, self._sleep = waits, sleep

    def push(self, folder: Path, gallery: Gallery, name: str, *, private: bool, title: str) -> Pushed:
        """Make the dataset `name` where it is missing, and commit the model's table and the card.

        Other models' tables are left alone; the same table twice makes no second commit. Raises HubError with
        the way on; a commit is whole or not there.
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
        ours = {file.relative_to(folder).as_posix(): file for file in _files(folder / model)}
        models = {path.split("/")[0] for path in there if path.endswith(f"/{SETTINGS_FILE}")} | {model}
        page = card(gallery, sorted(models), place=name).encode()
        operations: list[Any] = [CommitOperationAdd(path, str(file)) for path, file in ours.items()]
        operations += [CommitOperationAdd(CARD_FILE, page)]
        stale = {path for path in there if path.startswith(f"{model}/")} - ours.keys()
        operations += [CommitOperationDelete(path) for path in sorted(stale)]
        commit = api.create_commit(name, operations, commit_message=title, repo_type="dataset")
        return Pushed(f"{api.endpoint}/datasets/{name}", commit.oid, commit.oid != before.sha)

    def remove(self, name: str, people: Sequence[str]) -> int:
        """Take people out of every table of the dataset `name`; return how many rows are gone.

        Raises HubError as `push` does, and GalleryError where none of them is in any table.
        """
        info = self._retried(name, lambda: self._api.dataset_info(name))
        files = [file.rfilename for file in info.siblings or ()]
        models = sorted(path.split("/")[0] for path in files if path.endswith(f"/{SETTINGS_FILE}"))
        galleries = [Gallery.load(fetch_gallery(name, model), model=model) for model in models]
        shorter = [(gallery, take_out(gallery, people)) for gallery in galleries]
        if not any(after for _, after in shorter):
            raise GalleryError(f"None of {', '.join(people)} is in the gallery {name}; check the spelling.")
        removed = 0
        for before, after in shorter:
            if after is not None:
                with TemporaryDirectory() as folder:
                    after.save(Path(folder))
                    self.push(Path(folder), after, name, private=False, title="Take somebody out")
                removed += len(before) - len(after)
        return removed

    def _retried(self, name: str, action: Callable[[], Result]) -> Result:
        from httpx2 import TransportError
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError

        for wait in (*self._waits, None):
            try:
                return action()
            except LookalikeError:
                raise
            except HFValidationError as error:
                raise HubError(f"'{name}' is not a name for a dataset; give owner/name.") from error
            except (
                Exception
            ) as error:  # an answer without sense raises whatever reading it does, and may pass
                if isinstance(error, OSError) and not isinstance(error, HfHubHTTPError | TransportError):
                    raise  # a file of ours
                status = status_of(error)
                if status is not None and status not in MAY_PASS:
                    raise HubError(_refusal(name, status, error)) from error
                if wait is None:
                    raise HubError(
                        f"The Hub could not be reached for {name} ({reason_of(error)}); everything is kept: "
                        "give the same command again later, and it goes on from here."
                    ) from error
                self._sleep(wait)
        raise AssertionError("the last round returns or raises")


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.iterdir()) if file.is_file() and file.name[0] != ".")


def _refusal(name: str, status: int, error: Exception) -> str:
    if status in REFUSED:
        return (
            f"The Hub does not let you write {name}; put a token that may write there into HF_TOKEN "
            "(huggingface.co/settings/tokens). The gallery is kept: the same command goes on from here."
        )
    return (
        f"The Hub refused {name} ({reason_of(error)}); check the name. The gallery is kept: "
        "the same command goes on from here."
    )
