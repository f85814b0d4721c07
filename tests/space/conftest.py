"""The app that the tests of the page share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import serving


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run `python app.py` without network, for all tests that change nothing; yield its address."""
    with serving(tmp_path_factory.mktemp("app")) as server:
        yield server.address
