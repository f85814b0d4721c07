"""Faults of the machine and of the network, each caused for real: the commands themselves, in processes."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from drawing import draw_face
from PIL import Image

ROOT = Path(__file__).parents[1]
FIND = "/gradio_api/call/find_lookalikes"
START_SECONDS = 180  # a shared machine under load; alone it takes a few


@contextmanager
def served(
    log: Path,
    *arguments: str,
    environment: dict[str, str] | None = None,
    before: Callable[[], object] | None = None,
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run app.py until the block ends; yield the process and its address once it answers."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    command = [sys.executable, str(ROOT / "app.py"), *arguments]
    settings = os.environ | {"GRADIO_SERVER_PORT": str(port)} | (environment or {})
    with log.open("w") as output:
        app = subprocess.Popen(
            command, cwd=ROOT, env=settings, stdout=output, stderr=output, preexec_fn=before
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while socket.socket().connect_ex(("127.0.0.1", port)):
                assert app.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield app, f"http://127.0.0.1:{port}"
        finally:
            app.kill()
            app.wait(timeout=30)


def photo_data(seed: int = 3) -> str:
    """Return a drawn face as a data: URL."""
    file = io.BytesIO()
    Image.fromarray(draw_face(seed=seed)).save(file, "JPEG")
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def join(address: str, *, count: int = 5) -> httpx.Response:
    """Ask a question; the answer to this names the place in the queue."""
    data = {"data": [{"url": photo_data(), "meta": {"_type": "gradio.FileData"}}, count, 0, None]}
    return httpx.post(address + FIND, json=data, timeout=60)


def answer(address: str, place: str) -> dict[str, Any]:
    """Wait for the answer and return its report, or the error's sentence under "error"."""
    stream = httpx.get(f"{address}{FIND}/{place}", timeout=60).text
    kind, _, data = stream.strip().rpartition("event: ")[2].partition("\ndata: ")
    return json.loads(data)[1] if kind == "complete" else {"error": json.loads(data)}


def ask(address: str) -> dict[str, Any]:
    return answer(address, join(address).json()["event_id"])


# Stopping


@pytest.mark.attack
def test_whoever_waits_is_answered_before_the_page_goes(tmp_path: Path):
    with served(tmp_path / "log") as (app, address):
        places = [join(address, count=20).json()["event_id"] for _ in range(12)]
        app.send_signal(signal.SIGTERM)
        with ThreadPoolExecutor(len(places)) as pool:
            reports = list(pool.map(lambda place: answer(address, place), places))
        assert app.wait(timeout=40) == 0
    assert [len(report["faces"][0]["matches"]) for report in reports] == [20] * 12
    assert "Traceback" not in (tmp_path / "log").read_text()
