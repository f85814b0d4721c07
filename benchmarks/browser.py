"""The finder in Chromium beside Python's: the same answers, and how long each takes."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.browser_site import answers, as_text, open_finder, stage_times
from benchmarks.camera import send_frames
from benchmarks.probe import CAMERA, frame
from benchmarks.serving import APP, run_page
from lookalike.evaluation.markdown import markdown, percent
from lookalike.finder import Answer, Lookalikes
from lookalike.images import read_image

RGB = NDArray[np.uint8]
NEAR = 2  # points of the percentage
MANY = """async ([text, count]) => {
  const photo = await decode(text);
  for (let i = 0; i < count; i++) await finder.answer(photo);
}"""


@dataclass(frozen=True)
class Difference:
    """How far two answers to one photo are apart: pixels between the edges of boxes and between landmarks,
    points of the first match's percentage, and whether the first names are the same.

    `ahead` is by how many points Python's first match is ahead of its second.
    """

    faces: int
    same_faces: bool
    same_name: bool = False
    box: float = 0.0
    landmarks: float = 0.0
    points: float = 0.0
    ahead: float = 0.0


def compare(tab: Any, finder: Lookalikes, photos: Sequence[RGB]) -> list[Difference]:
    """Return the difference of the largest face of each (H, W, 3) photo in which Python finds one."""
    found = []
    for photo in photos:
        ours = finder.answer(photo)
        if ours.faces:
            found.append(_difference(ours, answers(tab, [photo])[0]))
    return found


def _difference(ours: Answer, theirs: list[dict[str, Any]]) -> Difference:
    count = len(ours.faces)
    if len(theirs) != count:
        return Difference(count, same_faces=False)
    one, other = ours.faces[0], theirs[0]
    match, runner_up = one.matches[:2]
    return Difference(
        count,
        same_faces=True,
        same_name=match.name == other["matches"][0]["name"],
        box=_farthest(one.face.box, other["face"]["box"]),
        landmarks=_farthest(one.face.landmarks, other["face"]["landmarks"]),
        points=abs(match.similarity - other["matches"][0]["similarity"]),
        ahead=match.similarity - runner_up.similarity,
    )


def _farthest(one: Any, other: Any) -> float:
    return float(np.abs(np.asarray(one) - np.asarray(other)).max())


def equality_table(differences: Sequence[Difference]) -> str:
    """Return the table of how far the answers are apart."""
    there = [each for each in differences if each.same_faces]
    rows = [
        ["the same number of faces", percent(len(there) / len(differences)), ""],
        [
            "the same landmarks, so the same crop",
            percent(np.mean([not each.landmarks for each in there]).item()),
            "",
        ],
        ["the same first name", percent(np.mean([each.same_name for each in there]).item()), ""],
    ]
    for name, unit in (("box", "px"), ("landmarks", "px"), ("points", "points of the percentage")):
        values = np.array([getattr(each, name) for each in there])
        middle, most, worst = np.quantile(values, [0.5, 0.98, 1])
        rows.append([f"{name}, {unit}", f"{middle:.2f}", f"{most:.2f} / {worst:.2f}"])
    near = np.mean([each.points <= NEAR for each in there]).item()
    rows.append([f"first percentage within {NEAR} points", percent(near), ""])
    return markdown([f"of {len(differences)} faces", "all, or median", "98th percentile / largest"], rows)


@dataclass(frozen=True)
class Speed:
    """Milliseconds of one frame in the browser by stage, and of the server's answer to it with the round
    trip; the visitor's first bytes and seconds; MB of Chromium's largest process before and after the frames.
    """

    stages: dict[str, float]
    server: float
    first_bytes: int
    first_seconds: float
    memory: tuple[float, float]


def measure(browser: Any, address: str, portrait: RGB, *, rounds: int, frames: int) -> Speed:
    """Measure a photo of a face as a 640x480 frame, in the browser and on `python app.py` in turns."""
    photo = frame(portrait, CAMERA)
    first_bytes, first_seconds = _first_visit(browser, address, photo)
    tab, shown = open_finder(browser, address), read_image(photo)
    taken: list[dict[str, float]] = []
    server: list[float] = []
    # in a thread of its own, since Playwright's event loop is in this one
    with run_page(APP) as page, ThreadPoolExecutor(1) as thread:
        for _ in range(rounds + 1):
            taken += stage_times(tab, shown, 5)
            sending = thread.submit(send_frames, page.address, photo, cameras=1, frames=5)
            server += sending.result()[0]
    stages = {name: median(each[name] for each in taken[5:]) for name in taken[0]}
    before = _largest_process(browser)
    tab.evaluate(MANY, [as_text(shown), frames])
    return Speed(
        stages, 1000 * median(server[5:]), first_bytes, first_seconds, (before, _largest_process(browser))
    )


def speed_table(speed: Speed, *, frames: int) -> str:
    """Return the figures as Markdown."""
    rows = [[f"browser, {name}", f"{value:.0f} ms"] for name, value in speed.stages.items()]
    rows += [
        ["browser, whole frame", f"{sum(speed.stages.values()):.0f} ms"],
        ["server with the round trip on one machine", f"{speed.server:.0f} ms"],
        ["bytes of the first visit", f"{speed.first_bytes / 1e6:.2f} MB"],
        ["first visit to first answer", f"{speed.first_seconds:.1f} s"],
        [f"memory before and after {frames:,} frames", " and ".join(f"{m:.0f} MB" for m in speed.memory)],
    ]
    return markdown(["one face in 640×480 pixels", "median"], rows)


def _first_visit(browser: Any, address: str, photo: bytes) -> tuple[int, float]:
    """Return the bytes of all bodies until the page is ready, and the seconds until the first answer."""
    context = browser.new_context()
    tab = context.new_page()
    tab.set_default_timeout(120_000)
    sizes: list[int] = []
    tab.on("response", lambda response: sizes.append(int(response.headers.get("content-length", 0))))
    start = time.perf_counter()
    tab.goto(address)
    tab.wait_for_selector("body[data-ready]")
    tab.set_input_files("#photo", files=[{"name": "me.jpg", "mimeType": "image/jpeg", "buffer": photo}])
    tab.wait_for_selector(".bars")
    seconds = time.perf_counter() - start
    context.close()
    return sum(sizes), seconds


def _largest_process(browser: Any) -> float:
    """Return the MB of memory of Chromium's largest page process (Linux)."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [each["id"] for each in processes if each["type"] == "renderer"]
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in pages]
    return max(int(size) / 1000 for status in statuses for size in re.findall(r"VmRSS:\s+(\d+)", status))
