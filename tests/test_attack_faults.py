"""Faults of the machine and of the network, each caused for real: the commands themselves, in processes."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from conftest import SHARED
from datasets import ClassLabel, Dataset, Features
from datasets import Image as DatasetImage
from drawing import draw_face
from fakes import make_gallery, write_random_arcface
from hub_server import Hub, serve
from huggingface_hub.utils import get_session
from PIL import Image

from lookalike import Gallery, GalleryError, HubError, SourceError, WeightsError
from lookalike.building.hub import GalleryHub
from lookalike.building.ledger import WORK
from lookalike.detectors import load_detector
from lookalike.embedders import BUNDLED, MODELS, OnnxEmbedder, load_embedder
from lookalike.errors import UnreachableError
from lookalike.fetching import FIRST_WORD, SILENCE, be_patient, fetch_gallery, open_gallery
from lookalike.sources import Choice, open_source
from lookalike.space.finders import load_finders
from lookalike.table import Row

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


def drawn(seed: int = 3) -> bytes:
    """Return a drawn face as JPEG."""
    file = io.BytesIO()
    Image.fromarray(draw_face(seed=seed)).save(file, "JPEG")
    return file.getvalue()


def photo_data(seed: int = 3) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(drawn(seed)).decode()}"


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


# The Hub, when the page starts


def put_gallery(hub: Hub, tmp_path: Path, name: str = "me/stars") -> None:
    """Push three drawn people to the Hub, embedded by `compact`."""
    embedder, detector = load_embedder(), load_detector()
    rows = []
    for seed in (1, 2, 3):
        image = draw_face(seed=seed)
        (row,) = embedder.embed(image, detector.detect(image)[:1])
        rows.append(Row(f"Drawn {seed}", row, confidence=0.9, origin=f"drawn#{seed}"))
    folder = tmp_path / "pushed"
    Gallery.of(rows, replace(Gallery.load().settings, standing=(), mean_length=1.0)).save(folder)
    files = (folder / "compact").iterdir()
    hub.put(name, {f"compact/{file.name}": file.read_bytes() for file in files})


TABLE, NOTES = "compact/rows-00000-of-00001.parquet", "compact/gallery.json"
NONSENSE = {
    "no JSON": ("GET /api/datasets", b"<html>Welcome to the hotel's wireless network</html>"),
    "JSON of another kind": ("GET /api/datasets", b"[]"),
    "a revision that is none": ("GET /api/datasets", b'{"id": "me/stars", "sha": "../../x", "siblings": []}'),
    "no tree": ("/tree/", b'{"error": 1}'),
    "a tree of nothing": ("/tree/", b"[7, null]"),
}


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_a_hub_that_answers_nonsense_is_a_hub_that_is_away(hub: Hub, tmp_path: Path, nonsense: str):
    name = f"me/{list(NONSENSE).index(nonsense)}"  # its own: nothing of it is in the cache
    put_gallery(hub, tmp_path, name)
    hub.babble(*NONSENSE[nonsense])
    finders = load_finders(name, model="compact", detector="mtcnn")
    assert finders.gallery_id == "bundled" and name in finders.notice
    hub.troubles.clear()
    assert load_finders(name, model="compact", detector="mtcnn").served.gallery.names[0] == "Drawn 1"


def test_a_file_that_was_damaged_on_its_way_is_fetched_again(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/damaged")
    good = hub.files("me/damaged")[TABLE]
    hub.babble(
        f"GET /datasets/me/damaged/resolve/{hub.repos['me/damaged'].commits[-1].sha}/{TABLE}",
        good[::-1],
        times=1,
    )
    assert open_gallery("me/damaged", model="compact").names[0] == "Drawn 1"
    assert open_gallery("me/damaged", model="compact").names[0] == "Drawn 1"


def test_a_damaged_gallery_on_the_hub_is_refused_with_a_sentence(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/broken")
    hub.put("me/broken", {TABLE: hub.files("me/broken")[TABLE][:-7]})
    with pytest.raises(GalleryError, match=r"is not the one that its gallery\.json describes"):
        open_gallery("me/broken", model="compact")


def test_a_slow_hub_is_waited_for_and_a_silent_one_is_not(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/slow")
    hub.dawdle("", 0.5)
    assert open_gallery("me/slow", model="compact").names[0] == "Drawn 1"
    put_gallery(hub, tmp_path, "me/silent")
    hub.troubles.clear()
    hub.dawdle("", 60)
    began = time.monotonic()
    with pytest.raises(UnreachableError, match="could not be fetched from the Hub"):
        fetch_gallery("me/silent", "compact")
    assert time.monotonic() - began < 2 * FIRST_WORD


def test_a_request_that_sets_no_limit_of_its_own_gets_ours():
    be_patient()
    request = httpx2.Request(
        "GET", "http://127.0.0.1", extensions={"timeout": httpx2.Timeout(None).as_dict()}
    )
    for hook in get_session().event_hooks["request"]:
        hook(request)
    assert set(request.extensions["timeout"].values()) == {SILENCE}


def test_a_dataset_that_is_gone_is_not_served_from_the_cache(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/gone")
    assert open_gallery("me/gone", model="compact").names
    del hub.repos["me/gone"]
    with pytest.raises(UnreachableError, match="status 404"):
        open_gallery("me/gone", model="compact")


OFFLINE = """
from lookalike.fetching import open_gallery
from lookalike.sources import Choice, open_source
print(open_gallery("me/offline", model="compact").names)
print([record.name for record in open_source("them/offline", Choice(download=True))])
"""


def test_what_was_fetched_is_read_without_a_network(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/offline")
    hub.put("them/offline", {"data/train-0.parquet": stars(("Ada", 1), ("Bo", 2))})
    assert open_gallery("me/offline", model="compact").names
    assert len(list(open_source("them/offline", Choice(download=True)))) == 2
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:9"}
    found = subprocess.run(
        [sys.executable, "-c", OFFLINE], cwd=ROOT, env=offline, capture_output=True, text=True, timeout=120
    )
    assert found.stdout.splitlines() == ["('Drawn 1', 'Drawn 2', 'Drawn 3')", "['Ada', 'Bo']"], found.stderr


# The Hub, in a build and in a push


def stars(*people: tuple[str, int]) -> bytes:
    """Return a Parquet file of drawn people like those of celebrity datasets."""
    names = sorted({name for name, _ in people})
    features = Features({"image": DatasetImage(), "label": ClassLabel(names=names)})
    rows = [{"image": {"bytes": drawn(seed), "path": None}, "label": name} for name, seed in people]
    file = io.BytesIO()
    Dataset.from_list(rows, features=features).to_parquet(file)
    return file.getvalue()


def build(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "build_gallery.py"), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return the exit code, what was said, and the last line of what was complained."""
    out, errors = process.communicate(timeout=300)
    return process.returncode, out, (errors.strip().splitlines() or [""])[-1].rpartition("\r")[2]


