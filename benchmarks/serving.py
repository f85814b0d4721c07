"""The page as a process: how soon it is up, what it holds in memory, and what a crowd gets from it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

import lookalike
from benchmarks.client import Reply, ask_all
from benchmarks.clock import percentile, times_as_long
from lookalike.errors import LookalikeError
from lookalike.evaluation.memory import memory

APP = Path(lookalike.__file__).parents[1] / "app.py"
# What every page made with gradio takes: an image in, an image out, nothing behind it.
BARE = """
import gradio as gr
with gr.Blocks() as page:
    photo, shown = gr.Image(), gr.Image()
    photo.input(lambda image: image, photo, shown)
page.launch()
"""
UP_SECONDS = 120.0  # a cold disk and a busy machine; then something is wrong
SAMPLES = 20  # looks at the memory during a long visit
AT_ONCE = 2  # visitors during it: the page answers two at a time


@dataclass(frozen=True)
class Start:
    """Medians of seconds from the start of the process to the page's first byte, ours and a bare page's, and
    to our first answer; how many times as long ours take as the bare page; MB after the first answer; the
    heavy packages that the process has loaded, which should be none.
    """

    bare_page: float
    first_byte: float
    first_answer: float
    byte_times_bare: float
    answer_times_bare: float
    memory: float
    heavy: list[str]


@dataclass(frozen=True)
class Crowd:
    """What so many visitors at once get: answers a second, percentiles of the seconds that one takes, medians
    of the server's own seconds by stage, and the server's MB at the end.
    """

    clients: int
    answers: int
    a_second: float
    p50: float
    p95: float
    p99: float
    stages: dict[str, float]
    memory: float


@dataclass(frozen=True)
class Page:
    """A page that runs: its address, its process, and when that was started."""

    address: str
    pid: int
    started: float


def start(photo: bytes, *, rounds: int) -> Start:
    """Start the bare page and ours in turns."""
    bare, first_byte, first_answer, held, heavy = [], [], [], [], set[str]()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        script.write_text(BARE, encoding="utf-8")
        for number in range(rounds):
            print(f"start {number + 1} of {rounds}", file=sys.stderr)
            with running(script) as page:
                bare.append(time.perf_counter() - page.started)
            with running(APP) as page:
                first_byte.append(time.perf_counter() - page.started)
                ask_all(page.address, photo, clients=1, requests=1)
                first_answer.append(time.perf_counter() - page.started)
                held.append(memory(page.pid))
                heavy |= _heavy(page.pid)
    return Start(
        median(bare),
        median(first_byte),
        median(first_answer),
        times_as_long(first_byte, bare),
        times_as_long(first_answer, bare),
        median(held),
        sorted(heavy),
    )


def crowds(photo: bytes, counts: Sequence[int], *, answers: int) -> list[Crowd]:
    """Return what growing crowds get from one page, `answers` in all each."""
    found = []
    with running(APP) as page:
        ask_all(page.address, photo, clients=1, requests=10)
        for clients in counts:
            print(f"{clients} clients", file=sys.stderr)
            replies, seconds = ask_all(page.address, photo, clients=clients, requests=answers)
            found.append(_crowd(clients, replies, seconds, memory(page.pid)))
    return found


def long_visit(photo: bytes, requests: int) -> dict[int, float]:
    """Return the server's MB after so many answers, from the first to the last of `requests`."""
    held: dict[int, float] = {}
    with running(APP) as page:
        done = 0
        for aim in [1, *(round(requests * part / SAMPLES) for part in range(1, SAMPLES + 1))]:
            ask_all(page.address, photo, clients=AT_ONCE, requests=aim - done)
            done = aim
            held[done] = memory(page.pid)
            print(f"{done:,} answers: {held[done]:.0f} MB", file=sys.stderr)
    return held


@contextmanager
def running(script: Path) -> Iterator[Page]:
    """Run a page until its first byte has come, and end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+", encoding="utf-8") as words:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=APP.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=words,
        )
        try:
            if not _is_up(process, address, started):
                words.seek(0)
                said = words.read().strip().splitlines()
                raise LookalikeError(f"The page did not come up. {said[-1] if said else ''}")
            yield Page(address, process.pid, started)
        finally:
            process.terminate()
            process.wait()


def _is_up(process: subprocess.Popen[bytes], address: str, started: float) -> bool:
    """Wait for the page's first byte; return False when its process ended, or after UP_SECONDS."""
    while process.poll() is None and time.perf_counter() - started < UP_SECONDS:
        try:
            return httpx.get(address, timeout=UP_SECONDS).status_code == httpx.codes.OK
        except httpx.TransportError:
            time.sleep(0.02)
    return False


def _crowd(clients: int, replies: Sequence[Reply], seconds: float, held: float) -> Crowd:
    each = [reply.seconds for reply in replies]
    stages = {stage: median(reply.stages[stage] for reply in replies) for stage in replies[0].stages}
    half, most, nearly_all = (percentile(each, share) for share in (0.50, 0.95, 0.99))
    return Crowd(clients, len(replies), len(replies) / seconds, half, most, nearly_all, stages, held)


def _heavy(pid: int) -> set[str]:
    """Return which heavy packages a process has mapped into its memory (Linux; elsewhere none is seen)."""
    maps = Path(f"/proc/{pid}/maps")
    text = maps.read_text(encoding="utf-8") if maps.exists() else ""
    return {package for package in ("tensorflow", "torch", "jaxlib") if f"/{package}/" in text}
