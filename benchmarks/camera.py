"""The live camera over HTTP, as a browser drives it: frames one way, what is shown beside it the other."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.clock import percentile, processor_time
from benchmarks.serving import APP, running
from lookalike.errors import LookalikeError
from lookalike.evaluation.reports import markdown

API = "/gradio_api"
EVERY = (
    0.1  # seconds between frames, as the page asks of the browser; the next waits for the last one's answer
)
PATIENCE = 60.0  # seconds for one frame; then something is wrong


@dataclass(frozen=True)
class Rate:
    """What so many cameras at once get, each: frames a second, and percentiles of the seconds from sending a
    frame to what is shown for it; and the server's processor seconds a frame, which other work on the machine
    hardly changes.
    """

    cameras: int
    frames: int
    a_second: float
    p50: float
    p95: float
    processor: float


def rates(photo: bytes, counts: Sequence[int], *, frames: int) -> list[Rate]:
    """Return how fast a running page answers the frames of one camera and of several, `frames` each."""
    with running(APP) as page:
        film(page.address, photo, cameras=1, frames=10)  # the first camera pays for what is loaded late
        found = []
        for count in counts:
            before = processor_time(page.pid)
            each = film(page.address, photo, cameras=count, frames=frames)
            found.append(rate(each, processor_time(page.pid) - before))
        return found


def rate(each: Sequence[Sequence[float]], processor: float) -> Rate:
    """Return the rate of cameras of which each gave the seconds of its frames; `processor` is the server's
    time for all of them.
    """
    all_of_them = [seconds for camera in each for seconds in camera]
    spent = sum(max(EVERY, seconds) for seconds in all_of_them)
    half, most = (percentile(all_of_them, share) for share in (0.50, 0.95))
    count = len(all_of_them)
    return Rate(len(each), len(each[0]), count / spent, half, most, processor / count)


def film(address: str, photo: bytes, *, cameras: int, frames: int) -> list[list[float]]:
    """Let cameras film at once and return, camera by camera, the seconds that each frame took to be answered;
    raise LookalikeError with the server's words when one is not.
    """
    return asyncio.run(_film(address, photo, cameras=cameras, frames=frames))


def live_table(found: Sequence[Rate]) -> str:
    """Return the rates as Markdown."""
    rows = [
        [str(one.cameras), f"{one.a_second:.1f}", *(f"{1000 * seconds:.0f} ms" for seconds in _times(one))]
        for one in found
    ]
    header = ["cameras at once", "frames a second, each", "from frame to name: 50th", "95th percentile"]
    header.append("the server's processor a frame")
    return (
        "Frames of 640×480 sent to `python app.py` as the page's Live tab sends them: one every tenth of a "
        f"second, or as soon as the last one is answered; {found[0].frames} frames each.\n\n"
        + markdown(header, rows)
    )


def _times(one: Rate) -> tuple[float, float, float]:
    return one.p50, one.p95, one.processor


async def _film(address: str, photo: bytes, *, cameras: int, frames: int) -> list[list[float]]:
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        listeners = (await client.get("/config")).json()["dependencies"]
        (streams,) = [one for one in listeners if any(event == "stream" for _, event in one["targets"])]
        url = f"data:image/jpeg;base64,{base64.b64encode(photo).decode()}"
        body = {"data": [{"url": url}, None], "fn_index": streams["id"]}
        return list(await asyncio.gather(*(_camera(client, body, frames) for _ in range(cameras))))


async def _camera(client: httpx.AsyncClient, body: dict[str, Any], frames: int) -> list[float]:
    """Send frames, each when the last one is answered but no sooner than EVERY seconds after it was sent."""
    body = body | {"session_hash": uuid.uuid4().hex[:12]}
    seconds: list[float] = []
    sent = time.perf_counter()
    event = (await client.post(f"{API}/queue/join", json=body)).raise_for_status().json()["event_id"]
    listen = client.stream("GET", f"{API}/queue/data", params={"session_hash": body["session_hash"]})
    async with listen as answers:
        async for _ in _answered(answers):
            seconds.append(time.perf_counter() - sent)
            if len(seconds) == frames:
                await client.post(f"{API}/stream/{event}/close")
                return seconds
            await asyncio.sleep(EVERY - seconds[-1])
            sent = time.perf_counter()
            (await client.post(f"{API}/stream/{event}", json=body)).raise_for_status()
    raise LookalikeError(f"The page answered {len(seconds)} of {frames} frames.")


async def _answered(answers: httpx.Response) -> AsyncIterator[None]:
    """Yield once a frame that the page answers."""
    async for line in answers.aiter_lines():
        said = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
        if said.get("success") is False:
            raise LookalikeError(f"The page answers no camera: {said.get('output', {}).get('error')}")
        if said.get("msg") == "process_streaming":
            yield
