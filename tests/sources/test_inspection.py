from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from build_gallery import main
from lookalike.sources.inspection import SAMPLE_PHOTOS, SHOWN_COLUMNS, inspect
from lookalike.sources.inspection_report import write_inspection
from lookalike.sources.opening import Record
from tests.support.fakes import speckled
from tests.support.page_reader import PageReader

HOSTILE = '<script>alert("$x^2$")</script>'


def photo(red: int = 200, width: int = 40) -> bytes:
    file = io.BytesIO()
    Image.fromarray(speckled((red, 0, 0), width)).save(file, "PNG")
    return file.getvalue()


RECORDS = [
    Record(photo(200), "Ada", "test#0", "film", age=20, numbers=(("score", 1.0),)),
    Record(photo(150), "Ada", "test#1", "film", age=30, numbers=(("score", 2.0),)),
    Record(photo(100, 80), HOSTILE, "test#2", "sports", age=40, numbers=(("score", 3.5),)),
    Record(photo(200), "Ada", "test#3"),
    Record(photo(150), "Bo", "test#4"),
    Record(b"", "Bo", "test#5"),
    Record(b"junk", "", "test#6"),
    Record(b"", "Bo", "test#7", fault="impossible dates"),
]


def test_an_inspection_counts_what_is_there_and_what_is_wrong():
    inspection = inspect(RECORDS, source="test")
    assert (inspection.records, inspection.photos_a_name) == (8, {"Ada": 3, HOSTILE: 1, "Bo": 3})
    assert inspection.trouble == {
        "the same photo again": 1,
        "the same photo under another name": 1,
        "without a photo": 1,
        "without a name": 1,
        "unreadable": 1,
        "impossible dates": 1,
    }
    assert (inspection.categories, inspection.formats) == ({"film": 2, "sports": 1}, {"PNG": 5})
    assert inspection.numbers["width"][:3].tolist() == [40, 40, 80]
    assert np.isnan(inspection.numbers["age"][3:]).all()


def test_a_heic_is_not_unreadable():
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_bytes("RGB", (64, 64), bytes(64 * 64 * 3)).save(file)
    inspection = inspect([Record(file.getvalue(), "Ada", "test#0")], source="test")
    assert (inspection.formats, inspection.trouble) == ({"HEIF": 1}, {})


def test_columns_that_rise_together_correlate():
    columns, matrix = inspect(RECORDS, source="test").correlations
    age, score = columns.index("age"), columns.index("score")
    assert matrix[age, score] == pytest.approx(np.corrcoef([20, 30, 40], [1, 2, 3.5])[0, 1])
    assert "height" not in columns  # it is 40 everywhere


def test_the_page_shows_hostile_names_as_text_and_fetches_nothing(tmp_path: Path):
    path = write_inspection(tmp_path, inspect(RECORDS, source=f"a {HOSTILE}"))
    reader = PageReader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert "script" not in reader.tags and HOSTILE in reader.text
    assert len(reader.links) == 8 and all(link.startswith("data:image/") for link in reader.links)
    pictures = ["contact-sheet.png", "correlations.png", "numbers.png", "photos-a-name.png"]
    assert sorted(file.name for file in tmp_path.glob("*.png")) == pictures
    for picture in pictures:
        assert np.asarray(Image.open(tmp_path / picture).convert("L")).std() > 5, picture


def test_a_long_source_is_sampled_evenly():
    records = [Record(photo(), f"Name {place}", f"test#{place}") for place in range(400)]
    sample = inspect(records, source="test").sample
    places = [int(record.origin.removeprefix("test#")) for record in sample]
    assert len(places) == SAMPLE_PHOTOS and places == sorted(places)
    assert 120 < np.mean(places) < 280


def test_an_empty_source_is_inspected_too(tmp_path: Path):
    inspection = inspect([], source="test")
    assert dict(inspection.lines)["photos a name"] == "0 to 0, 0 in the median"
    assert write_inspection(tmp_path, inspection).exists()


def test_the_command_reports_and_builds_nothing(tmp_path: Path, capsys):
    table = pa.table({"image": [photo(), photo(90)], "name": ["Ada", HOSTILE], "score": [0.5, 0.7]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert main([str(tmp_path / "a.parquet"), "--inspect", "--output", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["records: 2", "names: 2"]
    assert lines[-1] == f"See {tmp_path / 'out' / 'inspection' / 'inspection.html'}"
    assert "score" in (tmp_path / "out" / "inspection" / "inspection.html").read_text(encoding="utf-8")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["inspection"]


def test_long_ids_and_infinite_numbers_are_inspected_without_a_histogram(tmp_path: Path):
    numbers = {"id": 1.7e18, "far": 1e308, "endless": np.inf, "score": 1.0}
    records = [
        Record(b"", "Ada", "test#0", numbers=tuple((name, sign * value) for name, value in numbers.items()))
        for sign in (1, 1, -1, 0.5)
    ]
    same = [Record(b"", "Ada", "test#0", numbers=(("id", 1.7e18), ("score", 1.0)))] * 3
    for some in (records, same):
        page = write_inspection(tmp_path, inspect(some, source="test")).read_text(encoding="utf-8")
        assert "1.7e+18" in page


def test_a_table_of_pixels_has_figures_of_its_first_columns(tmp_path: Path):
    pixels = tuple((f"pixel{place:03}", float(place)) for place in range(300))
    shifted = tuple((name, value + 1) for name, value in pixels)
    records = [Record(b"", "Ada", "test", numbers=each) for each in (pixels, shifted)]
    inspection = inspect(records, source="test")
    assert len(inspection.correlations[0]) == SHOWN_COLUMNS
    assert write_inspection(tmp_path, inspection).exists()
    with Image.open(tmp_path / "numbers.png") as figure:
        assert figure.height < 4000
