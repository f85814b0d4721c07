"""The Hugging Face Hub: what a dataset's id looks like, and requests that do not wait for ever."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

FIRST_ANSWER = 10.0  # seconds until the Hub must have named a revision: the start of the page waits for it
SILENCE = 60.0  # seconds without a byte after which a request is given up; the client's own limit is none
NOT_AN_ID = (".parquet", ".csv", ".mat", "/")  # endings of paths


def is_dataset_id(text: str) -> bool:
    """Return whether `text` reads like a dataset's id, `owner/name` or `owner/name@revision`, and not like a
    path. What is on disk under that name is for the caller to prefer.
    """
    if text.count("/") != 1 or "\\" in text:
        return False
    return not text.startswith((".", "/", "~")) and not text.endswith(NOT_AN_ID)


@cache
def limit_waiting() -> None:
    """Give every request of the Hub's client that has no time limit one of SILENCE seconds, from now on."""
    import httpx2
    from huggingface_hub import get_session, set_client_factory

    standard = get_session()
    hooks = {**standard.event_hooks, "request": [*standard.event_hooks["request"], _limit]}

    def make() -> httpx2.Client:
        follow, timeout = standard.follow_redirects, standard.timeout
        return httpx2.Client(event_hooks=hooks, follow_redirects=follow, timeout=timeout)

    set_client_factory(make)


def dataset_commit(name: str, revision: str | None = None) -> str:
    """Return the commit that a revision of the dataset `name` stands for, by one short request.

    Raises whatever the Hub's client raises, and ValueError where the answer names no commit.
    """
    from huggingface_hub import HfApi

    limit_waiting()
    commit = HfApi().dataset_info(name, revision=revision or None, timeout=FIRST_ANSWER).sha
    if not isinstance(commit, str) or not commit.isalnum():  # it becomes the name of a folder
        raise ValueError("the Hub names no commit")
    return commit


def status_of(error: Exception) -> int | None:
    """Return the HTTP status that an error of the Hub's client carries, None where there was no answer."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return None if status is None else int(status)


def reason_of(error: Exception) -> str:
    """Return in one short line why a request to the Hub failed."""
    status = status_of(error)
    return f"status {status}" if status else " ".join(str(error).split())[:200] or type(error).__name__


def _limit(request: httpx2.Request) -> None:
    limits = request.extensions.get("timeout") or {}
    if limits.get("read") is None:
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), SILENCE)
