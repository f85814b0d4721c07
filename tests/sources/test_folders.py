"""Folders of photos: one folder per celebrity, or metadata.csv or metadata.jsonl beside the photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.errors import SourceError
from lookalike.images import read_image
from lookalike.sources.opening import Facts, Record, open_source
from tests.support.source_files import photo, write_files, write_photos


def test_a_folder_per_celebrity_gives_its_photos_in_order(tmp_path: Path):
    paths = (
        "Bo/2.PNG",
        "Bo/1.jpg",
        "Ada_Lovelace/x.webp",
        "Bo/notes.txt",
        "Bo/.1.jpg",
        ".trash/1.jpg",
        "1.jpg",
    )
    source = open_source(str(write_photos(tmp_path / "stars", *paths)))
    assert (source.name, source.total) == ("stars", 5)
    assert list(source) == [
        Record(b"1.jpg", "", "stars/1.jpg", file="1.jpg"),
        Record(b"Ada_Lovelace/x.webp", "Ada Lovelace", "stars/Ada_Lovelace/x.webp", file="x.webp"),
        Record(b"Bo/1.jpg", "Bo", "stars/Bo/1.jpg", file="1.jpg"),
        Record(b"Bo/2.PNG", "Bo", "stars/Bo/2.PNG", file="2.PNG"),
        Record(b"", "Bo", "stars/Bo/notes.txt", file="notes.txt", fault="not a photo file"),
    ]


def test_folders_of_categories_give_each_row_its_category(tmp_path: Path):
    paths = ("Bollywood/Bo/1.jpg", "Sports/Cy/1.jpg", "Sports/Cy/old/2.jpg", "Ada/1.jpg")
    source = open_source(str(write_photos(tmp_path / "stars", *paths)))
    assert [(record.name, record.category, record.origin) for record in source if not record.fault] == [
        ("Ada", None, "stars/Ada/1.jpg"),
        ("Bo", "Bollywood", "stars/Bollywood/Bo/1.jpg"),
        ("Cy", "Sports", "stars/Sports/Cy/1.jpg"),
    ]


KINDS = {"GIF": "gif", "TIFF": "TIF", "BMP": "bmp", "JPEG": "jfif", "AVIF": "avif", "WEBP": "webp"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_photo_in_a_folder_is_read_with_and_without_its_suffix(tmp_path: Path, kind: str):
    files = {f"Bo/1.{KINDS[kind]}": photo(kind=kind), "Bo/2": photo(kind=kind)}
    records = list(open_source(str(write_files(tmp_path / "stars", files))))
    assert [(record.file, record.fault) for record in records] == [(f"1.{KINDS[kind]}", ""), ("2", "")]
    assert [read_image(record.image).shape for record in records] == [(2, 2, 3)] * 2


def test_heic_in_a_folder_is_read_whatever_its_suffix(tmp_path: Path):
    pillow_heif = pytest.importorskip("pillow_heif")
    encoded = pillow_heif.from_bytes("RGB", (64, 64), bytes(64 * 64 * 3))
    (tmp_path / "stars" / "Bo").mkdir(parents=True)
    for name in ("1.HEIC", "2.heif", "3"):
        encoded.save(str(tmp_path / "1.heic"))
        (tmp_path / "stars" / "Bo" / name).write_bytes((tmp_path / "1.heic").read_bytes())
    records = list(open_source(str(tmp_path / "stars")))
    assert [read_image(record.image).shape for record in records] == [(64, 64, 3)] * 3


def test_every_file_that_is_not_read_is_a_record_with_the_reason(tmp_path: Path):
    paths = ("Bo/1.jpg", "Bo/clip.mp4", "Bo/old/2.jpg", "Science/notes.txt", "Science/Ada/1.jpg", "loose.jpg")
    records = open_source(str(write_photos(tmp_path / "stars", *paths, "Bo/.hidden.jpg")))
    assert {record.origin: record.fault for record in records if record.fault or not record.name} == {
        "stars/Bo/clip.mp4": "not a photo file",
        "stars/Bo/old/2.jpg": "in a folder inside a celebrity's folder",
        "stars/Science/notes.txt": "not a photo file",
        "stars/loose.jpg": "",
    }
    assert len(list(records)) == len(paths) == records.total


def test_folders_of_splits_are_not_categories(tmp_path: Path):
    root = write_photos(tmp_path / "stars", "train/Ada/1.jpg", "test/Bo/1.jpg", "Sports/test/1.jpg")
    found = [(record.name, record.category) for record in open_source(str(root))]
    assert found == [("test", "Sports"), ("Bo", None), ("Ada", None)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata.csv", "file_name,name,born\n1.png,Ada,1815\nsub/2.png,Bo,\n"),
        (
            "metadata.jsonl",
            '{"file_name": "1.png", "name": "Ada", "born": 1815}\n\n'
            '{"file_name": "sub/2.png", "name": "Bo"}\n',
        ),
    ],
)
def test_names_in_a_metadata_file_are_read_as_datasets_does(tmp_path: Path, name: str, text: str):
    files = {f"train/{name}": text.encode(), "train/1.png": photo(1), "train/sub/2.png": photo(2)}
    root = write_files(tmp_path / "stars", files | {"train/3.png": photo(3)})
    assert list(open_source(str(root))) == [
        Record(photo(1), "Ada", f"stars/train/{name}#0", file="1.png", facts=Facts(born=1815)),
        Record(photo(2), "Bo", f"stars/train/{name}#1", file="2.png"),
        Record(photo(3), "", "stars/train/3.png", file="3.png"),
    ]


def test_a_metadata_file_cannot_name_files_outside_its_folder(tmp_path: Path):
    write_files(tmp_path, {"secret.png": photo(9)})
    lines = b"file_name,name\n../secret.png,Ada\n1.png,Bo\n"
    root = write_files(tmp_path / "stars", {"metadata.csv": lines, "1.png": photo(1)})
    assert [(record.name, record.image) for record in open_source(str(root))] == [("Bo", photo(1))]


def test_a_line_of_metadata_that_is_not_json_is_named(tmp_path: Path):
    write_files(tmp_path / "stars", {"metadata.jsonl": b'{"file_name": "1.png", "name": "Ada"}\nBo\n'})
    with pytest.raises(
        SourceError, match=r"metadata\.jsonl, line 2 is not a JSON object; correct or remove it\."
    ):
        open_source(str(tmp_path / "stars"))
