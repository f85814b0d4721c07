"""`python app.py` on loopback: how to start it, the ways to send it a photo, and its use of resources."""

from __future__ import annotations

import base64
import io
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from benchmarks.serving import free_port
from tests.support.paths import ROOT

START_SECONDS = 600  # on a shared machine under load; otherwise it takes four
ANSWER_TIMEOUT = 240  # seconds for one answer on such a machine
PATIENCE = {"timeout": ANSWER_TIMEOUT}  # for gradio's client and httpx, whose own 5 seconds are short there
API = "/gradio_api"
DEFAULTS: dict[str, list[object]] = {"find_lookalikes": [5, 0, None], "compare": [None]}


@dataclass
class Server:
    """A running `python app.py` with its own home, folder for temporary files, and log."""

    address: str
    process: subprocess.Popen[bytes]
    home: Path
    log: Path
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=ANSWER_TIMEOUT))

    @property
    def pid(self) -> int:
        return self.process.pid

    def url(self, path: str) -> str:
        return f"{self.address}{path}"

    def upload(self, content: bytes, name: str) -> dict[str, Any]:
        """Upload a file as the page does, and return the value that the page then sends in its request."""
        answer = self.client.post(self.url(f"{API}/upload"), files={"files": (name, content)})
        answer.raise_for_status()
        (path,) = answer.json()
        return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def find_as_page(self, photo: object, **headers: str) -> str:
        """Send the request of the page's button; return all events of the answer."""
        session = secrets.token_hex(6)
        return self.join(self.listener("find"), [photo, 5, None, ""], session, **headers)

    def join(self, listener: int, data: Sequence[object], session: str, **headers: str) -> str:
        body = {"fn_index": listener, "data": data, "session_hash": session}
        joined = self.client.post(self.url(f"{API}/queue/join"), json=body, headers=headers)
        if joined.status_code != 200:
            return joined.text
        return self.client.get(self.url(f"{API}/queue/data"), params={"session_hash": session}).text

    def listener(self, name: str) -> int:
        config = self.client.get(self.url("/config")).json()
        return next(each["id"] for each in config["dependencies"] if each["api_name"] == name)

    def ask(self, *data: object, endpoint: str = "find_lookalikes", **headers: str) -> str:
        """Call an endpoint of the API without gradio's client; return the events of the answer.

        Missing arguments get the defaults that gradio's client would send.
        """
        whole = [*data, *DEFAULTS[endpoint][len(data) - 1 :]]
        url = self.url(f"{API}/call/{endpoint}")
        joined = self.client.post(url, json={"data": whole}, headers=headers)
        if joined.status_code != 200:
            return joined.text
        return self.client.get(f"{url}/{joined.json()['event_id']}").text

    def processes(self) -> list[int]:
        """Return the process ids of the server and of its decoders (Linux)."""
        children = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [self.pid, *(int(pid) for file in children for pid in file.read_text().split())]

    def held(self) -> dict[str, int]:
        """Return MB, open files and threads of the server alone."""
        status = _status(self.pid)
        return {
            "MB": status["VmRSS"] // 1000,
            "files": len(os.listdir(f"/proc/{self.pid}/fd")),
            "threads": status["Threads"],
        }

    def peaks(self) -> dict[str, int]:
        """Return the peak MB of the server and of its largest decoder since `reset_peaks`."""
        server, *decoders = [_status(pid)["VmHWM"] // 1000 for pid in self.processes()]
        return {"server": server, "decoder": max(decoders, default=0)}

    def processor_seconds(self) -> float:
        """Return the processor seconds that the server and all its decoders have used."""
        ticks = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            ticks += sum(
                map(int, fields[11:15] if pid == self.pid else fields[11:13])
            )  # the server's include its finished children
        return ticks / os.sysconf("SC_CLK_TCK")

    def reset_peaks(self) -> None:
        for pid in self.processes():
            Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines)
    return {
        key: int(value.split()[0])
        for key, value in pairs
        if value.split()[0:1] and value.split()[0].isdigit()
    }


@contextmanager
def serving(folder: Path, *arguments: str, before: str = "", **variables: str) -> Iterator[Server]:
    """Run app.py with its home and temporary files in `folder`, until the block ends.

    Its process first runs the Python code `before`. `variables` are environment variables.
    """
    home, temporary, log = folder / "home", folder / "tmp", folder / "log"
    for each in (home, temporary):
        each.mkdir(parents=True)
    port = free_port()
    environment: Mapping[str, str] = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("GRADIO_", "HF_", "XDG_"))},
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "GRADIO_SERVER_PORT": str(port),
        "HF_HUB_OFFLINE": "1",
        "LOOKALIKE_PORTRAITS": "off",
        **variables,
    }
    run = "\n".join(
        (
            "import runpy, sys",
            "sys.path.insert(0, '.')",
            before,
            "runpy.run_path('app.py', run_name='__main__')",
        )
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", run, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
        server = Server(f"http://127.0.0.1:{port}", process, folder, log)
        try:
            _wait(server)
            yield server
        finally:
            server.client.close()
            process.terminate()
            process.wait(timeout=60)


def _wait(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.log.read_text()
        try:
            if httpx.get(server.url("/"), timeout=START_SECONDS).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"app.py did not serve within {START_SECONDS} s:\n{server.log.read_text()}")


def encoded(image: np.ndarray, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def data_url(content: bytes) -> dict[str, str]:
    return {"url": f"data:image/png;base64,{base64.b64encode(content).decode()}"}


def outcome(answer: str) -> str:
    """Return "answer: NAME" with the first match in an answer's events, or the error message."""
    if "event: complete" in answer:
        _, report = json.loads(answer.rpartition("data: ")[2])
        return f"answer: {report['faces'][0]['matches'][0]['name']}"
    if "event: error" in answer:
        error = json.loads(answer.rpartition("event: error\ndata: ")[2])
        return error["error"] if isinstance(error, dict) else str(error)
    events = [json.loads(line[6:]) for line in answer.splitlines() if line.startswith("data: ")]
    for event in events:
        if event["msg"] == "process_completed":
            return _shown(event["output"]) if event["success"] else event["output"]["error"]
    return answer


def _shown(output: dict[str, Any]) -> str:
    """Return the first match that the page shows, or its notice."""
    for value in output["data"]:
        if isinstance(value, list) and value and isinstance(value[0], dict) and "caption" in value[0]:
            return f"answer: {value[0]['caption'].split(' · ')[1]}"
        if isinstance(value, dict) and isinstance(value.get("value"), list) and value["value"]:
            first = value["value"][0]
            if isinstance(first, dict) and "caption" in first:
                return f"answer: {first['caption'].split(' · ')[1]}"
    notices = [value["value"] for value in output["data"] if isinstance(value, dict) and value.get("value")]
    return str(notices[0])
