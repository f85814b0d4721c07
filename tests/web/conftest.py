"""The static site, written once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.browser_site import runtime_folder, serve
from lookalike.errors import MissingFileError
from lookalike.finder import Lookalikes
from lookalike.web.runtime import copied_runtime
from lookalike.web.site_files import site_files, write_site


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
