"""A Hub that is slow, silent, unreachable or sends nonsense: at the start, in a build and in a push."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from huggingface_hub.utils import get_session

from lookalike import GalleryError, HubError, SourceError
from lookalike.building.interruption import HOW_TO_RESUME, STOP_SECONDS
from lookalike.building.publishing import GalleryHub
from lookalike.errors import UnreachableError
from lookalike.gallery.fetching import fetch_gallery, open_gallery
from lookalike.hub import COMMIT_TIMEOUT, READ_TIMEOUT, limit_waiting
from lookalike.sources.opening import Choice, open_source
from lookalike.space.finders import load_finders
from tests.support.commands import (
    NOTES,
    NOWHERE,
    build,
    finish,
    impatient_build,
    put_gallery,
    result,
    run_python,
    stars,
    table_of,
)
from tests.support.fakes import make_gallery
from tests.support.hub_server import Hub, serve
from tests.support.server import START_SECONDS

# When the page starts


NONSENSE = {
    "no JSON": ("GET /api/datasets", b"<html>Welcome to the hotel's wireless network</html>"),
    "JSON of another kind": ("GET /api/datasets", b"[]"),
    "a revision that is none": ("GET /api/datasets", b'{"id": "me/stars", "sha": "../../x", "siblings": []}'),
    "no tree": ("/tree/", b'{"error": 1}'),
    "a tree of nothing": ("/tree/", b"[7, null]"),
}


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_a_hub_that_sends_nonsense_counts_as_unreachable(hub: Hub, tmp_path: Path, nonsense: str):
    name = f"me/{list(NONSENSE).index(nonsense)}"  # a new name, which is not in the cache
    put_gallery(hub, tmp_path, name)
    hub.answer_with(*NONSENSE[nonsense])
    finders = load_finders(name, model="compact", detector="mtcnn")
    assert finders.gallery_id == "bundled" and name in finders.notice
    hub.faults.clear()
    assert load_finders(name, model="compact", detector="mtcnn").served.gallery.names[0] == "Drawn 1"


def test_a_file_damaged_in_transit_is_downloaded_again(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/damaged")
    table = table_of(hub, "me/damaged")
    good = hub.files("me/damaged")[table]
    hub.answer_with(
        f"GET /datasets/me/damaged/resolve/{hub.repos['me/damaged'].commits[-1].sha}/{table}",
        good[::-1],
        times=1,
    )
    assert open_gallery("me/damaged", model="compact").names[0] == "Drawn 1"
    assert open_gallery("me/damaged", model="compact").names[0] == "Drawn 1"


def test_a_damaged_gallery_on_the_hub_is_a_clear_error(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/broken")
    table = table_of(hub, "me/broken")
    hub.put("me/broken", {table: hub.files("me/broken")[table][:-7]})
    with pytest.raises(GalleryError, match=r"is not the one that its gallery\.json describes"):
        open_gallery("me/broken", model="compact")


@pytest.mark.attack
def test_the_page_waits_for_a_slow_hub_but_not_for_a_silent_one(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/slow")
    hub.delay("", 0.5)
    assert open_gallery("me/slow", model="compact").names[0] == "Drawn 1"
    put_gallery(hub, tmp_path, "me/silent")
    hub.faults.clear()
    hub.delay("", 60)
    began = time.monotonic()
    with pytest.raises(UnreachableError, match="could not be downloaded from the Hub"):
        fetch_gallery("me/silent", "compact")
    assert time.monotonic() - began < 2 * COMMIT_TIMEOUT


def test_a_request_without_a_timeout_gets_ours():
    limit_waiting()
    request = httpx2.Request(
        "GET", "http://127.0.0.1", extensions={"timeout": httpx2.Timeout(None).as_dict()}
    )
    for hook in get_session().event_hooks["request"]:
        hook(request)
    assert set(request.extensions["timeout"].values()) == {READ_TIMEOUT}


def test_a_deleted_dataset_is_not_served_from_the_cache(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/gone")
    assert open_gallery("me/gone", model="compact").names
    del hub.repos["me/gone"]
    with pytest.raises(UnreachableError, match="status 404"):
        open_gallery("me/gone", model="compact")


OFFLINE = """
from lookalike.gallery.fetching import open_gallery
from lookalike.sources.opening import Choice, open_source
print(open_gallery("me/offline", model="compact").names)
print([record.name for record in open_source("them/offline", Choice(download=True))])
"""


def test_downloaded_files_are_read_without_a_network(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/offline")
    hub.put("them/offline", {"data/train-0.parquet": stars(("Ada", 1), ("Bo", 2))})
    assert open_gallery("me/offline", model="compact").names
    assert len(list(open_source("them/offline", Choice(download=True)))) == 2
    offline = {"HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:9"}
    found = run_python(OFFLINE, environment=offline)
    assert found.stdout.splitlines() == ["('Drawn 1', 'Drawn 2', 'Drawn 3')", "['Ada', 'Bo']"], found.stderr


@pytest.mark.attack
def test_without_a_cache_folder_the_bundled_gallery_is_served(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/uncached")
    code = (
        "from lookalike.space.finders import load_finders\n"
        "finders = load_finders('me/uncached', model='compact', detector='mtcnn')\n"
        "print(finders.gallery_id, len(finders.get().gallery.names) > 100)"
    )
    found = run_python(code, environment=NOWHERE)
    assert found.stdout.strip() == "bundled True", found.stderr
    assert "The gallery 'me/uncached' could not be downloaded from the Hub" in found.stderr


# In a build and in a push


def door_at(port: int = 0) -> socket.socket:
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("127.0.0.1", port))
    return door


def wait_until_asked(hub: Hub, part: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not any(part in call for call in hub.requests):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def two_shards() -> dict[str, bytes]:
    return {
        f"data/train-0000{n}.parquet": stars(*((f"P{k}", 34 * n + k) for k in range(34))) for n in range(2)
    }


@pytest.mark.attack
def test_a_build_resumes_after_the_network_was_lost(tmp_path: Path):
    shards = two_shards()
    door = door_at()
    address, port = door.getsockname()
    environment = os.environ | {"HF_ENDPOINT": f"http://{address}:{port}", "HF_HOME": str(tmp_path / "hf")}
    command = ("them/stars", "--output", tmp_path / "gallery")
    with serve(door) as hub:
        hub.put("them/stars", shards)
        hub.delay("train-00001", 60)  # the first is done by the time the server goes
        process = impatient_build(*command, retries=2, env=environment)
        wait_until_asked(hub, "train-00001", process)
    code, _, error = finish(process)  # the server is gone by now
    assert code == 2 and "them/stars breaks off after" in error, error
    assert "give the same command again when the Hub and the network are back" in error
    assert result(tmp_path / "gallery") == {}
    with serve(door_at(port)) as hub:
        hub.put("them/stars", shards)
        code, out, error = finish(build(*command, env=environment))
        assert code == 0 and "photos are known from earlier builds" in out, error
        assert finish(build("them/stars", "--output", tmp_path / "undisturbed", env=environment))[0] == 0
    assert result(tmp_path / "gallery") == result(tmp_path / "undisturbed")


@pytest.mark.attack
def test_a_build_that_waits_for_a_lost_network_can_be_stopped(tmp_path: Path):
    door = door_at()
    address, port = door.getsockname()
    environment = {"HF_ENDPOINT": f"http://{address}:{port}", "HF_HOME": str(tmp_path / "hf")}
    with serve(door) as hub:
        hub.put("them/stars", two_shards())
        hub.delay("train-00001", 60)
        output = tmp_path / "gallery"
        process = impatient_build("them/stars", "--output", output, retries=20, env=os.environ | environment)
        wait_until_asked(hub, "train-00001", process)
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    code, _, error = finish(process)
    assert time.monotonic() - began < 4 * STOP_SECONDS
    assert (code, error) == (143, f"Stopped. {HOW_TO_RESUME}")


@pytest.mark.parametrize(
    "part", ["POST /api/repos/create", "GET /api/datasets", "/preupload/", "/objects/batch", "/commit/"]
)
def test_a_push_is_retried_after_nonsense_and_commits_once(hub: Hub, tmp_path: Path, part: str):
    gallery = make_gallery(ada=[[1, 0, 0]])
    gallery.save(tmp_path)
    way = GalleryHub(waits=(0, 0), sleep=lambda seconds: None)
    hub.answer_with(part, b"<html>Please log in to the hotel's network</html>")
    with pytest.raises(HubError, match=r"(?s)everything is kept: give the same command again"):
        way.push(tmp_path, gallery, "me/pushed", private=False, title="Add it")
    hub.faults.clear()
    hub.answer_with(part, b"7", times=2)
    way.push(tmp_path, gallery, "me/pushed", private=False, title="Add it")
    assert hub.titles("me/pushed") == ["Add it"]


# Code in a dataset


def test_a_dataset_runs_no_code(hub: Hub, tmp_path: Path):
    """The dataset contains loading scripts, pickles and templates beside its photos and rows."""
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
    assert fetched == {Path(table_of(hub, "them/evil")).name, Path(NOTES).name}
    hub.put("them/code", {"data/train-0.parquet": stars(("Ada", 1)), **evil})
    for download in (False, True):
        with suppress(SourceError):
            list(open_source("them/code", Choice(download=download)))
    assert not canary.exists()
