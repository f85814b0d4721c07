"""The static site, written once for all tests, and Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.browser_site import CHROMIUM, chromium, runtime_folder, serve
from lookalike.errors import MissingFileError
from lookalike.finder import Lookalikes
from lookalike.web.runtime import copied_runtime
from lookalike.web.site_files import site_files, write_site
from tests.support.chromium import film_of_a_face


@pytest.fixture(scope="session")
def finder() -> Lookalikes:
    return Lookalikes.load()


@pytest.fixture(scope="session")
def runtime() -> Path:
    """The folder of onnxruntime-web; tests are skipped where it cannot be downloaded."""
    try:
        return runtime_folder()
    except MissingFileError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def files(finder: Lookalikes, runtime: Path) -> dict[str, bytes]:
    """The files of a site with the bundled gallery and its own runtime."""
    return site_files(finder, copied_runtime(runtime))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> Iterator[str]:
    """Serve the site on loopback; yield its address."""
    folder = tmp_path_factory.mktemp("site")
    write_site(folder, files)
    with serve(folder) as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium with a camera that shows a film of a face."""
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    film = film_of_a_face(tmp_path_factory.mktemp("film") / "face.mjpeg")
    camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    with chromium(*camera, "--use-fake-ui-for-media-stream") as started:
        yield started
