"""The Hugging Face Hub: dataset ids, commits, time limits for requests, and reasons of failures."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import DatasetInfo

COMMIT_TIMEOUT = 10.0  # seconds to look up a commit: the start of the page waits for it
READ_TIMEOUT = 60.0  # seconds without a byte; the Hub's client itself has no limit
NO_PERMISSION = (401, 403)  # statuses
TEMPORARY = (408, 429, 500, 502, 503, 504)  # statuses: too many requests, or an error of the Hub itself
PATH_ENDINGS = (".parquet", ".csv", ".tsv", ".tar", ".mat", "/")


def is_dataset_id(text: str) -> bool:
    """Return whether `text` looks like a dataset id (`owner/name` or `owner/name@revision`), not like a path.

    It does not look at the disk: a caller that accepts both checks for an existing path first.
    """
    if text.count("/") != 1 or "\\" in text:
        return False
    return not text.startswith((".", "/", "~")) and not text.endswith(PATH_ENDINGS)


@cache
def limit_waiting() -> None:
    """Set a time limit of READ_TIMEOUT seconds for all requests of the Hub's client that have none."""
    import httpx2
    from huggingface_hub import get_session, set_client_factory

    standard = get_session()
    hooks = {**standard.event_hooks, "request": [*standard.event_hooks["request"], _limit]}

    def make() -> httpx2.Client:
        follow, timeout = standard.follow_redirects, standard.timeout
        return httpx2.Client(event_hooks=hooks, follow_redirects=follow, timeout=timeout)

    set_client_factory(make)


def dataset_commit(name: str, revision: str | None = None) -> str:
    """Return the commit of a revision of the dataset `name`, with one request.

    Raises what the Hub's client raises, and ValueError if the answer contains no commit.
    """
    commit = _dataset_info(name, revision).sha
    if not isinstance(commit, str) or not commit.isalnum():  # it becomes the name of a folder
        raise ValueError("the answer of the Hub contains no commit")
    return commit


def dataset_files(name: str, revision: str | None = None) -> list[str]:
    """Return the paths of the files in a revision of the dataset `name`, with one request.

    Raises what the Hub's client raises.
    """
    return [file.rfilename for file in _dataset_info(name, revision).siblings or ()]


def _dataset_info(name: str, revision: str | None) -> DatasetInfo:
    from huggingface_hub import HfApi

    limit_waiting()
    return HfApi().dataset_info(name, revision=revision or None, timeout=COMMIT_TIMEOUT)


def status_of(error: Exception) -> int | None:
    """Return the HTTP status in an error of the Hub's client, None if there was no answer."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return None if status is None else int(status)


def reason_of(error: Exception) -> str:
    """Return the reason in one short line why a request to the Hub failed."""
    status = status_of(error)
    return f"status {status}" if status else " ".join(str(error).split())[:200] or type(error).__name__


def _limit(request: httpx2.Request) -> None:
    limits = request.extensions.get("timeout") or {}
    if limits.get("read") is None:
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), READ_TIMEOUT)
