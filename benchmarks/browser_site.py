"""The static site on loopback and its finder in Chromium, driven from Python."""

from __future__ import annotations

import base64
import functools
import http.server
import io
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import MissingFileError
from lookalike.web.runtime import VERSION

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LOAD = """async () => {
  const { loadFinder } = await import("/page/loading.js");
  const { readImage } = await import("/images.js");
  const { detectUpright } = await import("/faces/turning.js");
  const finder = await loadFinder(await (await fetch("site.json")).json());
  const decode = async (text) => readImage(await (await fetch(`data:image/png;base64,${text}`)).blob());
  Object.assign(globalThis, { finder, decode, detectUpright });
}"""
ANSWER = """async (texts) => {
  const answers = [];
  for (const text of texts) {
    const { faces } = await finder.answer(await decode(text));
    const plain = ({ face, matches, standing, hardToRead }) => ({ face, matches, standing, hardToRead });
    answers.push(faces.map(plain));
  }
  return answers;
}"""
STAGES = """async ([text, count]) => {
  const photo = await decode(text);
  const frames = [];
  for (let i = 0; i < count; i++) {
    const times = [performance.now()];
    const { image, faces: [face] } = await detectUpright(finder.detector, photo);
    times.push(performance.now());
    const embedding = await finder.embedder.embed(image, face);
    times.push(performance.now());
    finder.lookup(face, embedding);
    times.push(performance.now());
    frames.push(times.slice(1).map((time, stage) => time - times[stage]));
  }
  return frames;
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Write nothing."""


def runtime_folder() -> Path:
    """Return the folder of onnxruntime-web, downloaded by `npm pack` and kept in the temporary folder.

    Raises MissingFileError without npm or its registry.
    """
    folder = Path(tempfile.gettempdir()) / f"onnxruntime-web-{VERSION}"
    if (folder / "package").is_dir():
        return folder
    with tempfile.TemporaryDirectory() as work:
        try:
            command = ["npm", "pack", "--silent", f"onnxruntime-web@{VERSION}"]
            subprocess.run(command, cwd=work, check=True, capture_output=True, timeout=120)
        except (OSError, subprocess.SubprocessError) as error:
            raise MissingFileError(
                f"onnxruntime-web {VERSION} cannot be downloaded; npm or its registry is missing."
            ) from error
        (packed,) = Path(work).glob("*.tgz")
        shutil.unpack_archive(packed, folder, filter="data")
    return folder


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; yield its address, which ends with a slash."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def chromium(*switches: str) -> Iterator[Any]:
    """Run Chromium without a window. Raises MissingFileError where it is not installed."""
    if CHROMIUM is None:
        raise MissingFileError("Chromium is not installed.")
    from playwright import sync_api

    with sync_api.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *switches])
        yield browser
        browser.close()


def open_finder(browser: Any, address: str) -> Any:
    """Return a tab in which `finder` and `decode` are loaded, on a page of the site without a policy."""
    tab = browser.new_page()
    tab.goto(f"{address}site.json")
    tab.evaluate(LOAD)
    return tab


def answers(tab: Any, photos: Sequence[NDArray[np.uint8]]) -> list[list[dict[str, Any]]]:
    """Return the faces that `finder.answer` of the browser finds in (H, W, 3) uint8 RGB photos, sent as
    PNG.
    """
    found: list[list[dict[str, Any]]] = tab.evaluate(ANSWER, [as_text(photo) for photo in photos])
    return found


def stage_times(tab: Any, photo: NDArray[np.uint8], count: int) -> list[dict[str, float]]:
    """Return the milliseconds of each stage for a photo of one face that is answered `count` times."""
    frames: list[list[float]] = tab.evaluate(STAGES, [as_text(photo), count])
    return [dict(zip(("detect", "align and embed", "search"), frame, strict=True)) for frame in frames]


def as_text(photo: NDArray[np.uint8]) -> str:
    """Return an (H, W, 3) uint8 RGB photo as PNG in base64."""
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "PNG", compress_level=1)
    return base64.b64encode(buffer.getvalue()).decode()
