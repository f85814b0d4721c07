"""The live camera over HTTP, as a browser uses it: frames are sent, names come back."""

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
from benchmarks.serving import APP, run_page
from lookalike.errors import LookalikeError
from lookalike.evaluation.markdown import markdown

API = "/gradio_api"
INTERVAL = 0.1  # seconds between frames, as in the page; a frame also waits for the answer to the one before
ANSWER_TIMEOUT = 60.0  # seconds for one frame


@dataclass(frozen=True)
class Rate:
    """Figures for `cameras` cameras at once: frames per second of each, percentiles of the seconds from
    sending a frame to its answer, and the server's processor seconds per frame, which other work on the
    machine hardly changes.
    """

    cameras: int
    frames: int
    per_second: float
    p50: float
    p95: float
    processor: float


def measure_rates(photo: bytes, counts: Sequence[int], *, frames: int) -> list[Rate]:
    """Measure how fast a running page answers, for each number of cameras, `frames` frames from each."""
    with run_page(APP) as page:
        send_frames(page.address, photo, cameras=1, frames=10)  # warm up
        found = []
        for count in counts:
            before = processor_time(page.pid)
            each = send_frames(page.address, photo, cameras=count, frames=frames)
            found.append(rate_of(each, processor_time(page.pid) - before))
        return found


def rate_of(each: Sequence[Sequence[float]], processor: float) -> Rate:
    """Summarize the seconds of each frame of each camera; `processor` is the server's time for all."""
    all_of_them = [seconds for camera in each for seconds in camera]
    spent = sum(max(INTERVAL, seconds) for seconds in all_of_them)
    half, most = (percentile(all_of_them, share) for share in (0.50, 0.95))
    count = len(all_of_them)
    return Rate(len(each), len(each[0]), count / spent, half, most, processor / count)


def send_frames(address: str, photo: bytes, *, cameras: int, frames: int) -> list[list[float]]:
    """Send frames from several cameras at once; return for each camera the seconds until each answer.

    Raises LookalikeError with the server's message when a frame is not answered.
    """
    return asyncio.run(_send_frames(address, photo, cameras=cameras, frames=frames))


def live_table(found: Sequence[Rate]) -> str:
    """Return the rates as Markdown."""
    rows = [
        [str(one.cameras), f"{one.per_second:.1f}", *(f"{1000 * seconds:.0f} ms" for seconds in _times(one))]
        for one in found
    ]
    header = [
        "cameras at once",
        "frames per second, each",
        "time per frame: 50th percentile",
        "95th percentile",
    ]
    header.append("processor time of the server per frame")
    return (
        "Frames of 640×480 pixels, sent to `python app.py` as the page's Live tab sends them: one every "
        "tenth of a second, or as soon as the previous one is answered; "
        f"{found[0].frames} frames from each camera.\n\n" + markdown(header, rows)
    )


def _times(one: Rate) -> tuple[float, float, float]:
    return one.p50, one.p95, one.processor


async def _send_frames(address: str, photo: bytes, *, cameras: int, frames: int) -> list[list[float]]:
    async with httpx.AsyncClient(base_url=address, timeout=ANSWER_TIMEOUT) as client:
        listeners = (await client.get("/config")).json()["dependencies"]
        (streams,) = [one for one in listeners if any(event == "stream" for _, event in one["targets"])]
        url = f"data:image/jpeg;base64,{base64.b64encode(photo).decode()}"
        body = {"data": [{"url": url}, None], "fn_index": streams["id"]}
        return list(await asyncio.gather(*(_camera(client, body, frames) for _ in range(cameras))))


async def _camera(client: httpx.AsyncClient, body: dict[str, Any], frames: int) -> list[float]:
    """Send each frame after the answer to the previous one, at least INTERVAL seconds after that was sent."""
    body = body | {"session_hash": uuid.uuid4().hex[:12]}
    seconds: list[float] = []
    sent = time.perf_counter()
    event_id = (await client.post(f"{API}/queue/join", json=body)).raise_for_status().json()["event_id"]
    listen = client.stream("GET", f"{API}/queue/data", params={"session_hash": body["session_hash"]})
    async with listen as answers:
        async for _ in _frame_answers(answers):
            seconds.append(time.perf_counter() - sent)
            if len(seconds) == frames:
                await client.post(f"{API}/stream/{event_id}/close")
                return seconds
            await asyncio.sleep(INTERVAL - seconds[-1])
            sent = time.perf_counter()
            (await client.post(f"{API}/stream/{event_id}", json=body)).raise_for_status()
    raise LookalikeError(f"The page answered {len(seconds)} of {frames} frames.")


async def _frame_answers(answers: httpx.Response) -> AsyncIterator[None]:
    """Yield once for each frame that the page answers."""
    async for line in answers.aiter_lines():
        event = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
        if event.get("success") is False:
            raise LookalikeError(f"The page refused the camera: {event.get('output', {}).get('error')}")
        if event.get("msg") == "process_streaming":
            yield
