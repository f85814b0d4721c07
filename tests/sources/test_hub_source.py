"""A streamed Hub dataset whose build goes on: what was read to its end is not fetched again."""

from __future__ import annotations

import io
from pathlib import Path

from datasets import ClassLabel, Dataset, Features, Image
from PIL import Image as Pictures

from build_gallery import main
from lookalike.gallery.work_folder import WORK, read_progress
from tests.support.fakes import BrightDetector, ColourEmbedder, speckled
from tests.support.hub_server import Hub

PEOPLE = ["Ada", "Bo", "Cy"]


def push_stars(name: str, *, shards: int, photos: int) -> None:
    """Push a dataset of three people, its photos spread over shards, as `datasets` does."""
    features = Features({"image": Image(), "label": ClassLabel(names=PEOPLE)})
    rows = [{"image": photo(place), "label": place % len(PEOPLE)} for place in range(photos)]
    Dataset.from_list(rows, features=features).push_to_hub(name, num_shards=shards)


def photo(place: int) -> dict[str, object]:
    file = io.BytesIO()
    Pictures.fromarray(speckled((200 - 9 * place, 20 * place, 40))).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


def run(*arguments: object) -> int:
    texts = [str(argument) for argument in arguments]
    return main(texts, detectors=lambda name: BrightDetector(), embedders=lambda name: ColourEmbedder())


def fetched(hub: Hub) -> set[int]:
    """Return the shards whose content was asked for since this was last called."""
    calls = [call for call in hub.requests if call.startswith("GET") and "/resolve/" in call]
    hub.requests.clear()
    return {number for call in calls for number in range(9) if f"train-{number:05}-of" in call}


def result(output: Path) -> dict[str, bytes]:
    files = [path for path in output.rglob("*") if path.is_file() and WORK not in path.parts]
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in files}


def test_shards_that_were_read_to_their_end_are_not_fetched_again(hub: Hub, tmp_path: Path):
    push_stars("them/stars", shards=3, photos=9)
    assert run("them/stars", "--output", tmp_path / "undisturbed") == 0
    fetched(hub)
    assert run("them/stars", "--output", tmp_path / "gallery", "--limit", 7) == 0  # one of the last shard
    assert fetched(hub) == {0, 1, 2}
    assert run("them/stars", "--output", tmp_path / "gallery") == 0
    assert fetched(hub) == {2}
    assert result(tmp_path / "gallery") == result(tmp_path / "undisturbed")
    assert run("them/stars", "--output", tmp_path / "gallery", "--photos-per-name", 1) == 0
    assert fetched(hub) == set()


def test_a_shard_is_fetched_again_for_those_who_are_no_longer_left_out(hub: Hub, tmp_path: Path):
    push_stars("them/stars", shards=3, photos=3)
    (tmp_path / "all").write_text("")
    (tmp_path / "bo").write_text("Bo\n")
    place = ("them/stars", "--output", tmp_path / "gallery")
    assert run(*place, "--exclude", tmp_path / "bo") == 0
    fetched(hub)
    assert run(*place, "--exclude", tmp_path / "all") == 0
    assert fetched(hub) == {1}
    assert run(*place, "--exclude", tmp_path / "bo") == 0
    assert fetched(hub) == set()


def test_progress_stops_at_the_limit_where_an_earlier_build_read_more(hub: Hub, tmp_path: Path):
    push_stars("them/stars", shards=3, photos=9)
    assert run("them/stars", "--output", tmp_path / "gallery") == 0
    assert run("them/stars", "--output", tmp_path / "gallery", "--limit", 4) == 0
    assert read_progress(tmp_path / "gallery").records == 4
