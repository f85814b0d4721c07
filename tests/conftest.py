"""Fixtures for all tests: the seed, the folder of real photos, a local Hub, and Chromium."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import SHARED

# The tests' Hub listens on this socket. Its address must be set before the Hub's clients are imported; it
# answers only in tests with the fixture `hub`.
HUB_SOCKET = socket.socket()
HUB_SOCKET.bind(("127.0.0.1", 0))
os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{HUB_SOCKET.getsockname()[1]}"
os.environ["HF_HUB_DISABLE_XET"] = "1"  # plain LFS
HUB_CACHE = tempfile.TemporaryDirectory(prefix="hub-cache-", ignore_cleanup_errors=True)
os.environ["HF_HOME"] = HUB_CACHE.name
os.environ.pop("HF_TOKEN", None)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return two processes for the fast tests, none for the others: those watch time, memory or all cores."""
    return 2 if "not slow" in config.option.markexpr else 0


@pytest.fixture(autouse=True, scope="session")
def seed_numpy() -> None:
    np.random.seed(0)


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photos; tests are skipped without it."""
    folder = SHARED / "data" / "photos"
    if not folder.is_dir():
        pytest.skip("shared/data/photos with real photos is missing")
    return folder


@pytest.fixture(scope="session")
def hub_server() -> Iterator[object]:
    """A Hub that runs as long as the tests."""
    from tests.support.hub_server import serve

    with serve(HUB_SOCKET) as hub:
        yield hub


@pytest.fixture
def hub(hub_server, monkeypatch: pytest.MonkeyPatch):
    """The tests' Hub, empty, with its valid token in HF_TOKEN."""
    from tests.support.hub_server import TOKEN

    hub_server.clear()
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return hub_server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Chromium with a camera that shows a film of a face; tests are skipped where it is not installed."""
    from tests.support.chromium import CHROMIUM, film_of_a_face, open_chromium

    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with open_chromium(film_of_a_face(tmp_path_factory.mktemp("camera") / "face.mjpeg")) as started:
        yield started
