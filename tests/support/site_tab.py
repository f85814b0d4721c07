"""The static site in a tab of Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tests.support.chromium import TIMEOUT, a_file

READY = "body[data-ready]"


@contextmanager
def opened(browser: Any, address: str, *, script: str = "", **options: Any) -> Iterator[Any]:
    """Open a page of its own, where `script` runs first; afterwards no script may have failed."""
    context = browser.new_context(permissions=["camera"], **options)
    tab = context.new_page()
    tab.set_default_timeout(TIMEOUT)
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.add_init_script(script)
    tab.goto(address)
    yield tab
    assert not errors
    context.close()


def choose(tab: Any, image: np.ndarray, place: str = "#photo") -> None:
    tab.set_input_files(place, files=[a_file(image)])