def result(output: Path) -> dict[str, bytes]:
    """Return all that a build is for."""
    files = [path for path in output.rglob("*") if path.is_file() and WORK not in path.parts]
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in files}


@pytest.mark.attack
def test_a_build_whose_network_is_lost_keeps_what_is_done_and_goes_on(tmp_path: Path):
    shards = {
        f"data/train-0000{n}.parquet": stars(*((f"P{k}", 40 * n + k) for k in range(40))) for n in range(3)
    }
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    port = door.getsockname()[1]
    environment = os.environ | {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(tmp_path / "hf")}
    command = ("them/stars", "--output", tmp_path / "gallery")
    with serve(door) as hub:
        hub.put("them/stars", shards)
        hub.dawdle("resolve", 1.0)
        process = build(*command, env=environment)
        deadline = time.monotonic() + START_SECONDS
        while not any("train-00001" in call for call in hub.requests) and time.monotonic() < deadline:
            time.sleep(0.05)
    code, _, complaint = finish(process)  # the server is gone by now
    assert code == 2 and "them/stars breaks off after" in complaint, complaint
    assert "the same command goes on from there when the Hub and the network are back" in complaint
    assert result(tmp_path / "gallery") == {}
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("127.0.0.1", port))
    with serve(door) as hub:
        hub.put("them/stars", shards)
        code, out, complaint = finish(build(*command, env=environment))
        assert code == 0 and "photos are known from before" in out, complaint
        assert finish(build("them/stars", "--output", tmp_path / "undisturbed", env=environment))[0] == 0
    assert result(tmp_path / "gallery") == result(tmp_path / "undisturbed")


