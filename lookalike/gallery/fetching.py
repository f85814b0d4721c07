"""Galleries from where they lie: inside the project, in a folder, or on the Hub.

Of a dataset on the Hub only one model's Parquet and JSON files are fetched; nothing in it is run.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from lookalike.errors import GalleryError, MismatchError, MissingFileError, UnreachableError
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.hub import dataset_commit, is_dataset_id, reason_of, status_of

log = logging.getLogger(__name__)

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
    if Path(gallery).is_dir() or not is_dataset_id(str(gallery)):
        return Gallery.load(Path(gallery), model=model)
    try:
        return Gallery.load(fetch_gallery(str(gallery), model), model=model)
    except (MismatchError, UnreachableError):
        raise
    except GalleryError as error:  # a file that was damaged on its way would stay so in the cache
        log.warning("%s is fetched afresh: %s", gallery, error)
        return Gallery.load(fetch_gallery(str(gallery), model, afresh=True), model=model)


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
        dataset_commit(name, revision)  # one short question: what follows would try for minutes
        return Path(snapshot_download(name, revision=revision or None, force_download=afresh, **fetched))
    except Exception as error:  # the Hub's client passes on what an answer without sense does to it
        if afresh or status_of(error) in REFUSALS:
            raise _unreachable(dataset, error) from error
        trouble = error
    try:
        folder = snapshot_download(name, revision=revision or None, local_files_only=True, **fetched)
    except Exception as error:
        raise _unreachable(dataset, trouble) from error
    log.warning("the Hub is away (%s); %s is served as it was last fetched", reason_of(trouble), dataset)
    return Path(folder)


def latest_version(gallery: str | Path, *, model: str) -> str:
    """Return what changes when a gallery does: a Hub dataset's commit, a folder's settings.

    Raises UnreachableError, or MissingFileError where a folder has no table for the model.
    """
    if Path(gallery).is_dir() or not is_dataset_id(str(gallery)):
        settings = Path(gallery) / model / SETTINGS_FILE
        try:
            return hashlib.sha256(settings.read_bytes()).hexdigest()
        except OSError as error:
            raise MissingFileError(f"{settings} cannot be read; build the gallery again.") from error
    name, _, revision = str(gallery).partition("@")
    try:
        return dataset_commit(name, revision)
    except Exception as error:  # as above
        raise _unreachable(str(gallery), error) from error


def _unreachable(dataset: str, error: Exception) -> UnreachableError:
    return UnreachableError(
        f"The gallery '{dataset}' could not be fetched from the Hub ({reason_of(error)}); "
        "check its name, its revision, HF_TOKEN and the network, or name a folder."
    )
