"""The page as a process: its start-up time, its memory, and its answer times under load."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

import lookalike
from benchmarks.client import Reply, send_requests
from benchmarks.clock import median_ratio, percentile
from lookalike.errors import LookalikeError
from lookalike.evaluation.memory import resident_memory

APP = Path(lookalike.__file__).parents[1] / "app.py"
# The smallest page in gradio: an image in, an image out. It shows what gradio itself costs.
BARE = """
import gradio as gr
with gr.Blocks() as page:
    photo, shown = gr.Image(), gr.Image()
    photo.input(lambda image: image, photo, shown)
page.launch()
"""
START_TIMEOUT = 120.0  # seconds, for a cold disk and a busy machine
SAMPLES = 20  # measurements of memory over many answers
AT_ONCE = 2  # clients meanwhile: the page answers two at a time


@dataclass(frozen=True)
class Start:
    """Medians of the seconds from the start of the process to the first byte of a bare gradio page, to that
    of our page, and to our first answer; the last two also as ratios to the bare page. `memory` is MB after
    the first answer. `heavy` names the heavy packages that the process has loaded; there should be none.
    """

    bare_page: float
    first_byte: float
    first_answer: float
    byte_times_bare: float
    answer_times_bare: float
    memory: float
    heavy: list[str]


@dataclass(frozen=True)
class Load:
    """Figures for `clients` clients at once: answers per second, percentiles of the seconds for one answer,
    the medians of the server's own seconds by stage, and the server's MB at the end.
    """

    clients: int
    answers: int
    per_second: float
    p50: float
    p95: float
    p99: float
    stages: dict[str, float]
    memory: float


@dataclass(frozen=True)
class Page:
    """A running page: its address, its process id, and the time when the process was started."""

    address: str
    pid: int
    started: float


def measure_start(photo: bytes, *, rounds: int) -> Start:
    """Start the bare page and ours, alternating."""
    bare, first_byte, first_answer, held, heavy = [], [], [], [], set[str]()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        script.write_text(BARE, encoding="utf-8")
        for number in range(rounds):
            print(f"start {number + 1} of {rounds}", file=sys.stderr)
            with run_page(script) as page:
                bare.append(time.perf_counter() - page.started)
            with run_page(APP) as page:
                first_byte.append(time.perf_counter() - page.started)
                send_requests(page.address, photo, clients=1, requests=1)
                first_answer.append(time.perf_counter() - page.started)
                held.append(resident_memory(page.pid))
                heavy |= _heavy_packages(page.pid)
    return Start(
        median(bare),
        median(first_byte),
        median(first_answer),
        median_ratio(first_byte, bare),
        median_ratio(first_answer, bare),
        median(held),
        sorted(heavy),
    )


def measure_load(photo: bytes, counts: Sequence[int], *, answers: int) -> list[Load]:
    """Measure one page with each number of clients in `counts`, over `answers` answers each."""
    found = []
    with run_page(APP) as page:
        send_requests(page.address, photo, clients=1, requests=10)
        for clients in counts:
            print(f"{clients} clients", file=sys.stderr)
            replies, seconds = send_requests(page.address, photo, clients=clients, requests=answers)
            found.append(_load(clients, replies, seconds, resident_memory(page.pid)))
    return found


def measure_memory(photo: bytes, requests: int) -> dict[int, float]:
    """Return the server's MB by the number of answers that it has given, from 1 to `requests`."""
    held: dict[int, float] = {}
    with run_page(APP) as page:
        done = 0
        for aim in [1, *(round(requests * part / SAMPLES) for part in range(1, SAMPLES + 1))]:
            send_requests(page.address, photo, clients=AT_ONCE, requests=aim - done)
            done = aim
            held[done] = resident_memory(page.pid)
            print(f"{done:,} answers: {held[done]:.0f} MB", file=sys.stderr)
    return held


@contextmanager
def run_page(script: Path) -> Iterator[Page]:
    """Run a page as a process; yield it after its first byte, and end it afterwards.

    Raises LookalikeError with the last line of its output when it does not start.
    """
    port = free_port()
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=APP.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=output,
        )
        try:
            if not _has_started(process, address, started):
                output.seek(0)
                lines = output.read().strip().splitlines()
                raise LookalikeError(f"The page did not start. {lines[-1] if lines else ''}")
            yield Page(address, process.pid, started)
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """Return a port of this machine that is free, and that no outgoing connection takes meanwhile."""
    while True:
        port = 20_000 + secrets.randbelow(10_000)  # systems use higher ones for outgoing connections
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port


def _has_started(process: subprocess.Popen[bytes], address: str, started: float) -> bool:
    """Wait for the page's first byte; return False if its process ends or START_TIMEOUT passes."""
    while process.poll() is None and time.perf_counter() - started < START_TIMEOUT:
        try:
            return httpx.get(address, timeout=START_TIMEOUT).status_code == httpx.codes.OK
        except httpx.TransportError:
            time.sleep(0.02)
    return False


def _load(clients: int, replies: Sequence[Reply], seconds: float, held: float) -> Load:
    each = [reply.seconds for reply in replies]
    stages = {stage: median(reply.stages[stage] for reply in replies) for stage in replies[0].stages}
    half, most, nearly_all = (percentile(each, share) for share in (0.50, 0.95, 0.99))
    return Load(clients, len(replies), len(replies) / seconds, half, most, nearly_all, stages, held)


def _heavy_packages(pid: int) -> set[str]:
    """Return the heavy packages that a process has mapped into its memory (Linux only)."""
    maps = Path(f"/proc/{pid}/maps")
    text = maps.read_text(encoding="utf-8") if maps.exists() else ""
    return {package for package in ("tensorflow", "torch", "jaxlib") if f"/{package}/" in text}