@pytest.mark.parametrize(
    "part", ["POST /api/repos/create", "GET /api/datasets", "/preupload/", "/objects/batch", "/commit/"]
)
def test_a_hub_that_answers_nonsense_to_a_push_is_tried_again_and_takes_it_once(
    hub: Hub, tmp_path: Path, part: str
):
    gallery = make_gallery(ada=[[1, 0, 0]])
    gallery.save(tmp_path)
    way = GalleryHub(waits=(0, 0), sleep=lambda seconds: None)
    hub.babble(part, b"<html>Please log in to the hotel's network</html>")
    with pytest.raises(HubError, match=r"(?s)everything is kept: give the same command again"):
        way.push(tmp_path, gallery, "me/pushed", private=False, title="Add it")
    hub.troubles.clear()
    hub.babble(part, b"7", times=2)
    way.push(tmp_path, gallery, "me/pushed", private=False, title="Add it")
    assert hub.titles("me/pushed") == ["Add it"]


# Code in a dataset


def test_a_dataset_runs_no_code(hub: Hub, tmp_path: Path):
    """Loading scripts, pickles and templates lie beside the photos and the rows."""
    canary = tmp_path / "canary"
    code = f"open({str(canary)!r}, 'w').write('ran')\n".encode()
    evil = {
        "stars.py": code,
        "evil.py": code,
        "setup.py": code,
        "conftest.py": code,
        "compact/evil.py": code,
        "compact/__init__.py": code,
        "dataset_infos.json": b'{"builder": "evil"}',
        "data/train.pkl": b"cos\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR.",
        "compact/rows.pkl": b"cos\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR.",
        "README.md": b"{{ ''.__class__.__mro__ }}\n<script>alert(1)</script>",
    }
    put_gallery(hub, tmp_path, "them/evil")
    hub.put("them/evil", {"data/train-0.parquet": stars(("Ada", 1)), **evil})
    finders = load_finders("them/evil", model="compact", detector="mtcnn")
    assert finders.gallery_id == "them/evil"
    fetched = {path.name for path in fetch_gallery("them/evil", "compact").rglob("*") if path.is_file()}
    assert fetched == {Path(TABLE).name, Path(NOTES).name}
    hub.put("them/code", {"data/train-0.parquet": stars(("Ada", 1)), **evil})
    for download in (False, True):
        with suppress(SourceError):
            list(open_source("them/code", Choice(download=download)))
    assert not canary.exists()


# Weights


@pytest.mark.parametrize(
    "damage", [lambda data: data[:1000], lambda data: b"<html>404</html>", lambda data: data[:-1] + b"!"]
)
def test_weights_that_are_not_those_that_are_known_are_refused_before_they_are_used(tmp_path: Path, damage):
    whole = SHARED / "weights" / "face_detection_yunet_2023mar.onnx"
    data = whole.read_bytes() if whole.is_file() else b"another file"
    folder = tmp_path / ".deepface" / "weights"
    folder.mkdir(parents=True)
    (folder / "face_detection_yunet_2023mar.onnx").write_bytes(damage(data))
    assert (
        "yunet_2023mar.onnx is not the file that it should be, perhaps half a download; delete it"
        in load_in_a_process("load_detector('yunet')", tmp_path)
    )


def test_the_weights_that_are_known_are_taken(tmp_path: Path):
    whole = SHARED / "weights" / "face_detection_yunet_2023mar.onnx"
    if not whole.is_file():
        pytest.skip("YuNet's weights are not here")
    folder = tmp_path / ".deepface" / "weights"
    folder.mkdir(parents=True)
    shutil.copy(whole, folder)
    assert load_in_a_process("load_detector('yunet')", tmp_path) == ""


@pytest.mark.parametrize("model", ["SFace", "ArcFace"])
def test_half_a_download_of_a_model_is_refused(tmp_path: Path, model: str):
    write_random_arcface(tmp_path)
    file = tmp_path / ".deepface" / "weights" / "arcface_weights.onnx"
    half = file.read_bytes()[:5000]
    file.unlink()
    name = {"SFace": "face_recognition_sface_2021dec.onnx", "ArcFace": "arcface_weights.onnx"}[model]
    file.with_name(name).write_bytes(half)
    sentence = load_in_a_process(f"load_embedder({model!r})", tmp_path)
    known = {"SFace": "is not the file that it should be", "ArcFace": "could not be loaded; put them into"}
    assert known[model] in sentence and "\n" not in sentence


