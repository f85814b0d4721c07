"""Open the bundled gallery, one in a folder, or one on the Hub.

From a dataset on the Hub only one model's Parquet and JSON files are downloaded; nothing in it is executed.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from lookalike.errors import GalleryError, MismatchError, MissingFileError, UnreachableError
from lookalike.files import sha256_of
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.gallery.storage import models_among, models_in
from lookalike.hub import NO_PERMISSION, dataset_commit, dataset_files, is_dataset_id, reason_of, status_of

log = logging.getLogger(__name__)

# no such dataset or revision, or no access: then the cached copy is not used either
REFUSALS = (*NO_PERMISSION, 404)


def open_gallery(gallery: str | Path | None, *, model: str) -> Gallery:
    """Load the bundled gallery (None), a folder, or else a Hub dataset `owner/name[@revision]`.

    Raises GalleryError, or a subclass, with the way out.
    """
    if gallery is None:
        return Gallery.load(model=model)
    if Path(gallery).is_dir() or not is_dataset_id(str(gallery)):
        return Gallery.load(Path(gallery), model=model)
    try:
        return Gallery.load(fetch_gallery(str(gallery), model), model=model)
    except (MismatchError, UnreachableError):
        raise
    except GalleryError as error:  # a file that was damaged in transit would stay damaged in the cache
        log.warning("%s is downloaded again: %s", gallery, error)
        return Gallery.load(fetch_gallery(str(gallery), model, force=True), model=model)


def is_gallery(place: str | Path) -> bool:
    """Return whether a folder, or else a dataset on the Hub, holds a gallery, for whichever model.

    Raises UnreachableError where the Hub does not tell.
    """
    if Path(place).exists() or not is_dataset_id(str(place)):
        return Path(place).is_dir() and bool(models_in(Path(place)))
    name, _, revision = str(place).partition("@")
    try:
        return bool(models_among(dataset_files(name, revision)))
    except Exception as error:  # reading a malformed answer can raise anything
        raise _unreachable(str(place), error) from error


def fetch_gallery(dataset: str, model: str, *, force: bool = False) -> Path:
    """Return the folder in the Hub's cache that holds one model's table of `owner/name[@revision]`.

    Where the Hub is out of reach, the cached copy is used, unless `force` demands a new download. Raises
    UnreachableError.
    """
    from huggingface_hub import snapshot_download

    name, _, revision = dataset.partition("@")
    patterns = [f"{model}/*.parquet", f"{model}/{SETTINGS_FILE}"]
    fetched: dict[str, Any] = {
        "repo_type": "dataset",
        "allow_patterns": patterns,
        "ignore_patterns": [f"{model}/*/*"],  # an asterisk also stands for slashes
    }
    try:
        dataset_commit(name, revision)  # one short request: snapshot_download would retry for minutes
        return Path(snapshot_download(name, revision=revision or None, force_download=force, **fetched))
    except Exception as error:  # reading a malformed answer can raise anything
        if force or status_of(error) in REFUSALS:
            raise _unreachable(dataset, error) from error
        trouble = error
    try:
        folder = snapshot_download(name, revision=revision or None, local_files_only=True, **fetched)
    except Exception as error:
        raise _unreachable(dataset, trouble) from error
    log.warning("the Hub is out of reach (%s); the cached copy of %s is used", reason_of(trouble), dataset)
    return Path(folder)


def latest_version(gallery: str | Path, *, model: str) -> str:
    """Return a text that changes when the gallery does: a Hub dataset's commit, or a hash of the settings.

    Raises UnreachableError, or MissingFileError where a folder has no table for the model.
    """
    if Path(gallery).is_dir() or not is_dataset_id(str(gallery)):
        settings = Path(gallery) / model / SETTINGS_FILE
        try:
            return sha256_of(settings)
        except OSError as error:
            raise MissingFileError(f"{settings} cannot be read; build the gallery again.") from error
    name, _, revision = str(gallery).partition("@")
    try:
        return dataset_commit(name, revision)
    except Exception as error:  # as above
        raise _unreachable(str(gallery), error) from error


def forget_version(gallery: str | Path, version: str) -> None:
    """Delete a version of a Hub gallery (see `latest_version`) from the Hub's cache; a folder stays as it is.

    Parts that other versions share stay, too. Raises OSError.
    """
    if Path(gallery).is_dir() or not is_dataset_id(str(gallery)):
        return
    from huggingface_hub import scan_cache_dir

    cache, name = scan_cache_dir(), str(gallery).partition("@")[0]
    repos = [repo for repo in cache.repos if (repo.repo_type, repo.repo_id) == ("dataset", name)]
    there = {revision.commit_hash for repo in repos for revision in repo.revisions}
    if version in there:
        cache.delete_revisions(version).execute()


def _unreachable(dataset: str, error: Exception) -> UnreachableError:
    return UnreachableError(
        f"The gallery '{dataset}' could not be downloaded from the Hub ({reason_of(error)}); "
        "check its name, its revision, HF_TOKEN and the network, or give a folder."
    )
