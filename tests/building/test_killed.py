"""A build killed with `kill -9` in the middle, and its disk filled up: the command itself, in a process."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from lookalike.gallery.work_folder import WORK
from tests.support.drawing import draw_face
from tests.support.paths import ROOT

PEOPLE, PHOTOS = 6, 12


@pytest.fixture(scope="module")
def stars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos enough for several batches."""
    root = tmp_path_factory.mktemp("source") / "stars"
    for person in range(PEOPLE):
        (root / f"Name {person}").mkdir(parents=True)
        for number in range(PHOTOS):
            photo = draw_face(person, size=140 + 4 * number, turn=2 * number - 11)
            Image.fromarray(photo).save(root / f"Name {person}" / f"{number:02}.jpg")
    return root


def start(stars: Path, output: Path, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "build_gallery.py"), str(stars), "--output", str(output)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finish(build: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, errors = build.communicate(timeout=600)
    return build.returncode, out, errors


def result(output: Path) -> dict[str, bytes]:
    """Return all that a build is for: the table, the settings, the card, the rejected records."""
    files = [path for path in output.rglob("*") if path.is_file() and WORK not in path.parts]
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def undisturbed(stars: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("undisturbed") / "gallery"
    code, _, errors = finish(start(stars, output))
    assert code == 0, errors
    return result(output)


@pytest.mark.slow
def test_a_killed_build_goes_on_and_ends_with_the_same_bytes(
    stars: Path, tmp_path: Path, undisturbed: dict[str, bytes]
):
    output = tmp_path / "gallery"
    build = start(stars, output)
    while not list(output.glob(f"{WORK}/*/part-*.parquet")):
        assert build.poll() is None, "it ended before it was killed"
        time.sleep(0.01)
    build.send_signal(signal.SIGKILL)
    assert finish(build)[0] == -signal.SIGKILL
    assert result(output) == {}
    code, out, errors = finish(start(stars, output))
    assert code == 0, errors
    assert "photos are known from earlier builds" in out
    assert result(output) == undisturbed


def test_a_build_whose_disk_is_full_says_how_to_go_on(stars: Path, tmp_path: Path):
    output = tmp_path / "gallery"

    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    code, _, errors = finish(start(stars, output, preexec_fn=small_files_only))
    assert code == 2
    assert errors.splitlines()[-1] == (
        f"error: {output} could not be written ({os.strerror(27)}). "
        "What was done so far is kept; the same command goes on from there."
    )
    assert result(output) == {}
