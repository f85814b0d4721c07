"""The address under which a visitor sees the page."""

from __future__ import annotations

import re
from collections.abc import Mapping


def public_url(scheme: str | None, host: str | None, root_path: str = "") -> str:
    """Return the page's URL from a request's headers; a host that is not a plain name is ignored.

    `root_path` is GRADIO_ROOT_PATH: the prefix behind a proxy, or the whole URL.
    """
    if root_path.startswith(("http://", "https://")):
        return root_path.rstrip("/")
    if host is None or not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", host):
        scheme, host = "http", "127.0.0.1:7860"
    return f"{'https' if scheme == 'https' else 'http'}://{host}{root_path.rstrip('/')}"


def url_of(headers: Mapping[str, str], root_path: str) -> str:
    """Return the URL under which a visitor sees the page; `headers` are those of the request."""
    return public_url(headers.get("x-forwarded-proto"), headers.get("host"), root_path)
