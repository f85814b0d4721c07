"""The switch "Private: on this device": reads every byte that leaves the browser."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lookalike.space.texts import table
from tests.support.chromium import a_file, drop, open_tab
from tests.support.drawing import draw_face
from tests.support.server import serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def private_url(tmp_path_factory: pytest.TempPathFactory, runtime: Path) -> Iterator[str]:
    """Run `python app.py` with a runtime of its own; yield its address."""
    with serving(tmp_path_factory.mktemp("app"), "--runtime", str(runtime)) as server:
        yield server.address


def test_the_server_serves_the_site_with_a_policy_of_its_own(private_url: str, files: dict[str, bytes]):
    page = httpx.get(f"{private_url}/private/", timeout=60)
    assert page.content == files["index.html"]
    assert "unsafe-eval'" not in page.headers["content-security-policy"]
    data = httpx.get(f"{private_url}/private/data/gallery.json.bin", timeout=60)
    assert gzip.decompress(data.content) == gzip.decompress(files["data/gallery.json.bin"])
    for path in ("data", "%2e%2e/app.py", "photos/0.webp"):
        assert httpx.get(f"{private_url}/private/{path}", timeout=60).status_code == 404


@pytest.mark.browser
def test_in_private_mode_no_byte_leaves_the_browser_once_the_page_has_loaded(browser: Any, private_url: str):
    with open_tab(browser, private_url, width=1280, height=900) as tab:
        tab.set_default_timeout(60_000)
        sent: list[tuple[str, str, bytes | None]] = []
        tab.context.on(
            "request", lambda asked: sent.append((asked.method, asked.url, asked.post_data_buffer))
        )
        tab.get_by_label(table("en")["label_private"]).check()
        site = tab.frame_locator("#private-frame iframe")
        site.locator("body[data-ready]").wait_for()
        assert tab.locator(".tabs").is_hidden()
        whole = [(method, body) for method, url, body in sent if "/private/" in url]
        assert len(whole) > 20 and set(whole) == {("GET", None)}
        sent.clear()
        photo = a_file(draw_face(seed=3))
        site.locator("#photo").set_input_files(files=[photo])
        site.locator(".bars li").nth(4).wait_for()
        drop(tab, "h1", photo)  # beside the frame
        assert tab.locator("#private-frame p").inner_text() == table("en")["script_private"]
        assert [each for each in sent if not each[1].startswith(("blob:", "data:"))] == []
        tab.get_by_label(table("en")["label_private"]).uncheck()
        assert tab.locator(".tabs").first.is_visible()
        assert tab.locator("#private-frame iframe").count() == 0
