"""The measuring of speed: its clocks, its contestants, and the pages and tables that come of it."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from benchmarks.camera import EVERY, film, live_table, rate
from benchmarks.client import ask_all
from benchmarks.clock import Stages, in_turns, percentile, processor_time, times_as_long
from benchmarks.indexes import METHODS
from benchmarks.probe import CAMERA, OURS, Contest, _once, crowds_of, frame, grow, sizes_of
from benchmarks.rivals import open_find, open_ours, open_represent
from benchmarks.search import race, rows_like_faces
from benchmarks.serving import APP, running
from benchmarks.tables import contest_tables, write_page
from benchmarks.workers import Worker
from lookalike.errors import LookalikeError, UnknownModelError, WeightsError
from lookalike.evaluation.__main__ import main
from lookalike.images import read_image
from tests.support.drawing import draw_face


def test_contestants_take_turns_and_the_first_round_does_not_count():
    order: list[str] = []

    def contestant(name: str, seconds: float):
        return lambda: order.append(name) or seconds

    found = in_turns({"a": contestant("a", 1.0), "b": contestant("b", 2.0)}, rounds=2)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert found == {"a": [1.0, 1.0], "b": [2.0, 2.0]}


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    assert times_as_long([2.0, 30.0, 3.0], [1.0, 10.0, 0.5]) == 3.0


def test_a_percentile_is_one_of_the_values():
    seconds = [float(value) for value in range(100, 0, -1)]
    assert [percentile(seconds, share) for share in (0.5, 0.95, 0.99, 1.0)] == [51.0, 96.0, 100.0, 100.0]


def test_a_camera_sends_no_sooner_than_the_page_asks_and_waits_for_answers():
    found = rate([[0.05, 0.05, 0.4], [0.05, 0.15, 0.2]], processor=0.6)
    assert (found.cameras, found.frames, found.p50, found.p95) == (2, 3, 0.15, 0.4)
    assert found.a_second == pytest.approx(6 / (3 * EVERY + 0.75)) and found.processor == pytest.approx(0.1)
    assert "| 2 | 5.7 | 150 ms | 400 ms | 100 ms |" in live_table([found])


def test_stages_of_one_name_add_up():
    clock = Stages()
    for stage in ("detect", "embed", "detect"):
        with clock(stage):
            pass
    assert list(clock.seconds) == ["detect", "embed"] and all(value >= 0 for value in clock.seconds.values())


def test_a_frame_keeps_the_face_whole_whatever_its_shape():
    image = read_image(frame(draw_face(1, size=200), CAMERA))
    assert image.shape == (480, 640, 3)
    assert len(sizes_of(draw_face(1, size=200))) == 6


def test_our_own_contestant_tells_its_stages_and_its_peak_of_memory():
    photos = {count: photo for count, photo in crowds_of(draw_face(1)).items() if count in (1, 4)}
    one, four = grow(photos, rounds=1)
    assert list(one.stages) == ["decode", "detect", "align", "embed", "search"]
    assert sum(one.stages.values()) <= one.seconds * 1.01 and one.memory > 50
    assert (one.size, four.size) == (1.0, 4.0)


def test_a_contestant_that_cannot_be_opened_says_why():
    with pytest.raises(UnknownModelError, match="no detector 'eyes'"):
        Worker(open_ours, "eyes")


def open_dying():
    return lambda photo: os._exit(3)


def test_a_contestant_that_dies_over_a_photo_is_told():
    worker = Worker(open_dying)
    for _ in range(2):
        with pytest.raises(WeightsError, match="too little memory"):
            worker.look(b"photo")
    worker.close()


def test_our_default_stands_first_and_once():
    met = [Contest("camera", OURS, seconds, {}, 1.0, None) for seconds in (3.0, 1.0, 2.0)]
    rival = Contest("camera", "yunet", 4.0, {}, 1.0, 2.0)
    assert _once([met[0], rival, *met[1:]]) == [met[2], rival]


def test_deepface_answers_the_same_photo_on_random_weights(tmp_path: Path):
    photo = frame(draw_face(1), CAMERA)
    for opener, arguments in (
        (open_represent, ("Facenet512", "opencv", "tensorflow", str(tmp_path))),
        (open_find, ("Facenet512", "opencv", 20, str(tmp_path))),
    ):
        worker = Worker(opener, *arguments)
        run = worker.look(photo)
        worker.close()
        assert run.seconds > 0 and run.peak > 100 and run.stages == {}


def test_exact_search_finds_all_and_approximate_search_most():
    speeds, bandwidth = race([2000], rounds=2)
    assert bandwidth > 0.1
    recalls = {speed.method: speed.recall for speed in speeds}
    assert recalls["NumPy, float32"] == recalls["the gallery: NumPy, float32, and names"] == 1.0
    assert min(recalls.values()) > 0.8 and len(recalls) >= 3
    assert all(speed.seconds > 0 and speed.megabytes > 0 for speed in speeds)
    assert [method.name for method in METHODS if not method.takes(20_000_000)] == [m.name for m in METHODS]


def test_rows_lie_as_faces_do():
    rows = rows_like_faces(500)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert not np.array_equal(rows, rows_like_faces(500, seed=1))
    assert (rows == rows_like_faces(500)).all()


def test_visitors_get_answers_from_the_running_page_and_a_page_that_cannot_start_is_told(tmp_path: Path):
    with running(APP) as page:
        replies, seconds = ask_all(page.address, frame(draw_face(1), CAMERA), clients=3, requests=7)
        assert len(replies) == 7 and all(0 < reply.seconds <= seconds for reply in replies)
        assert {"detect", "embed", "search"} <= set(replies[0].stages)
        filmed = film(page.address, frame(draw_face(1), CAMERA), cameras=2, frames=3)
        assert [len(seconds) for seconds in filmed] == [3, 3] and processor_time(page.pid) > 0
        with pytest.raises(LookalikeError, match="No face was found"):
            ask_all(page.address, frame(np.full((90, 90, 3), 127, np.uint8), CAMERA), clients=1, requests=1)
    with pytest.raises(httpx.TransportError):
        httpx.get(page.address)
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no gallery')", encoding="utf-8")
    with pytest.raises(LookalikeError, match="no gallery"), running(broken):
        pass


def test_the_command_writes_tables_pictures_and_one_page(tmp_path: Path):
    page = tmp_path / "page" / "SPEED.md"
    arguments = ["speed", "search", "--sizes", "1000", "--rounds", "1", "--output", str(tmp_path)]
    page.parent.mkdir()
    assert main([*arguments, "--page", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "## Search" in text and "(../speed-search-rows.png)" in text and "| NumPy, float32 |" in text
    assert Image.open(tmp_path / "speed-search-rows.png").width > 600
    write_page(tmp_path, page)
    assert page.read_text(encoding="utf-8") == text


def test_a_photo_that_is_not_there_ends_in_a_sentence(capsys: pytest.CaptureFixture[str]):
    assert main(["speed", "serve", "nowhere.jpg"]) == 2
    assert "There is no photo at nowhere.jpg." in capsys.readouterr().err


def test_a_table_of_contestants_tells_ratios_first():
    ours = Contest("camera", "mtcnn (default)", 0.015, {"detect": 0.01}, 150.0, None)
    theirs = Contest("camera", "DeepFace", 1.5, {}, 2300.0, 100.0)
    assert contest_tables([ours, theirs]).splitlines()[-2:] == [
        "| mtcnn (default) | 1 | 15 ms | 10 ms | 150 MB |",
        "| DeepFace | 100 | 1.50 s |  | 2300 MB |",
    ]
