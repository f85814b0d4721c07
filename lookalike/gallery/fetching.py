"""Galleries from where they lie: inside the project, in a folder, or on the Hub.

Of a dataset on the Hub only one model's Parquet and JSON files are fetched; nothing in it is run.
"""

from __future__ import annotations

import hashlib
import logging
from functools import cache
from pathlib import Path
from typing import Any

from lookalike.errors import GalleryError, MismatchError, MissingFileError, UnreachableError
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.settings import SETTINGS_FILE

log = logging.getLogger(__name__)

FIRST_WORD = 10.0  # seconds for the Hub to say which revision there is; who starts a page waits for it
SILENCE = 60.0  # seconds without a byte after which a request is given up: the Hub's client waits for ever
REFUSALS = (
    401,
    403,
    404,
)  # no such dataset or revision, or no right to it: an older copy is no answer to that


def open_gallery(gallery: str | Path | None, *, model: str) -> Gallery:
    """Load the bundled gallery, a folder, or a Hub dataset `owner/name[@revision]`; a folder of that name
    comes first.
    """
    if gallery is None:
        return Gallery.load(model=model)
    if not on_the_hub(gallery):
        return Gallery.load(Path(gallery), model=model)
    try:
        return Gallery.load(fetch_gallery(str(gallery), model), model=model)
    except (MismatchError, UnreachableError):
        raise
    except GalleryError as error:  # a file that was damaged on its way would stay so in the cache
        log.warning("%s is fetched afresh: %s", gallery, error)
        return Gallery.load(fetch_gallery(str(gallery), model, afresh=True), model=model)


def on_the_hub(gallery: str | Path) -> bool:
    """Say whether this names a dataset on the Hub, not a folder."""
    if isinstance(gallery, Path) or Path(gallery).is_dir():
        return False
    return gallery.count("/") == 1 and not gallery.startswith((".", "/", "~")) and "\\" not in gallery


def fetch_gallery(dataset: str, model: str, *, afresh: bool = False) -> Path:
    """Return the folder in the Hub's cache that holds one model's table of `owner/name[@revision]`.

    What was fetched before is served where the Hub is away, unless it is wanted `afresh`. Raises
    UnreachableError.
    """
    from huggingface_hub import snapshot_download

    name, _, revision = dataset.partition("@")
    patterns = [f"{model}/*.parquet", f"{model}/{SETTINGS_FILE}"]
    fetched: dict[str, Any] = {"repo_type": "dataset", "allow_patterns": patterns}
    try:
        _hub_revision(name, revision)  # one short question: what follows would try for minutes
        return Path(snapshot_download(name, revision=revision or None, force_download=afresh, **fetched))
    except Exception as error:  # the Hub's client passes on what an answer without sense does to it
        if afresh or _status(error) in REFUSALS:
            raise _unreachable(dataset, error) from error
        trouble = error
    try:
        folder = snapshot_download(name, revision=revision or None, local_files_only=True, **fetched)
    except Exception as error:
        raise _unreachable(dataset, trouble) from error
    log.warning("the Hub is away (%s); %s is served as it was last fetched", _reason(trouble), dataset)
    return Path(folder)


def latest_version(gallery: str | Path, *, model: str) -> str:
    """Return what changes when a gallery does: a Hub dataset's commit, a folder's settings.

    Raises UnreachableError, or MissingFileError where a folder has no table for the model.
    """
    if not on_the_hub(gallery):
        settings = Path(gallery) / model / SETTINGS_FILE
        try:
            return hashlib.sha256(settings.read_bytes()).hexdigest()
        except OSError as error:
            raise MissingFileError(f"{settings} cannot be read; build the gallery again.") from error
    name, _, revision = str(gallery).partition("@")
    try:
        return _hub_revision(name, revision)
    except Exception as error:  # as above
        raise _unreachable(str(gallery), error) from error


def _hub_revision(name: str, revision: str) -> str:
    """Return the commit that a revision of a dataset stands for; raise whatever the Hub's client raises."""
    from huggingface_hub import HfApi

    be_patient()
    commit = HfApi().dataset_info(name, revision=revision or None, timeout=FIRST_WORD).sha
    if not isinstance(commit, str) or not commit.isalnum():  # it becomes a folder's name
        raise ValueError("the Hub names no commit")
    return commit


@cache
def be_patient() -> None:
    """Let no request to the Hub wait for ever; many of its client's own set no limit."""
    import httpx2
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils._http import default_client_factory  # pinned; there is no public way to it

    def limit(request: httpx2.Request) -> None:
        limits = request.extensions.get("timeout") or {}
        if limits.get("read") is None:
            request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), SILENCE)

    def make() -> httpx2.Client:
        client = default_client_factory()
        client.event_hooks = {**client.event_hooks, "request": [*client.event_hooks["request"], limit]}
        return client

    set_client_factory(make)


def _unreachable(dataset: str, error: Exception) -> UnreachableError:
    return UnreachableError(
        f"The gallery '{dataset}' could not be fetched from the Hub ({_reason(error)}); "
        "check its name, its revision, HF_TOKEN and the network, or name a folder."
    )


def _status(error: Exception) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _reason(error: Exception) -> str:
    status = _status(error)
    return f"status {status}" if status else " ".join(str(error).split())[:150] or type(error).__name__
