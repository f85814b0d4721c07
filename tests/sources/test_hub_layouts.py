"""What datasets on the Hub look like besides Parquet: folders of photos, archives, columns of other types."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from lookalike.errors import SourceError
from lookalike.sources.opening import Choice, Facts, Record, open_source
from tests.support.hub_server import Hub
from tests.support.source_files import parquet, photo, tar, write_files

streamed_and_downloaded = pytest.mark.parametrize("download", [False, True], ids=["streamed", "downloaded"])


def read(name: str, download: bool) -> list[Record]:
    return list(open_source(name, Choice(download=download)))


def names_and_photos(records: Sequence[Record]) -> list[tuple[str, bytes]]:
    return [(record.name, record.image) for record in records]


@streamed_and_downloaded
def test_a_folder_per_celebrity_on_the_hub_is_read(hub: Hub, download: bool):
    hub.put("them/stars", {f"train/{path}": photo(red) for path, red in (("Ada/1.png", 1), ("Bo/2.png", 2))})
    assert read("them/stars", download) == [
        Record(photo(1), "Ada", "them/stars#0", file="1.png"),
        Record(photo(2), "Bo", "them/stars#1", file="2.png"),
    ]


@streamed_and_downloaded
def test_the_label_that_datasets_makes_of_a_folder_can_be_named(hub: Hub, download: bool):
    hub.put("them/stars", {"train/Ada/1.png": photo(1), "train/Bo/2.png": photo(2)})
    source = open_source("them/stars", Choice(download=download, label_column="label"))
    assert [record.name for record in source] == ["Ada", "Bo"]


@streamed_and_downloaded
def test_a_split_of_one_celebrity_keeps_its_name(hub: Hub, download: bool):
    hub.put("them/stars", {"train/Ada/1.png": photo(1), "test/Bo/2.png": photo(2), "test/Cy/3.png": photo(3)})
    expected = [("Ada", photo(1)), ("Bo", photo(2)), ("Cy", photo(3))]
    assert names_and_photos(read("them/stars", download)) == expected


@streamed_and_downloaded
def test_a_zipped_folder_per_celebrity_is_read(hub: Hub, download: bool):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("Ada/1.png", photo(1))
        opened.writestr("Bo/2.png", photo(2))
    hub.put("them/stars", {"train.zip": archive.getvalue()})
    records = read("them/stars", download)
    assert names_and_photos(records) == [("Ada", photo(1)), ("Bo", photo(2))]
    assert [record.file for record in records] == ["1.png", "2.png"]


@streamed_and_downloaded
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("metadata.csv", b"file_name,name,country\n1.png,Ada,UK\nsub/2.png,Bo,\ngone.png,Cy,\n"),
        (
            "metadata.jsonl",
            b'{"file_name": "1.png", "name": "Ada", "country": "UK"}\n'
            b'{"file_name": "sub/2.png", "name": "Bo"}\n{"file_name": "gone.png", "name": "Cy"}\n',
        ),
    ],
)
def test_names_in_a_metadata_file_are_read(hub: Hub, download: bool, file: str, text: bytes):
    hub.put("them/stars", {file: text, "1.png": photo(1), "sub/2.png": photo(2)})
    assert read("them/stars", download) == [
        Record(photo(1), "Ada", "them/stars#0", file="1.png", facts=Facts(country="UK")),
        Record(photo(2), "Bo", "them/stars#1", file="2.png"),
        Record(b"", "Cy", "them/stars#2", file="gone.png"),
    ]


WEBDATASETS = {
    "a name in JSON": {
        "1.png": photo(1),
        "1.json": b'{"name": "Ada"}',
        "2.png": photo(2),
        "2.json": b'{"name": "Bo"}',
    },
    "a name as text": {"1.png": photo(1), "1.txt": b"Ada", "2.png": photo(2), "2.txt": b"Bo"},
    "a name as folder": {"stars/Ada/1.png": photo(1), "stars/Bo/2.png": photo(2)},
}


@streamed_and_downloaded
@pytest.mark.parametrize("kind", WEBDATASETS)
def test_webdataset_shards_are_read_with(hub: Hub, download: bool, kind: str):
    hub.put("them/stars", {"train-0.tar": tar(WEBDATASETS[kind]), "train-1.tar": tar(WEBDATASETS[kind])})
    expected = [("Ada", photo(1)), ("Bo", photo(2))] * 2
    assert names_and_photos(read("them/stars", download)) == expected


@pytest.mark.parametrize("kind", WEBDATASETS)
def test_webdataset_files_on_disk_are_read_with(tmp_path: Path, kind: str):
    root = write_files(tmp_path / "stars", {"0.tar": tar(WEBDATASETS[kind])})
    for place in (root, root / "0.tar"):
        assert names_and_photos(list(open_source(str(place)))) == [("Ada", photo(1)), ("Bo", photo(2))]


def test_a_tar_that_is_none_is_refused(tmp_path: Path):
    root = write_files(tmp_path, {"stars.tar": b"no archive" * 100})
    with pytest.raises(SourceError, match=r"stars\.tar is not a WebDataset that can be read"):
        list(open_source(str(root / "stars.tar")))


def test_a_tar_that_is_cut_short_breaks_off_with_a_sentence(tmp_path: Path):
    photos = {f"Ada/{number}.png": photo(number) for number in range(40)}
    write_files(tmp_path, {"stars.tar": tar(photos)[:-30_000]})
    with pytest.raises(
        SourceError, match=r"stars\.tar breaks off after \d+ records .* Fetch or write it again\."
    ):
        list(open_source(str(tmp_path / "stars.tar")))


READ: Mapping[str, Mapping[str, Sequence[object]]] = {
    "bytes": {"picture": [photo(1)]},
    "a struct with bytes": {"picture": [{"bytes": photo(1), "path": None}]},
    "base64": {"picture": [base64.b64encode(photo(1)).decode()]},
    "base64 in lines": {"picture": [base64.encodebytes(photo(1) * 1).decode()]},
    "a data address": {"picture": [f"data:image/png;base64,{base64.b64encode(photo(1)).decode()}"]},
}
REFUSED: Mapping[str, tuple[Mapping[str, Sequence[object]], str]] = {
    "a struct of a path": ({"picture": [{"path": "1.png"}]}, "'picture' of {} holds structs of path; it"),
    "a list": ({"pictures": [[photo(1)]]}, "'pictures' of {} holds lists; it must hold one photo a row"),
    "pixels": ({"pixels": [[[1, 2], [3, 4]]]}, "'pixels' of {} holds lists; it must hold one photo a row"),
    "a path": ({"image": ["1.png"]}, "'image' of {} holds paths or other text, and paths in a"),
    "a struct without its bytes": (
        {"image": [{"bytes": None, "path": "/etc/hostname"}]},
        "'image' of {} holds paths or other text",
    ),
    "an address": (
        {"image_url": ["https://stars.example/1.png"]},
        "'image_url' of {} holds web addresses, which are not fetched; download the photos",
    ),
}  # fmt: skip


def typed(columns: Mapping[str, Sequence[object]]) -> bytes:
    """Return a Parquet file of one named photo; a column of only None gets the type of bytes."""
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = {
        column: pa.array(values, struct) if isinstance(values[0], dict) and "bytes" in values[0] else values
        for column, values in columns.items()
    }
    return parquet(**cells, name=["Ada"])


@pytest.mark.parametrize("kind", READ)
def test_photos_in_a_column_are_read_as(hub: Hub, tmp_path: Path, kind: str):
    hub.put("them/stars", {"data/train.parquet": typed(READ[kind])})
    write_files(tmp_path, {"stars.parquet": typed(READ[kind])})
    for place in ("them/stars", str(tmp_path / "stars.parquet")):
        assert names_and_photos(list(open_source(place))) == [("Ada", photo(1))]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_column_that_cannot_be_read_is_named_for(hub: Hub, tmp_path: Path, kind: str):
    columns, sentence = REFUSED[kind]
    hub.put("them/stars", {"data/train.parquet": typed(columns)})
    write_files(tmp_path, {"stars.parquet": typed(columns)})
    for place in ("them/stars", str(tmp_path / "stars.parquet")):
        hub.requests.clear()
        with pytest.raises(SourceError) as caught:
            list(open_source(place))
        assert sentence.format(place) in str(caught.value)
        assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_a_dataset_reads_no_files_of_another_one_or_of_this_machine(hub: Hub, tmp_path: Path):
    commit = hub.put("me/secret", {"1.png": photo(9)}, private=True)
    write_files(tmp_path, {"secret.png": photo(9)})
    cells = [
        {"bytes": photo(1), "path": None},
        {"bytes": None, "path": f"hf://datasets/me/secret@{commit.sha}/1.png"},
        {"bytes": None, "path": str(tmp_path / "secret.png")},
    ]
    head = b"dataset_info:\n  features:\n  - name: image\n    dtype: image\n  - name: name\n    dtype: string"
    table = parquet(image=cells, name=["Ada", "Bo", "Cy"])
    hub.put("them/stars", {"README.md": b"---\n" + head + b"\n---\n", "data/train.parquet": table})
    for download in (False, True):
        assert [record.image for record in read("them/stars", download)] == [photo(1), b"", b""]
    assert not any("secret" in request for request in hub.requests)