def load_in_a_process(call: str, home: Path) -> str:
    """Return the sentence of the error with which loading ends, nothing where it does not."""
    code = (
        "from lookalike.detectors import load_detector\nfrom lookalike.embedders import load_embedder\n"
        f"from lookalike.errors import LookalikeError\ntry:\n    {call}\n"
        "except LookalikeError as error:\n    print('SENTENCE', error)\n"
    )
    environment = os.environ | {"DEEPFACE_HOME": str(home), "https_proxy": "http://127.0.0.1:9"}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.partition("SENTENCE ")[2].strip()


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "{}", '{"sha256": 7}', '{"sha256": "0", "percentage": {}}']
)
def test_a_bundled_model_without_its_settings_is_refused(tmp_path: Path, text: str | None):
    shutil.copy(BUNDLED / "compact.onnx", tmp_path)
    if text is not None:
        (tmp_path / "compact.json").write_text(text)
    with pytest.raises(WeightsError, match="install"):
        OnnxEmbedder(tmp_path / "compact.onnx", MODELS[0])


# Memory

NO_MEMORY = """
import resource
import numpy as np
from lookalike import LookalikeError
from lookalike.embedders import load_embedder
embedder = load_embedder()
crops = list(np.random.default_rng(0).integers(0, 255, (96, 112, 112, 3), np.uint8))
whole = embedder.embed_crops(crops[:1])
used = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) * 1024
told = []
for spare in (8 << 20, 0):
    resource.setrlimit(resource.RLIMIT_AS, (used + spare, resource.RLIM_INFINITY))
    room = [bytes(100_000)] if spare else fill()
    try:
        told.append(embedder.embed_crops(crops).shape)
    except LookalikeError as error:
        told.append(str(error))
    del room
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
again = embedder.embed_crops(crops)
print(told, bool(np.abs(again[:1] - whole).max() < 1e-5))
"""
FILL = """
def fill():
    room = []
    for size in (1 << 20, 1 << 16, 1 << 12):
        try:
            while True:
                room.append(bytearray(size))
        except MemoryError:
            pass
    del room[-40:]  # a little, for the error itself
    return room
"""


def test_a_model_without_memory_goes_in_smaller_steps_or_says_so_and_recovers():
    found = subprocess.run(
        [sys.executable, "-c", FILL + NO_MEMORY], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert found.stdout.strip() == (
        "[(96, 128), 'There is not enough memory for a face at the moment; try again in a while.'] True"
    ), found.stderr[-2000:]


# Disks, homes and clocks


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a disk of its own at `place`; skip the test where that is not allowed."""
    place.mkdir()
    size = f"size={kilobytes}k"
    if (
        shutil.which("mount") is None
        or subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", place]).returncode
    ):
        pytest.skip("a small disk can only be made by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk to the last byte; return the file to delete."""
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))
    return disk / "filler"


