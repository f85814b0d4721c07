"""The page in Chromium: a camera that shows a film, a tab that reports errors, and files to choose."""

from __future__ import annotations

import base64
import io
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.support.drawing import draw_face

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TIMEOUT = 60_000  # milliseconds: a shared machine under load
RED = (200, 20, 20)
KNOWN = (
    "Method not implemented.",  # gradio's own warning at every load
    "Failed to load resource: the server responded with a status of 503 (Service Unavailable)",
)
LEFT = (
    "AbortError: signal is aborted",
    "Unexpected error Connection errored out.",
)  # what a page says as it is left
DATA_URL = re.compile("^data:image/jpeg")  # of the photo in an answer; before it, the page shows the upload
ALLOWED = ["camera", "clipboard-read", "clipboard-write"]


# A script before the page's own: the visitor is asked for the camera, and allows it by `allow()`.
ASKED = """
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const asked = new Promise(allow => { globalThis.allow = allow; });
  globalThis.streams = [];
  navigator.mediaDevices.getUserMedia = async wanted => {
    await asked;
    const stream = await open(wanted);
    streams.push(stream);
    return stream;
  };
"""


@contextmanager
def open_chromium(film: Path) -> Iterator[Any]:
    """Run Chromium; its camera shows `film`."""
    from playwright import sync_api

    sync_api.expect.set_options(timeout=TIMEOUT)
    camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    answer = "--use-fake-ui-for-media-stream"  # nobody is asked
    with sync_api.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *camera, answer])
        yield browser
        browser.close()


@contextmanager
def open_tab(
    browser: Any,
    url: str,
    *,
    width: int,
    height: int,
    scheme: str = "light",
    locale: str = "en-US",
    script: str = "",
) -> Iterator[Any]:
    """Open the page, where `script` runs first; afterwards it must fit the width and have reported no
    error.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        permissions=ALLOWED,
        locale=locale,
    )
    tab = context.new_page()
    tab.set_default_timeout(TIMEOUT)
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.on("domcontentloaded", lambda: _forget(errors, LEFT))
    tab.add_init_script(script)
    tab.goto(url)
    tab.wait_for_selector("#photo input[type=file]", state="attached")
    yield tab
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    unknown = [text for text in errors if text not in KNOWN]
    assert not unknown, unknown
    context.close()


def _forget(errors: list[str], starts: tuple[str, ...]) -> None:
    errors[:] = [text for text in errors if not text.startswith(starts)]


def see_answer(tab: Any, matches: int = 5) -> None:
    """Wait until the whole answer to a photo is shown. Its parts appear one after the other."""
    from playwright.sync_api import expect

    expect(tab.locator("#photo img").first).to_have_attribute("src", DATA_URL)
    expect(tab.locator("#duel .pair")).to_be_visible()
    for part, count in (("#duel .pair img", 2), ("#matches .thumbnail-item", matches), ("#bars li", matches)):
        expect(tab.locator(part)).to_have_count(count)


def film_of_a_face(path: Path) -> Path:
    """Write a Motion JPEG film of a drawn face that moves a little, with a red bar at the right edge."""
    face = draw_face(seed=3)
    with path.open("wb") as file:
        for frame in range(20):
            sheet = np.full((480, 640, 3), 200, np.uint8)
            sheet[:, 60 + frame : 540 + frame] = face
            sheet[:, 600:] = RED
            buffer = io.BytesIO()
            Image.fromarray(sheet).save(buffer, "JPEG", quality=90)
            file.write(buffer.getvalue())
    return path


def upload(tab: Any, place: str, image: np.ndarray, number: int = 0, kind: str = "PNG") -> None:
    choose(tab, place, a_file(image, kind), number)


def choose(tab: Any, place: str, file: dict[str, Any], number: int = 0) -> None:
    tab.locator(f"{place} input[type=file]").nth(number).set_input_files(file)


def a_file(image: np.ndarray, kind: str = "PNG") -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return {"name": f"me.{kind.lower()}", "mimeType": f"image/{kind.lower()}", "buffer": buffer.getvalue()}


def allowed_cameras(tab: Any, count: int) -> list[str]:
    """Allow the camera on a page with the script ASKED; return what has become of its `count` tracks."""
    tab.evaluate("allow()")
    tab.wait_for_function("count => streams.length === count", arg=count)
    tab.wait_for_timeout(300)
    return list(tab.evaluate("streams.map(stream => stream.getTracks()[0].readyState)"))


def carry(tab: Any, file: dict[str, Any]) -> Any:
    """Return a file as a drop carries it: the browser's DataTransfer."""
    script = """([data, name, type]) => {
      const carried = new DataTransfer();
      const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
      carried.items.add(new File([bytes], name, {type}));
      return carried;
    }"""
    data = base64.b64encode(file["buffer"]).decode()
    return tab.evaluate_handle(script, [data, file["name"], file["mimeType"]])


def copy(tab: Any, file: dict[str, Any]) -> None:
    """Put a PNG on the clipboard."""
    script = "carried => navigator.clipboard.write([new ClipboardItem({'image/png': carried.files[0]})])"
    tab.evaluate(script, carry(tab, file))


def drop(tab: Any, place: str, file: dict[str, Any]) -> bool:
    """Drop a file on the first element with this CSS selector; return whether the browser would open it."""
    script = """([target, dataTransfer]) =>
      target.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}))"""
    target = tab.locator(place).first.element_handle()
    return bool(tab.evaluate(script, [target, carry(tab, file)]))


BROKEN = {"name": "me.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nbroken"}
