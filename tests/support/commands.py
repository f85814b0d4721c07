"""Commands as processes, photos and galleries for them, and requests to a running page."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from datasets import ClassLabel, Dataset, Features
from datasets import Image as DatasetImage
from PIL import Image

from lookalike import Gallery
from lookalike.faces.detectors import load_detector
from lookalike.gallery.schema import Row
from lookalike.gallery.standing import Standing
from lookalike.gallery.work_folder import WORK
from lookalike.models.registry import load_embedder
from tests.support.drawing import SIDE, draw_face
from tests.support.hub_server import Hub
from tests.support.paths import ROOT

FIND = "/gradio_api/call/find_lookalikes"


def run_python(
    code: str, *arguments: object, environment: dict[str, str] | None = None, timeout: float = 200
) -> subprocess.CompletedProcess[str]:
    """Run Python code in a new process, in the project's folder; `environment` adds to this process's own."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def drawn(seed: int = 3, *, size: int = SIDE) -> bytes:
    """Return a drawn face as JPEG."""
    file = io.BytesIO()
    Image.fromarray(draw_face(seed=seed, size=size)).save(file, "JPEG")
    return file.getvalue()


def photo_data(seed: int = 3) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(drawn(seed)).decode()}"


def join(address: str, *, count: int = 5, seed: int = 3) -> httpx.Response:
    """Send a photo; the response has the id of the event to wait for."""
    data = {"data": [{"url": photo_data(seed), "meta": {"_type": "gradio.FileData"}}, count, 0, None]}
    return httpx.post(address + FIND, json=data, timeout=60)


def answer(address: str, event_id: str) -> dict[str, Any]:
    """Wait for the answer and return its report, or {"error": message}."""
    stream = httpx.get(f"{address}{FIND}/{event_id}", timeout=60).text
    kind, _, data = stream.strip().rpartition("event: ")[2].partition("\ndata: ")
    return json.loads(data)[1] if kind == "complete" else {"error": json.loads(data)}


def ask(address: str, *, seed: int = 3) -> dict[str, Any]:
    return answer(address, join(address, seed=seed).json()["event_id"])


def stars(*people: tuple[str, int]) -> bytes:
    """Return a Parquet file with drawn people, in the format of celebrity datasets."""
    names = sorted({name for name, _ in people})
    features = Features({"image": DatasetImage(), "label": ClassLabel(names=names)})
    rows = [{"image": {"bytes": drawn(seed, size=160), "path": None}, "label": name} for name, seed in people]
    file = io.BytesIO()
    Dataset.from_list(rows, features=features).to_parquet(file)
    return file.getvalue()


def build(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "build_gallery.py"), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


# Retries a lost network for seconds instead of the ten minutes of `datasets`.
IMPATIENT = """
import sys, datasets.config, build_gallery
datasets.config.STREAMING_READ_MAX_RETRIES = datasets.config.STREAMING_OPEN_MAX_RETRIES = TIMES
sys.exit(build_gallery.main(sys.argv[1:]))
"""


def impatient_build(*arguments: object, retries: int = 0, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", IMPATIENT.replace("TIMES", str(retries)), *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return the exit code, the output, and the last line of the errors."""
    try:
        out, errors = process.communicate(timeout=900)
    finally:
        process.kill()
    return process.returncode, out, (errors.strip().splitlines() or [""])[-1].rpartition("\r")[2]


def result(output: Path) -> dict[str, bytes]:
    """Return the content of all files that a build has written, without its work folder."""
    files = [path for path in output.rglob("*") if path.is_file() and WORK not in path.parts]
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in files}


def put_gallery(hub: Hub, tmp_path: Path, name: str = "me/stars") -> None:
    """Push three drawn people to the Hub, embedded by `compact`."""
    embedder, detector = load_embedder(), load_detector()
    rows = []
    for seed in (1, 2, 3):
        image = draw_face(seed=seed)
        (row,) = embedder.embed(image, detector.detect(image)[:1])
        rows.append(Row(f"Drawn {seed}", row, confidence=0.9, origin=f"drawn#{seed}"))
    folder = tmp_path / "pushed"
    Gallery.of(rows, replace(Gallery.load().settings, standing=Standing(), mean_length=1.0)).save(folder)
    files = (folder / "compact").iterdir()
    hub.put(name, {f"compact/{file.name}": file.read_bytes() for file in files})


NOTES = "compact/gallery.json"


def table_of(hub: Hub, name: str) -> str:
    """Return the path of the Parquet file in a gallery on the Hub."""
    return next(
        path for path in hub.files(name) if path.startswith("compact/rows-") and path.endswith(".parquet")
    )


NOWHERE = {
    name: "/dev/null/nowhere"
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", "DEEPFACE_HOME", "MPLCONFIGDIR")
}
