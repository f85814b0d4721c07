"""What the tests share: small galleries, a fake model and a fake detector, and where the real faces are."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import SHARED

# The Hub of these tests is on this machine, behind a door that is bound now and answered only where a test
# asks for `hub`; the clients read where it is when they are imported.
HUB_DOOR = socket.socket()
HUB_DOOR.bind(("127.0.0.1", 0))
os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{HUB_DOOR.getsockname()[1]}"
os.environ["HF_HUB_DISABLE_XET"] = "1"  # plain LFS
HUB_CACHE = tempfile.TemporaryDirectory(prefix="hub-cache-", ignore_cleanup_errors=True)
os.environ["HF_HOME"] = HUB_CACHE.name
os.environ.pop("HF_TOKEN", None)


@pytest.fixture(autouse=True, scope="session")
def no_stray_randomness() -> None:
    np.random.seed(0)


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photos, where there is one."""
    folder = SHARED / "data" / "photos"
    if not folder.is_dir():
        pytest.skip("the real photos are not here")
    return folder


@pytest.fixture(scope="session")
def hub_server() -> Iterator[object]:
    """A Hub that is served as long as the tests run."""
    from tests.support.hub_server import serve

    with serve(HUB_DOOR) as hub:
        yield hub


@pytest.fixture
def hub(hub_server, monkeypatch: pytest.MonkeyPatch):
    """The tests' Hub, empty, with its good token in HF_TOKEN."""
    from tests.support.hub_server import TOKEN

    hub_server.clear()
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return hub_server
