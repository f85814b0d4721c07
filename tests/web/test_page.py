"""The static site in Chromium: the same answers as Python's, no request after loading, and bad input."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.browser import compare
from benchmarks.browser_site import open_finder, serve
from lookalike.finder import Lookalikes
from lookalike.space.texts import table
from lookalike.web.runtime import INTEGRITY, NETWORK, network_runtime
from lookalike.web.site_files import site_files, write_site
from tests.support.chromium import a_file
from tests.support.drawing import draw_face, draw_group, draw_landscape
from tests.support.site_tab import READY, choose, opened

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HOSTILE = '<img src=x onerror="document.title=1">"&{title}\u202e'
TEXTS = table("en")


def test_the_browser_answers_drawn_faces_as_python_does(browser: Any, site: str, finder: Lookalikes):
    faces = [draw_face(seed=seed) for seed in range(16)]
    groups = [draw_group(), np.ascontiguousarray(np.rot90(draw_face(seed=3)))]
    found = compare(open_finder(browser, site), finder, [*faces, *groups])
    assert all(each.same_faces and each.box < 2 and each.landmarks < 2 for each in found)
    assert all(each.points < 2 and (each.same_name or each.ahead < 1) for each in found)
    assert sum(each.landmarks == 0 for each in found) > 0.8 * len(found)  # so the crops have the same bytes


def test_after_loading_nothing_is_requested_and_everything_works_offline(browser: Any, site: str):
    with opened(browser, site) as tab:
        tab.wait_for_selector(READY)
        requests: list[str] = []
        tab.on("request", lambda request: requests.append(request.url))
        choose(tab, draw_group())
        tab.wait_for_selector(".face >> nth=2")
        tab.click(".face >> nth=1")
        assert tab.locator(".bars li").count() == 5
        with tab.expect_download() as download:
            tab.click("#share")
        assert download.value.suggested_filename == "my-look-alike.jpg"
        tab.click("nav button[value=compare]")
        choose(tab, draw_face(seed=3), "#first")
        choose(tab, draw_face(seed=3), "#second")
        tab.wait_for_selector("text=100 %")
        assert not [url for url in requests if not url.startswith(("blob:", "data:"))]
        with pytest.raises(Exception, match=r"Content Security Policy|Failed to fetch"):
            tab.evaluate("fetch('site.json')")
        tab.context.set_offline(True)
        tab.reload()
        tab.wait_for_selector(READY)
        choose(tab, draw_face(seed=3))
        tab.wait_for_selector(".bars")


def test_the_camera_names_who_is_seen_and_stops(browser: Any, site: str):
    with opened(browser, site) as tab:
        tab.wait_for_selector(READY)
        tab.click("nav button[value=live]")
        tab.click("#start")
        tab.wait_for_selector(".best")
        others = tab.inner_text("#live-answer .who")
        assert others.count("\u2068") == 2  # each name keeps its percentage
        tab.click("nav button[value=find]")
        assert tab.evaluate("document.getElementById('video').srcObject") is None


def test_the_page_is_in_the_language_of_the_browser_and_fits_a_phone(browser: Any, site: str):
    options = {"locale": "ar", "viewport": {"width": 390, "height": 800}}
    with opened(browser, site, **options) as tab:
        tab.wait_for_selector(READY)
        choose(tab, draw_face(seed=3))
        tab.wait_for_selector(".bars")
        assert tab.evaluate("document.documentElement.dir") == "rtl"
        assert tab.inner_text(".promise") == table("ar")["web_promise"]
        assert tab.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "error_empty_photo"),
        (b"\x89PNG\r\n\x1a\nbroken", "error_unreadable_photo"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "web_heic"),
        (a_file(draw_landscape())["buffer"], "error_no_face"),
        (a_file(np.zeros((300, 300, 3), np.uint8))["buffer"], "error_no_face_dark"),
    ],
)
def test_a_bad_photo_gets_one_sentence_and_the_next_one_an_answer(page_in_use: Any, content: bytes, key: str):
    tab = page_in_use
    tab.set_input_files("#photo", files=[{"name": "me", "mimeType": "image/png", "buffer": content}])
    tab.wait_for_function("text => document.getElementById('status').textContent === text", arg=TEXTS[key])
    choose(tab, draw_face(seed=3))
    tab.wait_for_selector(".bars")


@pytest.fixture(scope="module")
def page_in_use(browser: Any, site: str) -> Iterator[Any]:
    with opened(browser, site) as tab:
        tab.wait_for_selector(READY)
        yield tab


@pytest.mark.parametrize(
    ("script", "key"),
    [
        ("delete globalThis.WebAssembly", "web_no_wasm"),
        ("navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error())", "script_no_camera"),
    ],
)
def test_what_a_browser_lacks_is_said_in_one_sentence(browser: Any, site: str, script: str, key: str):
    with opened(browser, site, script=script) as tab:
        if key == "script_no_camera":
            tab.wait_for_selector(READY)
            tab.click("nav button[value=live]")
            tab.click("#start")
        tab.wait_for_selector(f"#status:text-is({json.dumps(TEXTS[key])})")


@pytest.fixture
def changed_site(tmp_path: Path, files: dict[str, bytes]) -> Iterator[Callable[..., str]]:
    """Return a function that serves the site with one file of its data changed, and returns the address."""
    with ExitStack() as servers:

        def serve_changed(name: str, change: Callable[[bytes], bytes]) -> str:
            path = f"data/{name}.bin"
            changed = gzip.compress(change(gzip.decompress(files[path])))
            write_site(tmp_path, files | {path: changed})
            return servers.enter_context(serve(tmp_path))

        yield serve_changed


def edited(**values: Any) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps(json.loads(content) | values).encode()


@pytest.mark.parametrize(
    ("name", "change", "key"),
    [
        ("gallery", lambda content: content[:-100], "web_damaged"),
        ("gallery.json", lambda content: content[:-100], "web_damaged"),
        ("compact.onnx", lambda content: content[:-100], "web_damaged"),
        ("gallery.json", edited(weights_hash="0" * 64), "web_other_model"),
    ],
)
def test_damaged_data_and_another_model_are_said_in_one_sentence(
    browser: Any, changed_site: Callable[..., str], name: str, change: Callable[[bytes], bytes], key: str
):
    with opened(browser, changed_site(name, change)) as tab:
        tab.wait_for_selector(f"#status:text-is({json.dumps(TEXTS[key])})")


def test_a_hostile_name_is_shown_as_text(browser: Any, changed_site: Callable[..., str], finder: Lookalikes):
    rows = len(finder.gallery)
    facts = {"native": [HOSTILE] * rows, "known_for": [HOSTILE] * rows}
    change = edited(names=[f"{HOSTILE} {row}" for row in range(rows)], facts=facts)
    with opened(browser, changed_site("gallery.json", change)) as tab:
        title = tab.title()
        tab.wait_for_selector(READY)
        choose(tab, draw_face(seed=3))
        tab.wait_for_selector(".bars")
        assert tab.locator(".bars button").first.inner_text().startswith(f"1. {HOSTILE}")
        assert tab.locator("#answer img").count() == 0
        assert tab.title() == title


@pytest.fixture(scope="module")
def online_site(tmp_path_factory: pytest.TempPathFactory, finder: Lookalikes) -> Iterator[str]:
    """Serve a site whose runtime is on the content network; yield its address."""
    folder = tmp_path_factory.mktemp("online")
    write_site(folder, site_files(finder, network_runtime()))
    with serve(folder) as address:
        yield address


@pytest.mark.parametrize("changed", ["", *INTEGRITY])
def test_the_runtime_comes_from_the_content_network_unless_a_file_is_changed(
    browser: Any, online_site: str, runtime: Path, changed: str
):
    asked: list[str] = []

    def answer(route: Any) -> None:
        name = route.request.url.removeprefix(f"{NETWORK}/")
        asked.append(name)
        content = (runtime / "package" / "dist" / name).read_bytes()
        kind = "application/wasm" if name.endswith(".wasm") else "text/javascript"
        headers = {"content-type": kind, "access-control-allow-origin": "*"}
        route.fulfill(body=content + b"\n" * (name == changed), headers=headers)

    # the worker that keeps files would ask past the route
    with opened(browser, "about:blank", service_workers="block") as tab:
        tab.route(f"{NETWORK}/**", answer)
        tab.goto(online_site)
        if changed:
            tab.wait_for_selector(f"#status:text-is({json.dumps(TEXTS['web_damaged'])})")
        else:
            tab.wait_for_selector(READY)
            choose(tab, draw_face(seed=3))
            tab.wait_for_selector(".bars")
            assert sorted(asked) == sorted(INTEGRITY)  # none a second time, where no hash is checked


def test_a_photo_of_the_gallery_is_shown_with_its_credit_if_the_visitor_wants_it(
    browser: Any, changed_site: Callable[..., str], finder: Lookalikes
):
    credits = {row: "Ada, CC BY 4.0" for row in range(len(finder.gallery))}
    with opened(browser, changed_site("gallery.json", edited(photos=credits))) as tab:
        tab.wait_for_selector(READY)
        choose(tab, draw_face(seed=3))
        tab.wait_for_selector(".bars")
        assert tab.locator("#answer img").count() == 0
        with tab.expect_navigation():  # the page opens again
            tab.click("#photos")
        tab.wait_for_selector(READY)
        assert tab.is_checked("#photos")
        choose(tab, draw_face(seed=3))
        tab.wait_for_selector("#answer img", state="attached")
        assert "Ada, CC BY 4.0" in tab.inner_text(".pair")
        with tab.expect_download():  # though there is no such file
            tab.click("#share")
