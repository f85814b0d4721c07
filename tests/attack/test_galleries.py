"""Galleries that are damaged, forged or hostile: refused with a sentence or cleaned with a count.

Each damage is done to files that a build wrote, and loaded the way the page loads them; none gives a wrong
answer.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lookalike import Gallery, GalleryError, Lookalikes
from lookalike.building.publishing import remove_from_folder
from lookalike.gallery.schema import Row
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.gallery.standing import Standing
from lookalike.models.registry import load_embedder
from tests.support.commands import ask
from tests.support.drawing import draw_face
from tests.support.fakes import BrightDetector, ColourEmbedder, make_gallery, settings, speckled, unit
from tests.support.server import serving

FLIPS = 150  # of the table's bytes, drawn at random; two seconds
PEOPLE = {"ada": [[1, 0, 0], [1, 0.1, 0]], "bo": [[0, 1, 0]], "cy": [[0, 0, 1]]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A valid gallery with four rows."""
    make_gallery(standing=[0.1, 0.5, 0.9], **PEOPLE).save(tmp_path / "gallery")
    return tmp_path / "gallery"


def rows_file(folder: Path) -> Path:
    return next((folder / "colour").glob("*.parquet"))


def seal(folder: Path) -> None:
    """Write the hashes of the files as they are now, as a forger would."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "colour").glob("*.parquet")
    }
    say(folder, files=files)


def say(folder: Path, **fields: Any) -> None:
    """Change fields of the settings."""
    path = folder / "colour" / SETTINGS_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def refused(folder: Path) -> str:
    """Return the message with which the finder refuses the gallery."""
    with pytest.raises(GalleryError) as caught:
        Lookalikes(Gallery.load(folder, model="colour"), embedder=ColourEmbedder(), detector=BrightDetector())
    assert "\n" not in str(caught.value) and "again" in str(caught.value)
    return str(caught.value)


def change(folder: Path, edit: Callable[[pa.Table], pa.Table]) -> None:
    """Replace the table by an edited one with a matching hash."""
    pq.write_table(edit(pq.read_table(rows_file(folder))), rows_file(folder))
    seal(folder)


def with_column(name: str, values: pa.Array) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(table.column_names.index(name), name, values)


def embeddings(*rows: list[float | None], kind: Any = None) -> pa.Array:
    return pa.array(rows, kind or pa.list_(pa.float32(), len(rows[0])))


X, Y, Z = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]
NAN, INFINITE = float("nan"), float("inf")
NOT_TEXT = pa.Array.from_buffers(
    pa.string(), 4, [None, pa.array([0, 1, 2, 3, 4], pa.int32()).buffers()[1], pa.py_buffer(b"a\xffbc")]
)


def columns_named(*names: str) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.drop_columns(list(names))


TABLES = {
    "NaN in an embedding": (
        with_column("embedding", embeddings(X, [NAN, 0, 1], Y, Z)),
        "1 of the gallery's 4",
    ),
    "all NaN": (with_column("embedding", embeddings(*[[NAN] * 3] * 4)), "4 of the gallery's 4 embeddings"),
    "an infinity": (with_column("embedding", embeddings(X, [INFINITE, 0, 1], Y, Z)), "1 of the gallery's 4"),
    "zeros": (with_column("embedding", embeddings(X, [0.0] * 3, [0.0] * 3, Z)), "2 of the gallery's 4"),
    "twice as long": (with_column("embedding", embeddings(X, [2.0, 0, 0], Y, Z)), "not of unit length"),
    "a number missing": (with_column("embedding", embeddings(X, [None, 0, 1], Y, Z)), "not of unit length"),
    "an embedding missing": (
        with_column("embedding", pa.array([X, None, Y, Z], pa.list_(pa.float32(), 3))),
        "1 of the gallery's 4 rows have no name or no embedding",
    ),
    "a name of 3 MB": (
        with_column("name", pa.array(["ada", "x" * 3_000_000, "bo", "cy"])),
        "1 of the gallery's 4 rows have a name of more than 50,000 bytes",
    ),
    "one number more": (with_column("embedding", embeddings(*[[1.0, 0, 0, 0]] * 4)), "with 3 numbers a row"),
    "rows of several lengths": (
        with_column("embedding", embeddings(X, [1.0], Y, Z, kind=pa.list_(pa.float32()))),
        "with 3 numbers a row",
    ),
    "words for numbers": (with_column("embedding", pa.array(["a"] * 4)), "has not the columns"),
    "no embeddings": (columns_named("embedding"), "has not the columns"),
    "no names": (columns_named("name"), "has not the columns"),
    "no photos": (columns_named("photo", "photos"), "has not the columns"),
    "null names": (
        with_column("name", pa.array([None, "ada", None, "cy"])),
        "2 of the gallery's 4 rows have no name",
    ),
    "names of blanks and controls": (
        with_column("name", pa.array(["", " \t", "\u200b\u0007", "cy"])),
        "3 of the gallery's 4 rows have no name",
    ),
    "names that are no UTF-8": (with_column("name", NOT_TEXT), "cannot be read"),
    "origins that are no UTF-8": (with_column("origin", NOT_TEXT), "cannot be read"),
    "no rows": (lambda table: table.slice(0, 0), "The gallery is empty"),
}


@pytest.mark.parametrize("damage", TABLES)
def test_an_invalid_table_is_refused_with_a_count(folder: Path, damage: str):
    edit, sentence = TABLES[damage]
    change(folder, edit)
    assert sentence in refused(folder)


SETTINGS = {
    "a future schema": (
        {"schema_version": 3},
        "has schema 3, this program reads schema 1 and schema 2; update the program",
    ),
    "a schema of another kind": ({"schema_version": "one"}, "has schema one"),
    "a field of the future": ({"surprise": 1}, "cannot be read"),
    "another model's name": ({"model": "compact"}, "is of another model"),
    "a path for a model": ({"model": "../../elsewhere"}, "is of another model"),
    "no whole dimension": ({"dim": "3"}, "has invalid values (dim)"),
    "a negative dimension": ({"dim": -3}, "has invalid values (dim)"),
    "another dimension": ({"dim": 4}, "with 4 numbers a row"),
    "a huge dimension": ({"dim": 10**12}, "has invalid values (dim)"),
    "a standing that falls": ({"standing": [0.5, 0.1]}, "has invalid values (standing)"),
    "a standing of NaN": ({"standing": [0.1, NAN]}, "has invalid values (standing)"),
    "a standing of two weights": ({"standing_expected": [0.1, 0.2]}, "has invalid values (standing)"),
    "expectations of NaN": ({"standing_expected": [0.1, NAN, 0.2]}, "has invalid values (standing)"),
    "a standing of words": ({"standing": ["a", "b"]}, "has invalid values (standing)"),
    "a scale that falls": (
        {"scale": {"cosines": [0, 1], "similarities": [100, 0], "same": 0.5, "fitted_on": ""}},
        "has invalid values (scale)",
    ),
    "a scale of two lengths": (
        {"scale": {"cosines": [0, 1], "similarities": [0, 50, 100], "same": 0.5, "fitted_on": ""}},
        "has invalid values (scale)",
    ),
    "a scale of nothing": ({"scale": {}}, "cannot be read"),
    "means of no length": ({"mean_length": 0}, "has invalid values (mean_length)"),
    "means longer than their rows": ({"mean_length": 40.0}, "has invalid values (mean_length)"),
    "a number that no float holds": ({"mean_length": 10**400}, "has invalid values (mean_length)"),
    "means of NaN": ({"mean_length": NAN}, "has invalid values (mean_length)"),
    "records that are no counts": ({"records": {"kept": "many"}}, "has invalid values (records)"),
    "half a letter": ({"source": "\ud800"}, "has invalid values (source)"),
    "a licence that is a list": ({"licence": ["mit"]}, "has invalid values (licence)"),
    "files that are a list": ({"files": ["rows"]}, "has invalid values (files)"),
    "a path for a file": ({"files": {"../rows.parquet": "0"}}, "has invalid values (files)"),
    "another file than is there": ({"files": {"rows.parquet": "0"}}, "has 0 of 1 parts"),
    "other weights": ({"weights_hash": "1" * 64}, "made with other weights"),
    "another alignment": ({"alignment": "level-box"}, "was made with colour (level-box"),
}


@pytest.mark.parametrize("damage", SETTINGS)
def test_invalid_settings_are_refused(folder: Path, damage: str):
    fields, sentence = SETTINGS[damage]
    say(folder, **fields)
    assert sentence in refused(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "7", '{"schema_version": 1}', "[" * 200_000, "\ufeff{}", " " * 11_000_000]
)
def test_settings_of_another_structure_are_refused(folder: Path, text: str):
    (folder / "colour" / SETTINGS_FILE).write_text(text)
    assert "cannot be read" in refused(folder)


def test_settings_in_another_encoding_are_refused(folder: Path):
    (folder / "colour" / SETTINGS_FILE).write_bytes(b"\xff\xfe{\x00}\x00")
    assert "cannot be read" in refused(folder)


def test_every_changed_byte_of_the_table_is_detected(folder: Path):
    path, random = rows_file(folder), np.random.default_rng(0)
    whole = path.read_bytes()
    for place in random.integers(len(whole), size=20):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << random.integers(8)]) + whole[place + 1 :])
        assert "(1 of 1 files differ)" in refused(folder)


def test_a_forged_table_is_refused_or_read_without_a_crash(folder: Path):
    """The hashes are made to match, so that the reader itself meets the damage."""
    path, random, refusals = rows_file(folder), np.random.default_rng(0), 0
    whole = path.read_bytes()
    for _ in range(FLIPS):
        broken = np.frombuffer(whole, np.uint8).copy()
        broken[random.integers(len(whole), size=3)] ^= random.integers(1, 256, 3).astype(np.uint8)
        path.write_bytes(broken.tobytes()[: random.integers(len(whole) // 2, 2 * len(whole))])
        seal(folder)
        try:
            gallery = Gallery.load(folder, model="colour")
            for hit in gallery.search(unit(1, 1, 1), count=5):
                assert -1.02 <= hit.cosine <= 1.02
                gallery.photo(hit.row), gallery.origin(hit.row)
        except GalleryError as error:
            assert "\n" not in str(error)
            refusals += 1
    assert refusals > FLIPS / 2


def test_a_table_with_a_missing_part_is_refused(folder: Path):
    whole = pq.read_table(rows_file(folder))
    rows_file(folder).unlink()
    for part in (0, 1):
        pq.write_table(whole.slice(2 * part, 2), folder / "colour" / f"rows-0000{part}-of-00002.parquet")
    seal(folder)
    assert Gallery.load(folder, model="colour").names == ("ada", "bo", "cy")
    (folder / "colour" / "rows-00001-of-00002.parquet").unlink()
    assert "has 1 of 2 parts" in refused(folder)
    rows_file(folder).unlink()
    assert "has 0 of 2 parts" in refused(folder)


def test_a_part_of_another_build_is_refused(folder: Path, tmp_path: Path):
    make_gallery(ada=[[1, 0, 0]], dee=[[0, 1, 0]]).save(tmp_path / "other")
    rows_file(folder).write_bytes(rows_file(tmp_path / "other").read_bytes())
    assert "is not the one that its gallery.json describes" in refused(folder)


def test_duplicate_rows_are_dropped_and_counted(folder: Path, caplog: pytest.LogCaptureFixture):
    change(folder, lambda table: pa.concat_tables([table, table.slice(0, 1), table.slice(3, 1)]))
    gallery = Gallery.load(folder, model="colour")
    assert "2 rows that are there twice are left out" in caplog.text
    sound = make_gallery(**PEOPLE)
    assert (len(gallery), gallery.revision) == (4, sound.revision)
    probe = unit(3, 2, 1)
    assert gallery.search(probe, count=5) == sound.search(probe, count=5)


def test_one_row_with_two_names_is_not_a_duplicate(folder: Path, caplog: pytest.LogCaptureFixture):
    change(folder, with_column("embedding", embeddings(X, Y, X, X)))
    assert len(Gallery.load(folder, model="colour")) == 4 and not caplog.text


def test_the_order_of_rows_and_the_width_of_types_do_not_matter(folder: Path):
    def shuffled(table: pa.Table) -> pa.Table:
        wide = table["embedding"].combine_chunks().cast(pa.list_(pa.float64(), 3))
        extra = table.append_column("junk", pa.array([{"a": [1]}] * 4))
        return extra.set_column(2, "embedding", wide).take([2, 0, 3, 1])

    change(folder, shuffled)
    gallery, sound = Gallery.load(folder, model="colour"), make_gallery(**PEOPLE)
    assert gallery.revision == sound.revision


def test_a_gallery_without_file_names_in_its_settings_is_read(folder: Path):
    rows_file(folder).rename(folder / "colour" / "rows-00000-of-00001.parquet")
    say(folder, files=None)
    assert Gallery.load(folder, model="colour").names == ("ada", "bo", "cy")


def test_a_thumbnail_that_is_not_a_photo_or_is_a_path_is_never_opened(folder: Path, tmp_path: Path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    photos = [{"bytes": b"no photo", "path": None}, {"bytes": None, "path": str(secret)}, None, None]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    change(folder, with_column("photo", pa.array(photos, kind)))
    finder = Lookalikes(
        Gallery.load(folder, model="colour"), embedder=ColourEmbedder(), detector=BrightDetector()
    )
    (found,) = finder.find(speckled((200, 0, 0)))
    assert {match.photo for match in found.matches} <= {None, b"no photo"}


def test_removing_a_person_from_a_forged_gallery_writes_nowhere_else(folder: Path, tmp_path: Path):
    say(folder, model="../../elsewhere")
    with pytest.raises(GalleryError, match="is of another model"):
        remove_from_folder(folder, ["ada"])
    assert not list(tmp_path.rglob("elsewhere*"))


def test_a_name_of_ten_thousand_letters_is_valid(tmp_path: Path):
    rows = [Row("a" * 10_000, unit(1, 0, 0)), Row("b", unit(0, 1, 0))]
    Gallery.of(rows, settings()).save(tmp_path)
    assert Gallery.load(tmp_path, model="colour").search(unit(1, 0, 0), count=1)[0].name == "a" * 10_000


@pytest.mark.attack
def test_a_page_serves_a_rebuilt_gallery_and_ignores_a_broken_one(tmp_path: Path):
    embedder, folder = load_embedder(), tmp_path / "gallery"

    def put(*names: str) -> None:
        rows = [
            Row(name, embedder.embed_crops([draw_face(seed=seed, size=112)])[0])
            for seed, name in enumerate(names)
        ]
        Gallery.of(rows, replace(Gallery.load().settings, standing=Standing(), mean_length=1.0)).save(folder)

    def names_now(address: str) -> set[str]:
        return {match["name"] for match in ask(address)["faces"][0]["matches"]}

    put("Ada", "Bo")
    with serving(tmp_path / "page", "--gallery", str(folder), "--refresh", "0.01") as server:
        address = server.address
        assert names_now(address) == {"Ada", "Bo"}
        put("Cy", "Dee")
        deadline = time.monotonic() + 60
        while names_now(address) != {"Cy", "Dee"} and time.monotonic() < deadline:
            time.sleep(0.2)
        (folder / "compact" / SETTINGS_FILE).write_text("{")
        time.sleep(2)
        assert names_now(address) == {"Cy", "Dee"} and server.process.poll() is None
    log = server.log.read_text()
    assert "a newer gallery is served: <Gallery of 2 names in 2 rows for compact>" in log
    assert log.count("the newer gallery is not served, the old one is") == 1