@pytest.fixture(scope="module")
def photos_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos enough for several batches of a build."""
    root = tmp_path_factory.mktemp("source") / "stars"
    for person in range(5):
        (root / f"Name {person}").mkdir(parents=True)
        for number in range(20):
            photo = draw_face(person, size=140 + 4 * number, turn=2 * (number % 11) - 11)
            Image.fromarray(photo).save(root / f"Name {person}" / f"{number:02}.jpg")
    return root


@pytest.fixture(scope="module")
def undisturbed(photos_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("undisturbed") / "gallery"
    assert finish(build(photos_folder, "--output", output))[0] == 0
    return result(output)


@pytest.mark.attack
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_build_that_is_told_to_stop_writes_what_is_done_and_goes(
    photos_folder: Path, tmp_path: Path, undisturbed: dict[str, bytes], number: int
):
    output = tmp_path / "gallery"
    process = build(photos_folder, "--output", output)
    deadline = time.monotonic() + START_SECONDS
    while not list(output.glob(f"{WORK}/*/part-*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    code, _, complaint = finish(process)
    assert (code, complaint) == (
        128 + number,
        "Stopped. What was done so far is kept; the same command goes on from there.",
    )
    assert result(output) == {}
    code, out, _ = finish(build(photos_folder, "--output", output))
    assert code == 0 and "photos are known from before" in out and result(output) == undisturbed


@pytest.mark.attack
def test_a_build_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    photos_folder: Path, tmp_path: Path, undisturbed: dict[str, bytes]
):
    with small_disk(tmp_path / "disk", 160) as disk:
        code, _, complaint = finish(build(photos_folder, "--output", disk / "gallery"))
        assert code == 2 and complaint == (
            f"error: {disk / 'gallery'} could not be written (No space left on device). "
            "What was done so far is kept; the same command goes on from there."
        )
        assert result(disk / "gallery") == {}
        subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
        code, _, complaint = finish(build(photos_folder, "--output", disk / "gallery"))
        assert code == 0, complaint
        assert result(disk / "gallery") == undisturbed


@pytest.mark.attack
def test_of_two_builds_into_one_folder_one_is_told_to_wait(
    photos_folder: Path, tmp_path: Path, undisturbed: dict[str, bytes]
):
    output = tmp_path / "gallery"
    first = build(photos_folder, "--output", output)
    deadline = time.monotonic() + START_SECONDS
    while not (output / WORK / "lock").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)  # so that it is at work while the other comes
    time.sleep(0.2)
    code, _, complaint = finish(build(photos_folder, "--output", output))
    first.send_signal(signal.SIGCONT)
    assert (code, complaint) == (
        2,
        f"error: Another build is at work in {output}; wait for it, or choose a folder.",
    )
    assert finish(first)[0] == 0 and result(output) == undisturbed


NOWHERE = {
    name: "/dev/null/nowhere"
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", "DEEPFACE_HOME", "MPLCONFIGDIR")
}


@pytest.mark.attack
def test_a_page_without_a_home_answers_and_survives_a_full_disk(tmp_path: Path):
    with small_disk(tmp_path / "disk", 700) as disk:
        environment = NOWHERE | {"GRADIO_TEMP_DIR": str(disk / "gradio")}
        with served(tmp_path / "log", environment=environment) as (app, address):
            assert len(ask(address)["faces"]) == 1
            filler = fill(disk)
            assert "error" in ask(address)
            photo = {"files": ("me.jpg", drawn(4) * 20)}
            assert httpx.post(address + "/gradio_api/upload", files=photo, timeout=60).status_code >= 400
            assert app.poll() is None
            filler.unlink()
            assert len(ask(address)["faces"]) == 1
        assert "/dev/null" not in (tmp_path / "log").read_text()


def test_a_gallery_from_the_hub_without_a_cache_for_it_is_a_sentence_and_the_bundled_one_is_served(
    hub: Hub, tmp_path: Path
):
    put_gallery(hub, tmp_path, "me/uncached")
    code = (
        "from lookalike.space.finders import load_finders\n"
        "finders = load_finders('me/uncached', model='compact', detector='mtcnn')\n"
        "print(finders.gallery_id, len(finders.get().gallery.names) > 100)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | NOWHERE,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert found.stdout.strip() == "bundled True", found.stderr
    assert "The gallery 'me/uncached' could not be fetched from the Hub" in found.stderr


CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile long *shift(void) {
    static volatile long *place;
    if (!place) place = mmap(0, 8, PROT_READ, MAP_SHARED, open(getenv("CLOCK_SHIFT"), O_RDONLY), 0);
    return place;
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += *shift();
    return code;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *out, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""
YEAR = 365 * 86400


@pytest.mark.attack
def test_a_page_answers_on_while_the_clock_jumps(tmp_path: Path):
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler to make a clock that jumps")
    (tmp_path / "clock.c").write_text(CLOCK)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", tmp_path / "clock.so", tmp_path / "clock.c", "-ldl"],
        check=True,
    )
    shift = tmp_path / "shift"
    shift.write_bytes(bytes(8))
    environment = {"LD_PRELOAD": str(tmp_path / "clock.so"), "CLOCK_SHIFT": str(shift)}
    now = subprocess.run(
        [sys.executable, "-c", "import time; print(time.time())"],
        env=os.environ | environment | {"CLOCK_SHIFT": str(write_shift(tmp_path / "test", YEAR))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(now.stdout) > time.time() + YEAR / 2  # the clock does jump
    with served(tmp_path / "log", environment=environment) as (app, address):
        for jump in (0, 10 * YEAR, -10 * YEAR, 3600, -1):
            write_shift(shift, jump)
            assert len(ask(address)["faces"]) == 1
        app.send_signal(signal.SIGTERM)
        assert app.wait(timeout=40) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def write_shift(path: Path, seconds: int) -> Path:
    """Set the clock of those who look at this file."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(seconds.to_bytes(8, sys.byteorder, signed=True))
    return path
