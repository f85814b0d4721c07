"""The benchmarks: their clocks, the systems that they compare, and the tables that they write."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.camera import INTERVAL, live_table, rate_of, send_frames
from benchmarks.client import send_requests
from benchmarks.clock import StageClock, median_ratio, percentile, processor_time, run_alternating
from benchmarks.probe import CAMERA, OURS, Comparison, _once, crowds_of, frame, grow, sizes_of
from benchmarks.search import measure_search, random_rows
from benchmarks.serving import APP, run_page
from benchmarks.systems import open_find, open_ours, open_represent
from benchmarks.tables import comparison_tables, write_page
from benchmarks.workers import Worker
from lookalike.errors import LookalikeError, UnknownModelError, WeightsError
from lookalike.images import read_image
from tests.support.drawing import draw_face


def test_actions_alternate_and_the_first_round_does_not_count():
    order: list[str] = []

    def action(name: str, seconds: float):
        return lambda: order.append(name) or seconds

    found = run_alternating({"a": action("a", 1.0), "b": action("b", 2.0)}, rounds=2)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert found == {"a": [1.0, 1.0], "b": [2.0, 2.0]}


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds():
    assert median_ratio([2.0, 30.0, 3.0], [1.0, 10.0, 0.5]) == 3.0


def test_a_percentile_is_one_of_the_values():
    seconds = [float(value) for value in range(100, 0, -1)]
    assert [percentile(seconds, share) for share in (0.5, 0.95, 0.99, 1.0)] == [51.0, 96.0, 100.0, 100.0]


def test_a_camera_waits_for_the_interval_and_for_answers():
    found = rate_of([[0.05, 0.05, 0.4], [0.05, 0.15, 0.2]], processor=0.6)
    assert (found.cameras, found.frames, found.p50, found.p95) == (2, 3, 0.15, 0.4)
    assert found.per_second == pytest.approx(6 / (3 * INTERVAL + 0.75))
    assert found.processor == pytest.approx(0.1)
    assert "| 2 | 5.7 | 150 ms | 400 ms | 100 ms |" in live_table([found])


def test_times_of_the_same_stage_add_up():
    clock = StageClock()
    for stage in ("detect", "embed", "detect"):
        with clock(stage):
            pass
    assert list(clock.seconds) == ["detect", "embed"] and all(value >= 0 for value in clock.seconds.values())


def test_a_frame_contains_the_whole_photo_whatever_its_shape():
    image = read_image(frame(draw_face(1, size=200), CAMERA))
    assert image.shape == (480, 640, 3)
    assert len(sizes_of(draw_face(1, size=200))) == 6


def test_our_system_reports_its_stages_and_its_peak_memory():
    photos = {count: photo for count, photo in crowds_of(draw_face(1)).items() if count in (1, 4)}
    one, four = grow(photos, rounds=1)
    assert list(one.stages) == ["decode", "detect", "align", "embed", "search"]
    assert sum(one.stages.values()) <= one.seconds * 1.01 and one.memory > 50
    assert (one.size, four.size) == (1.0, 4.0)


def test_a_system_that_cannot_be_loaded_raises_its_error():
    with pytest.raises(UnknownModelError, match="no detector 'eyes'"):
        Worker(open_ours, "eyes")


def open_crashing():
    return lambda photo: os._exit(3)


def test_a_crash_of_a_system_is_reported():
    worker = Worker(open_crashing)
    for _ in range(2):
        with pytest.raises(WeightsError, match="run out of memory"):
            worker.process(b"photo")
    worker.close()


def test_our_default_comes_first_and_once():
    ours = [Comparison("camera", OURS, seconds, {}, 1.0, None) for seconds in (3.0, 1.0, 2.0)]
    other = Comparison("camera", "yunet", 4.0, {}, 1.0, 2.0)
    assert _once([ours[0], other, *ours[1:]]) == [ours[2], other]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opener", "arguments"),
    [(open_represent, ("Facenet512", "opencv", "tensorflow")), (open_find, ("Facenet512", "opencv", 20))],
)
def test_deepface_processes_a_photo_with_random_weights(
    opener, arguments: tuple[object, ...], tmp_path: Path
):
    worker = Worker(opener, *arguments, str(tmp_path))
    run = worker.process(frame(draw_face(1), CAMERA))
    worker.close()
    assert run.seconds > 0 and run.peak > 100 and run.stages == {}


def test_search_is_measured_for_each_size():
    speeds, bandwidth = measure_search([500, 2000], rounds=2)
    assert [speed.rows for speed in speeds] == [500, 2000] and bandwidth > 0.1
    assert all(min(speed.search, speed.product, speed.megabytes, speed.of_bandwidth) > 0 for speed in speeds)


def test_random_rows_have_unit_length_and_depend_on_the_seed_alone():
    rows = random_rows(500)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert not np.array_equal(rows, random_rows(500, seed=1))
    assert (rows == random_rows(500)).all()


@pytest.mark.slow
def test_clients_and_cameras_get_answers_from_the_running_page():
    photo = frame(draw_face(1), CAMERA)
    with run_page(APP) as page:
        replies, seconds = send_requests(page.address, photo, clients=3, requests=7)
        assert len(replies) == 7 and all(0 < reply.seconds <= seconds for reply in replies)
        assert {"detect", "embed", "search"} <= set(replies[0].stages)
        answered = send_frames(page.address, photo, cameras=2, frames=3)
        assert [len(seconds) for seconds in answered] == [3, 3] and processor_time(page.pid) > 0
        empty = frame(np.full((90, 90, 3), 127, np.uint8), CAMERA)
        with pytest.raises(LookalikeError, match="No face was found"):
            send_requests(page.address, empty, clients=1, requests=1)
    with pytest.raises(httpx.TransportError):
        httpx.get(page.address)


def test_a_page_that_does_not_start_raises_its_last_line(tmp_path: Path):
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no gallery')", encoding="utf-8")
    with pytest.raises(LookalikeError, match="no gallery"), run_page(broken):
        pass


def test_the_command_writes_tables_charts_and_one_page(tmp_path: Path):
    page = tmp_path / "page" / "performance.md"
    arguments = ["search", "--sizes", "1000", "--rounds", "1", "--output", str(tmp_path)]
    page.parent.mkdir()
    assert main([*arguments, "--page", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "## Exact search" in text and "(../speed-exact-rows.png)" in text and "| 1,000 |" in text
    assert Image.open(tmp_path / "speed-exact-rows.png").width > 600
    write_page(tmp_path, page)
    assert page.read_text(encoding="utf-8") == text


def test_a_missing_photo_ends_in_a_clear_error(capsys: pytest.CaptureFixture[str]):
    assert main(["serve", "nowhere.jpg"]) == 2
    assert "There is no photo at nowhere.jpg." in capsys.readouterr().err


def test_the_table_of_systems_starts_with_ratios():
    ours = Comparison("camera", "mtcnn (default)", 0.015, {"detect": 0.01}, 150.0, None)
    theirs = Comparison("camera", "DeepFace", 1.5, {}, 2300.0, 100.0)
    assert comparison_tables([ours, theirs]).splitlines()[-2:] == [
        "| mtcnn (default) | 1 | 15 ms | 10 ms | 150 MB |",
        "| DeepFace | 100 | 1.50 s |  | 2300 MB |",
    ]
