"""A gallery that is built beside the page from a folder of photos, and what the page says meanwhile."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import app
from lookalike.building.progress import ProgressLog
from lookalike.gallery.fetching import is_gallery
from lookalike.gallery.work_folder import Progress, exclusive, read_progress, write_progress
from lookalike.space.background_build import BackgroundBuild, progress_in_words
from lookalike.space.finders import Finders
from tests.support.commands import put_gallery
from tests.support.drawing import draw_face
from tests.support.hub_server import Hub
from tests.support.paths import ROOT

COMMAND = [sys.executable, str(ROOT / "build_gallery.py")]
PEOPLE, PHOTOS = 12, 2
BEGINS = "The gallery “stars” is being built: 0 photos so far. Until its first part is ready"


@pytest.fixture(scope="module")
def stars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twelve drawn people, two photos each."""
    folder = tmp_path_factory.mktemp("source") / "stars"
    for person in range(PEOPLE):
        (folder / f"Name {person}").mkdir(parents=True)
        for number in range(PHOTOS):
            photo = draw_face(person, size=160 + 10 * number, turn=4 * number - 4)
            Image.fromarray(photo).save(folder / f"Name {person}" / f"{number}.jpg")
    return folder


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def build_of(source: Path, command: list[str] = COMMAND, parts: tuple[int, ...] = ()) -> BackgroundBuild:
    return BackgroundBuild(str(source), model="compact", detector="mtcnn", command=command, parts=parts)


def wait_until(done: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def names(finders: Finders) -> int:
    return len(finders.served.gallery.names)


@pytest.mark.slow
def test_the_first_part_is_served_and_then_the_whole_which_is_there_at_once_the_next_time(stars: Path):
    build = build_of(stars, parts=(6, 20))  # the first six photos show three people, which are too few
    finders = build.open()
    assert (finders.gallery_id, build.sentence()[: len(BEGINS)]) == ("bundled", BEGINS)
    sizes, sentences = [names(finders)], set()
    build.start(finders)
    while finders.building():
        sentences.add(finders.building().partition(":")[0])
        if names(finders) != sizes[-1]:
            sizes.append(names(finders))
        time.sleep(0.01)
    assert sizes[1] == 10 and names(finders) == 12
    assert sentences == {"The gallery “stars” is being built", "The gallery “stars” is still growing"}
    assert finders.gallery_id == "stars"

    again = build_of(stars)
    finders = again.open()
    assert (names(finders), finders.gallery_id, finders.building()) == (12, "stars", "")


@pytest.mark.slow
def test_a_build_that_was_stopped_goes_on_where_it_was(stars: Path):
    build = build_of(stars)
    build.start(build.open())
    wait_until(lambda: bool(list(build.folder.glob(".work/*/part-*.parquet"))))
    build.stop()
    assert not is_gallery(build.folder)
    again = build_of(stars)
    finders = again.open()
    again.start(finders)
    wait_until(lambda: not finders.building())
    assert (names(finders), finders.gallery_id) == (12, "stars")
    assert read_progress(build.folder).complete


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (
            [sys.executable, "-c", "import sys; sys.exit('error: The disk is full.')"],
            "error: The disk is full.",
        ),
        (["/no/such/command"], "No such file"),
    ],
)
def test_a_build_that_fails_is_reported_and_the_bundled_gallery_is_served(
    stars: Path, caplog: pytest.LogCaptureFixture, command: list[str], problem: str
):
    build = build_of(stars, command)
    finders = build.open()
    build.start(finders)
    wait_until(lambda: "later" in build.sentence())
    build.stop()
    assert build.sentence() == "The gallery “stars” could not be built. We'll try again later."
    assert finders.gallery_id == "bundled"
    assert "the gallery stars was not built: " in caplog.text and problem in caplog.text


def test_a_build_waits_for_another_one_in_its_folder_and_ends_with_the_page(stars: Path, tmp_path: Path):
    started = tmp_path / "started"
    code = f"import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep(600)"
    build = build_of(stars, [sys.executable, "-c", code])
    with exclusive(build.folder):
        build.start(build.open())
        time.sleep(0.5)
        assert not started.exists()
    wait_until(started.exists)
    before = time.monotonic()
    build.stop()
    assert time.monotonic() - before < 10


