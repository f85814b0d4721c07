"""Faults of the machine, caused for real: signals, damaged weights, full memory and disks, clock jumps."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from PIL import Image

from lookalike import WeightsError
from lookalike.files import BUNDLED
from lookalike.gallery.work_folder import WORK
from lookalike.models.onnx_embedder import OnnxEmbedder
from lookalike.models.registry import MODELS
from tests.support.commands import (
    NOWHERE,
    answer,
    ask,
    build,
    drawn,
    finish,
    join,
    result,
    run_python,
)
from tests.support.drawing import draw_face
from tests.support.fakes import write_random_arcface
from tests.support.paths import SHARED
from tests.support.server import START_SECONDS, serving

# Stopping


@pytest.mark.attack
def test_waiting_requests_are_answered_before_the_page_stops(tmp_path: Path):
    with serving(tmp_path / "page") as server:
        events = [join(server.address, count=20).json()["event_id"] for _ in range(12)]
        server.process.send_signal(signal.SIGTERM)
        with ThreadPoolExecutor(len(events)) as pool:
            reports = list(pool.map(lambda event: answer(server.address, event), events))
        assert server.process.wait(timeout=40) == 0
    assert [len(report["faces"][0]["matches"]) for report in reports] == [20] * 12
    assert "Traceback" not in server.log.read_text()


# Weights


@pytest.mark.attack
@pytest.mark.parametrize(
    "damage", [lambda data: data[:1000], lambda data: b"<html>404</html>", lambda data: data[:-1] + b"!"]
)
def test_weights_with_another_hash_are_refused(tmp_path: Path, damage):
    whole = SHARED / "weights" / "face_detection_yunet_2023mar.onnx"
    data = whole.read_bytes() if whole.is_file() else b"another file"
    folder = tmp_path / ".deepface" / "weights"
    folder.mkdir(parents=True)
    (folder / "face_detection_yunet_2023mar.onnx").write_bytes(damage(data))
    assert (
        "yunet_2023mar.onnx is not the expected file, perhaps an incomplete download; delete it"
        in load_in_a_process("load_detector('yunet')", tmp_path)
    )


@pytest.mark.attack
def test_weights_with_the_published_hash_are_accepted(tmp_path: Path):
    whole = SHARED / "weights" / "face_detection_yunet_2023mar.onnx"
    if not whole.is_file():
        pytest.skip("YuNet's weights are not here")
    folder = tmp_path / ".deepface" / "weights"
    folder.mkdir(parents=True)
    shutil.copy(whole, folder)
    assert load_in_a_process("load_detector('yunet')", tmp_path) == ""


@pytest.mark.attack
@pytest.mark.parametrize("model", ["SFace", "ArcFace"])
def test_an_incomplete_download_of_a_model_is_refused(tmp_path: Path, model: str):
    write_random_arcface(tmp_path)
    file = tmp_path / ".deepface" / "weights" / "arcface_weights.onnx"
    half = file.read_bytes()[:5000]
    file.unlink()
    name = {"SFace": "face_recognition_sface_2021dec.onnx", "ArcFace": "arcface_weights.onnx"}[model]
    file.with_name(name).write_bytes(half)
    message = load_in_a_process(f"load_embedder({model!r})", tmp_path)
    known = {"SFace": "is not the expected file", "ArcFace": "could not be loaded; put them into"}
    assert known[model] in message and "\n" not in message


def load_in_a_process(call: str, home: Path) -> str:
    """Return the message of the error when loading fails, otherwise an empty string."""
    code = (
        "from lookalike.faces.detectors import load_detector\n"
        "from lookalike.models.registry import load_embedder\n"
        f"from lookalike.errors import LookalikeError\ntry:\n    {call}\n"
        "except LookalikeError as error:\n    print('MESSAGE', error)\n"
    )
    environment = {"DEEPFACE_HOME": str(home), "https_proxy": "http://127.0.0.1:9"}
    found = run_python(code, environment=environment)
    assert found.returncode == 0, found.stderr
    return found.stdout.partition("MESSAGE ")[2].strip()


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
from lookalike.models.registry import load_embedder
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
    del room[-40:]  # free some memory for the error itself
    return room
"""


