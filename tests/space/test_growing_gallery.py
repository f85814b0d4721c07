"""A folder of photos given to the page, watched in a real browser until all of its people are served.

Skipped where Chromium or Playwright is missing.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from PIL import Image

from tests.support.chromium import CHROMIUM, film_of_a_face, open_chromium, open_tab, see_answer, upload
from tests.support.drawing import draw_face
from tests.support.server import data_url, encoded, outcome, serving

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

PEOPLE, PHOTOS = 24, 10  # 240 photos: the first part has 128 of them, of thirteen people
FACE = draw_face(3)
BUILD_SECONDS = (
    600  # on a shared machine under load, for the build has the lowest priority; otherwise it takes 20
)


@pytest.fixture(scope="module")
def stars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "stars"
    for number in range(PEOPLE * PHOTOS):
        person = number % PEOPLE
        path = folder / f"Name {person:02}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_face(person, size=200 + number // PEOPLE)).save(path)
    return folder


def test_the_page_follows_a_build_without_a_reload(stars: Path, tmp_path: Path):
    cache = {"LOOKALIKE_CACHE": str(tmp_path / "cache")}
    with (
        paused_build(stars) as go_on,
        serving(tmp_path / "page", "--gallery", str(stars), **cache) as server,
        open_chromium(film_of_a_face(tmp_path / "face.mjpeg")) as browser,
        open_tab(browser, server.address, width=390, height=844) as tab,
    ):
        notice, title = tab.locator("#building"), tab.locator("#title")
        playwright.expect(notice).to_contain_text("The gallery “stars” is being built: ")
        upload(tab, "#photo", FACE)
        see_answer(tab)
        before = tab.locator("#bars .name").first.text_content()
        assert "Name " not in before  # the bundled gallery's
        go_on()
        playwright.expect(title).to_contain_text(
            f"your face with {PEOPLE} celebrities", timeout=BUILD_SECONDS * 1000
        )
        playwright.expect(notice).to_be_hidden(timeout=BUILD_SECONDS * 1000)
        playwright.expect(tab.locator("#gender")).to_be_hidden()  # nobody knows these people's
        assert tab.locator("#bars .name").first.text_content() == before  # the answer stays
        upload(tab, "#photo", FACE)
        playwright.expect(tab.locator("#bars .name").first).to_contain_text("1. Name 03")

    with serving(tmp_path / "again", "--gallery", str(stars), **cache) as server:
        assert outcome(server.ask(data_url(encoded(FACE)))) == "answer: Name 03"  # at once


def test_a_killed_page_goes_on_with_its_build(stars: Path, tmp_path: Path):
    cache = tmp_path / "cache"
    with serving(tmp_path / "page", "--gallery", str(stars), LOOKALIKE_CACHE=str(cache)) as server:
        wait_for(lambda: list(cache.glob("galleries/*/.work/*/part-*.parquet")))
        os.kill(server.pid, signal.SIGKILL)
    with serving(tmp_path / "again", "--gallery", str(stars), LOOKALIKE_CACHE=str(cache)) as server:
        wait_for(lambda: outcome(server.ask(data_url(encoded(FACE)))) == "answer: Name 03")
        wait_for(lambda: re.search(f"Gallery of {PEOPLE} names", server.log.read_text()))


@contextmanager
def paused_build(source: Path) -> Iterator[Callable[[], None]]:
    """Pause the build of `source` as soon as it has begun; yield what lets it go on."""
    found: list[int] = []

    def pause() -> None:
        wait_for(lambda: found.extend(builds_of(source)) or found)
        os.kill(found[0], signal.SIGSTOP)

    thread = threading.Thread(target=pause)
    thread.start()

    def go_on() -> None:
        thread.join()
        os.kill(found[0], signal.SIGCONT)

    yield go_on


def builds_of(source: Path) -> list[int]:
    """Return the processes that run build_gallery.py on `source`."""
    commands = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            commands[int(path.parent.name)] = path.read_bytes().decode(errors="replace").split("\0")
    return [
        number
        for number, words in commands.items()
        if str(source) in words and any("build_gallery" in word for word in words)
    ]


def wait_for(done, seconds: float = BUILD_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)