def test_each_source_and_detector_has_its_own_folder_in_the_cache(tmp_path: Path, cache: Path):
    (tmp_path / "stars").mkdir()
    makers = [("me/stars", "mtcnn"), ("me/stars", "yunet"), (str(tmp_path / "stars"), "mtcnn")]
    builds = [BackgroundBuild(each, model="compact", detector=by, command=COMMAND) for each, by in makers]
    assert [build.name for build in builds] == ["me/stars", "me/stars", "stars"]
    folders = {build.folder for build in builds}
    assert len(folders) == 3 and {folder.parent for folder in folders} == {cache / "galleries"}


def test_progress_is_counted_with_the_time_left(tmp_path: Path):
    now = [100.0]
    log = ProgressLog(tmp_path, 400, clock=lambda: now[0])
    for _ in range(200):  # known from an earlier build
        log.update()
    assert read_progress(tmp_path) == Progress()
    found = []
    for _ in range(120):
        now[0] += 0.1
        log.update()
        found.append(read_progress(tmp_path))
    assert list(dict.fromkeys(found)) == [
        Progress(),
        Progress(224, 400),
        Progress(256, 400, 14.4),
        Progress(288, 400, 11.2),
        Progress(320, 400, 8.0),
    ]
    log.finish(complete=True)
    assert read_progress(tmp_path) == Progress(320, 400, 0.0, True)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"photos": 1})])
def test_a_damaged_progress_file_counts_as_none(tmp_path: Path, text: str):
    write_progress(tmp_path, Progress(1))
    (tmp_path / ".work" / "progress.json").write_text(text)
    assert read_progress(tmp_path) == Progress()


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(12), "12 photos so far"),
        (Progress(12, 1240), "12 of 1,240 photos"),
        (Progress(12, 128, 9), "12 of the first 128 photos, less than a minute left"),
        (Progress(12, 1240, 80), "12 of 1,240 photos, about 1 min left"),
        (Progress(12, 1240, 300), "12 of 1,240 photos, about 5 min left"),
        (Progress(12, 460_000, 9000), "12 of 460,000 photos, about 2 h left"),
    ],
)
def test_progress_in_words(progress: Progress, words: str):
    assert progress_in_words(progress, first=128) == words


def test_galleries_and_photos_on_the_hub_are_told_apart(hub: Hub, tmp_path: Path):
    put_gallery(hub, tmp_path, "me/gallery")
    hub.put("me/photos", {"data/train.parquet": b"PAR1", "gallery.json": b"{}"})
    found = {place: app.find_build(app.parse(["--gallery", place])) for place in ("me/gallery", "me/photos")}
    assert found["me/gallery"] is None and found["me/photos"].name == "me/photos"
    hub.fail("", 503, times=1)
    assert app.find_build(app.parse(["--gallery", "me/photos"])) is None  # loading reports it


def test_without_the_hub_the_gallery_of_an_earlier_build_is_served(hub: Hub, tmp_path: Path):
    build = BackgroundBuild("me/photos", model="compact", detector="mtcnn", command=COMMAND)
    put_gallery(hub, tmp_path, "me/gallery")
    (tmp_path / "pushed").rename(build.folder.parent.mkdir(parents=True) or build.folder)
    write_progress(build.folder, Progress(3, 3, 0.0, complete=True))
    hub.fail("", 503, times=1)
    found = app.find_build(app.parse(["--gallery", "me/photos"]))
    assert found is not None and found.open().gallery_id == "me/photos"


@pytest.mark.parametrize("kind", ["missing", "empty", "text"])
def test_what_is_neither_a_gallery_nor_photos_ends_the_command_with_the_way_out(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    place = tmp_path / kind
    if kind == "empty":
        place.mkdir()
    elif kind == "text":
        place.write_text("no photo")
    assert app.main(["--gallery", str(place)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: There is no gallery at {place}, and build_gallery.py could build none: ")
    assert error.endswith("(--gallery names it.)\n")
    monkeypatch.setenv("LOOKALIKE_GALLERY", str(place))
    assert app.main([]) == 2
    assert capsys.readouterr().err.endswith("(LOOKALIKE_GALLERY names it.)\n")