@pytest.mark.slow
def test_a_model_without_memory_runs_smaller_batches_or_raises_and_recovers():
    found = run_python(FILL + NO_MEMORY)
    assert found.stdout.strip() == (
        "[(96, 128), 'There is not enough memory for a face at the moment; try again later.'] True"
    ), found.stderr[-2000:]


# Disks, homes and clocks


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a small disk at `place`; skip the test if that is not allowed."""
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
    """Fill a disk completely; return the file to delete."""
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))
    return disk / "filler"


@pytest.fixture(scope="module")
def photos_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough photos for several batches of a build."""
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
def test_a_build_that_is_stopped_keeps_its_work(
    photos_folder: Path, tmp_path: Path, undisturbed: dict[str, bytes], number: int
):
    output = tmp_path / "gallery"
    process = build(photos_folder, "--output", output)
    deadline = time.monotonic() + START_SECONDS
    while not list(output.glob(f"{WORK}/*/part-*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    code, _, error = finish(process)
    assert (code, error) == (
        128 + number,
        "Stopped. What was done so far is kept; the same command goes on from there.",
    )
    assert result(output) == {}
    code, out, _ = finish(build(photos_folder, "--output", output))
    assert code == 0 and "photos are known from earlier builds" in out and result(output) == undisturbed


@pytest.mark.attack
def test_a_build_on_a_full_disk_fails_clearly_and_resumes_with_free_space(
    photos_folder: Path, tmp_path: Path, undisturbed: dict[str, bytes]
):
    with small_disk(tmp_path / "disk", 160) as disk:
        code, _, error = finish(build(photos_folder, "--output", disk / "gallery"))
        assert code == 2 and error == (
            f"error: {disk / 'gallery'} could not be written (No space left on device). "
            "What was done so far is kept; the same command goes on from there."
        )
        assert result(disk / "gallery") == {}
        subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
        code, _, error = finish(build(photos_folder, "--output", disk / "gallery"))
        assert code == 0, error
        assert result(disk / "gallery") == undisturbed


@pytest.mark.attack
def test_a_second_build_into_the_same_folder_is_refused(
    photos_folder: Path, tmp_path: Path, undisturbed: dict[str, bytes]
):
    output = tmp_path / "gallery"
    first = build(photos_folder, "--output", output)
    deadline = time.monotonic() + START_SECONDS
    while not (output / WORK / "lock").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)  # so that it is still running when the other starts
    time.sleep(0.2)
    code, _, error = finish(build(photos_folder, "--output", output))
    first.send_signal(signal.SIGCONT)
    assert (code, error) == (
        2,
        f"error: Another build is running in {output}; wait for it, or choose another folder.",
    )
    assert finish(first)[0] == 0 and result(output) == undisturbed


@pytest.mark.attack
def test_a_page_without_a_home_answers_and_survives_a_full_disk(tmp_path: Path):
    with small_disk(tmp_path / "disk", 700) as disk:
        environment = NOWHERE | {"GRADIO_TEMP_DIR": str(disk / "gradio")}
        with serving(tmp_path / "page", **environment) as server:
            address = server.address
            assert len(ask(address)["faces"]) == 1
            filler = fill(disk)
            assert "error" in ask(address, seed=5)  # cards of its matches are not cached yet
            photo = {"files": ("me.jpg", drawn(4) * 20)}
            assert httpx.post(address + "/gradio_api/upload", files=photo, timeout=60).status_code >= 400
            assert server.process.poll() is None
            filler.unlink()
            assert len(ask(address)["faces"]) == 1


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
def test_a_page_keeps_answering_while_the_clock_jumps(tmp_path: Path):
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
    with serving(tmp_path / "page", **environment) as server:
        for jump in (0, 10 * YEAR, -10 * YEAR, 3600, -1):
            write_shift(shift, jump)
            assert len(ask(server.address)["faces"]) == 1
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=40) == 0
    assert "Traceback" not in server.log.read_text()


def write_shift(path: Path, seconds: int) -> Path:
    """Set the clock of the processes that read this file."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(seconds.to_bytes(8, sys.byteorder, signed=True))
    return path
