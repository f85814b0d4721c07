"""The table: what is stored comes back, and a search ranks names."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import GalleryError, MismatchError, MissingFileError
from lookalike.gallery import storage
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.gallery.storage import part_files
from tests.support.fakes import ColourEmbedder, make_gallery, settings, unit


def make_old(folder: Path) -> None:
    """Change a gallery to the format in which the settings did not list the files."""
    settings_file = folder / SETTINGS_FILE
    fields = json.loads(settings_file.read_text())
    del fields["files"]
    settings_file.write_text(json.dumps(fields))
    next(folder.glob("*.parquet")).rename(folder / "rows-00000-of-00001.parquet")


def watch_files(monkeypatch: pytest.MonkeyPatch, look: Callable[[], object]) -> None:
    """Call `look` before and after each file is renamed or deleted."""

    def watched(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            look()
            answer = function(*arguments, **options)
            look()
            return answer

        return call

    for place, name in ((os, "replace"), (os, "rename"), (os, "unlink"), (os, "rmdir"), (Path, "unlink")):
        monkeypatch.setattr(place, name, watched(getattr(place, name)))


def test_search_returns_each_name_once_by_its_best_row():
    gallery = make_gallery(bo=[[0, 1, 0]], ada=[[1, 0, 0], [4, 3, 0]], cy=[[0, 0, 1]])
    hits = gallery.search(unit(3, 4, 0), count=5)
    assert [(hit.name, round(hit.cosine, 4), gallery.origin(hit.row)) for hit in hits] == [
        ("ada", 0.96, "ada#1"),
        ("bo", 0.8, "bo#0"),
        ("cy", 0.0, "cy#0"),
    ]


@pytest.mark.parametrize(("rows", "names"), [(1000, 300), (5000, 3000), (3000, 3000)])
def test_search_agrees_with_sorting_everything(rows: int, names: int):
    random = np.random.default_rng(1)
    several = [Row(f"name {i % names:04}", unit(*random.normal(size=8))) for i in range(rows)]
    gallery = Gallery.of(several, replace(settings(), dim=8))
    probe = unit(*random.normal(size=8))
    best: dict[str, float] = {}
    for row in several:
        best[row.name] = max(best.get(row.name, -1), float(row.embedding @ probe))
    expected = sorted(best, key=lambda name: -best[name])[:7]
    assert [hit.name for hit in gallery.search(probe, count=7)] == expected


def test_ties_are_broken_by_name():
    gallery = make_gallery(zoe=[[1, 0, 0]], ada=[[1, 0, 0]], may=[[1, 0, 0]])
    assert [hit.name for hit in gallery.search(unit(1, 0, 0), count=2)] == ["ada", "may"]
    crowd = make_gallery(**{f"n{i:04}": [[1, 0, 0]] for i in range(2000)})
    assert [hit.name for hit in crowd.search(unit(1, 0, 0), count=3)] == ["n0000", "n0001", "n0002"]


def test_what_was_saved_is_loaded(tmp_path: Path):
    rows = [
        Row("Bé", unit(0, 1, 0), photo=b"webp", confidence=0.5, origin="a#1", category="Sports"),
        Row("Ada", unit(1, 0, 0), photos=3),
    ]
    first = Gallery.of(rows, settings(standing=(0.1, 0.2)))
    first.save(tmp_path)
    again = Gallery.load(tmp_path, model="colour")
    assert (again.names, again.settings, again.revision) == (("Ada", "Bé"), first.settings, first.revision)
    assert np.array_equal(again.embeddings, [[1, 0, 0], [0, 1, 0]])
    assert [(again.photo(row), again.origin(row)) for row in (0, 1)] == [(None, None), (b"webp", "a#1")]


def test_saving_the_same_rows_twice_gives_the_same_bytes(tmp_path: Path):
    for folder in ("one", "two"):
        make_gallery(ada=[[1, 0, 0]], bo=[[0, 1, 0]]).save(tmp_path / folder)
    one, two = (sorted((tmp_path / folder / "colour").iterdir()) for folder in ("one", "two"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]


def test_a_reader_finds_a_whole_gallery_at_each_moment_of_a_write(tmp_path: Path, monkeypatch):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path)
    found = []

    def load() -> None:
        found.append(Gallery.load(tmp_path, model="colour").names)

    watch_files(monkeypatch, load)
    make_gallery(bo=[[0, 1, 0]]).save(tmp_path)
    load()
    assert len(found) > 5 and found == sorted(found) and set(found) == {("ada",), ("bo",)}


def test_a_reader_finds_a_whole_gallery_while_an_older_format_is_replaced(tmp_path: Path, monkeypatch):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path)
    make_old(tmp_path / "colour")
    found = []
    watch_files(monkeypatch, lambda: found.append(Gallery.load(tmp_path, model="colour").names))
    make_gallery(bo=[[0, 1, 0]]).save(tmp_path)
    assert len(found) > 5 and found == sorted(found) and set(found) == {("ada",), ("bo",)}


def test_a_reader_whose_parts_are_deleted_reads_the_new_gallery(tmp_path: Path, monkeypatch):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path)
    real, reads = storage.read_settings, []

    def read_and_be_overtaken(path: Path):
        answer = real(path)
        if not reads:
            make_gallery(bo=[[0, 1, 0]]).save(tmp_path)
        reads.append(path)
        return answer

    monkeypatch.setattr(storage, "read_settings", read_and_be_overtaken)
    assert Gallery.load(tmp_path, model="colour").names == ("bo",)
    assert len(reads) == 2


def test_readers_in_other_threads_never_miss_a_gallery_that_is_saved_again_and_again(tmp_path: Path):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path)
    done = threading.Event()

    def read() -> set[tuple[str, ...]]:
        found = set()
        while not done.is_set():
            found.add(Gallery.load(tmp_path, model="colour").names)
        return found

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for number in range(40):
            make_gallery(**{f"name {number % 2}": [[1, number, 0]]}).save(tmp_path)
        done.set()
        assert all(reader.result() <= {("ada",), ("name 0",), ("name 1",)} for reader in readers)


def test_a_write_that_fails_leaves_the_gallery_and_nothing_else(tmp_path: Path, monkeypatch):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path / "old")
    before = {path.name: path.read_bytes() for path in (tmp_path / "old" / "colour").iterdir()}

    def full(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage, "write_text", full)
    for folder in ("old", "new"):
        with pytest.raises(OSError, match="No space left"):
            make_gallery(bo=[[0, 1, 0]]).save(tmp_path / folder)
    assert {path.name: path.read_bytes() for path in (tmp_path / "old" / "colour").iterdir()} == before
    assert not (tmp_path / "new" / "colour").exists()


def test_what_a_killed_write_left_is_ignored_and_then_deleted(tmp_path: Path):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path)
    for name in ("rows-00000-of-00001-000000000000.parquet", ".rows-00000-of-00001-ab.partial.parquet"):
        (tmp_path / "colour" / name).write_bytes(b"half")
    assert Gallery.load(tmp_path, model="colour").names == ("ada",)
    make_gallery(bo=[[0, 1, 0]]).save(tmp_path)
    assert len(list((tmp_path / "colour").iterdir())) == 2
    assert Gallery.load(tmp_path, model="colour").names == ("bo",)


def test_a_gallery_whose_settings_list_no_files_is_loaded_and_replaced(tmp_path: Path):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path)
    make_old(tmp_path / "colour")
    gallery = Gallery.load(tmp_path, model="colour")
    assert gallery.names == ("ada",)
    gallery.save(tmp_path)
    (part,) = part_files(tmp_path, "colour")
    assert sorted((tmp_path / "colour").iterdir()) == [tmp_path / "colour" / SETTINGS_FILE, part]


def test_saving_replaces_one_model_and_leaves_the_others(tmp_path: Path):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path)
    make_gallery("other", bo=[[0, 1, 0]]).save(tmp_path)
    make_gallery(cy=[[0, 0, 1]]).save(tmp_path)
    assert Gallery.load(tmp_path, model="colour").names == ("cy",)
    assert Gallery.load(tmp_path, model="other").names == ("bo",)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["colour", "other"]


def test_a_table_opens_in_datasets_with_its_photo_as_an_image(tmp_path: Path):
    from datasets import Image, load_dataset

    make_gallery(ada=[[1, 0, 0]]).save(tmp_path / "gallery")
    files = str(next((tmp_path / "gallery" / "colour").glob("*.parquet")))
    table = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert isinstance(table.features["photo"], Image)
    assert table[0]["name"] == "ada" and table[0]["embedding"] == [1.0, 0.0, 0.0]


def test_a_gallery_of_another_model_or_other_weights_is_refused_with_both_sides_named():
    gallery, embedder = make_gallery(ada=[[1, 0, 0]]), ColourEmbedder()
    gallery.check(embedder)
    with pytest.raises(MismatchError, match=r"made with colour .* embedded with shade"):
        gallery.check(ColourEmbedder("shade"))
    embedder.weights_hash = "1" * 64
    with pytest.raises(MismatchError, match=r"000000000000.*111111111111"):
        gallery.check(embedder)
    embedder.engine = "another engine"  # the same weights in another file format have another hash
    gallery.check(embedder)


def test_a_model_that_the_gallery_has_no_table_for_is_refused_with_those_it_has(tmp_path: Path):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path)
    with pytest.raises(MismatchError, match=r"no table for the model 'compact' \(it has: colour\)"):
        Gallery.load(tmp_path)


def test_a_missing_folder_and_an_empty_table_say_what_to_do(tmp_path: Path):
    with pytest.raises(MissingFileError, match=r"build_gallery\.py"):
        Gallery.load(tmp_path / "nowhere")
    with pytest.raises(GalleryError, match="at least one row"):
        Gallery.of([], settings())


@pytest.mark.parametrize("numbers", [[np.nan, 0, 0], [0, 0, 0], [3, 0, 0]])
def test_rows_that_are_not_of_unit_length_are_refused(numbers: list[float]):
    with pytest.raises(GalleryError, match="1 of the gallery's 1 embeddings are not of unit length"):
        Gallery.of([Row("ada", np.array(numbers, np.float32))], settings())
