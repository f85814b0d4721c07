"""CSV files of path and name, as spreadsheets write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.errors import SourceError
from lookalike.sources.opening import Facts, Record, open_source
from tests.support.source_files import write_photos


def test_a_csv_names_photos_from_its_own_folder_on(tmp_path: Path):
    write_photos(tmp_path, "pictures/1.jpg")
    lines = 'Name,Path,category\r\nAda_Lovelace,pictures/1.jpg,Science\r\n"Bo, the second",gone.jpg,\r\n'
    (tmp_path / "list.csv").write_bytes(lines.encode("utf-8-sig"))
    assert list(open_source(str(tmp_path / "list.csv"))) == [
        Record(b"pictures/1.jpg", "Ada Lovelace", "list.csv#0", "Science", "1.jpg"),
        Record(b"", "Bo, the second", "list.csv#1", None, "gone.jpg", fault="a missing file"),
    ]
    (tmp_path / "other.csv").write_text("who,where\nAda,1.jpg\n")
    with pytest.raises(SourceError, match="it has: who, where"):
        open_source(str(tmp_path / "other.csv"))


PLAIN = "path,name\na/1.jpg,Zo\u00eb \u0160im\na/2.jpg,Bo\n"
SPREADSHEETS = {
    "semicolons": PLAIN.replace(",", ";").encode(),
    "tabs": PLAIN.replace(",", "\t").encode(),
    "a line that names the separator": b"sep=;\r\n" + PLAIN.replace(",", ";").encode(),
    "a quoted line that names the separator": b'"sep=|"\r\n' + PLAIN.replace(",", "|").encode(),
    "blank lines": b"\r\n\r\n" + PLAIN.replace("\n", "\r\n\r\n").encode(),
    "lines of separators": PLAIN.replace("\n", "\n,\n").encode(),
    "a byte order mark": PLAIN.encode("utf-8-sig"),
    "Windows-1252": PLAIN.encode("cp1252"),
    "UTF-16": PLAIN.replace(",", "\t").encode("utf-16"),
    "backslashes": PLAIN.replace("/", "\\").encode(),
    "capitals and spaces": PLAIN.replace("path,name", " Path , NAME ")
    .replace("a/1.jpg,", "a/1.jpg , ")
    .encode(),
    "separators at the end": PLAIN.replace("\n", ",,\n").encode(),
}


@pytest.mark.parametrize("kind", SPREADSHEETS)
def test_a_spreadsheets_csv_is_read_with(tmp_path: Path, kind: str):
    write_photos(tmp_path, "a/1.jpg", "a/2.jpg")
    (tmp_path / "list.csv").write_bytes(SPREADSHEETS[kind])
    assert list(open_source(str(tmp_path / "list.csv"))) == [
        Record(b"a/1.jpg", "Zo\u00eb \u0160im", "list.csv#0", file="1.jpg"),
        Record(b"a/2.jpg", "Bo", "list.csv#1", file="2.jpg"),
    ]


def test_a_separator_in_an_unquoted_cell_rejects_that_line_alone(tmp_path: Path):
    write_photos(tmp_path, "1.jpg", "2.jpg")
    lines = 'path,name\n1.jpg,Downey, Robert\n2.jpg,"Downey, Robert"\n3.jpg\n'
    (tmp_path / "list.csv").write_text(lines)
    assert list(open_source(str(tmp_path / "list.csv"))) == [
        Record(b"", "Downey", "list.csv#0", file="1.jpg", fault="more cells than the header"),
        Record(b"2.jpg", "Downey, Robert", "list.csv#1", file="2.jpg"),
        Record(b"", "", "list.csv#2", file="3.jpg", fault="a missing file"),
    ]


def test_a_web_address_in_a_list_is_not_fetched_and_says_so(tmp_path: Path):
    address = "https://stars.example/1.jpg,Ada\n"
    write_photos(tmp_path, "1.jpg")
    (tmp_path / "list.csv").write_text(f"path,name\n{address}1.jpg,Ada\n")
    assert [record.fault for record in open_source(str(tmp_path / "list.csv"))] == ["a web address", ""]
    (tmp_path / "list.csv").write_text(f"path,name\n{address}")
    with pytest.raises(SourceError, match="each is a web address; addresses are not fetched"):
        open_source(str(tmp_path / "list.csv"))


def test_a_list_of_photos_that_are_somewhere_else_says_where_its_paths_begin(tmp_path: Path):
    (tmp_path / "list.csv").write_text("path,name\nstars/1.jpg,Ada\nstars/2.jpg,Bo\n")
    with pytest.raises(SourceError, match="each is a missing file; paths count from the folder of the list"):
        open_source(str(tmp_path / "list.csv"))


def test_columns_of_facts_come_with_the_record(tmp_path: Path):
    header = "path,name,native,field,gender,country,born,known_for\n"
    full = (
        "1.jpg,Ada,\u0410\u0434\u0430,science & letters,Female,United Kingdom,1815-12-10,the first program\n"
    )
    write_photos(tmp_path, "1.jpg")
    (tmp_path / "list.csv").write_text(header + full + "2.jpg,Bo,,,,,about 1900,\n", encoding="utf-8")
    facts = Facts(
        "\u0410\u0434\u0430", "science & letters", "woman", "United Kingdom", 1815, "the first program"
    )
    assert [record.facts for record in open_source(str(tmp_path / "list.csv"))] == [facts, None]


def test_a_path_that_no_file_can_have_is_a_missing_photo(tmp_path: Path):
    write_photos(tmp_path, "1.jpg")
    (tmp_path / "list.csv").write_text(f"path,name\n{'a' * 300}.jpg,Ada\n1.jpg,Bo\n")
    assert [record.image for record in open_source(str(tmp_path / "list.csv"))] == [b"", b"1.jpg"]


def test_half_a_character_in_a_category_is_left_out(tmp_path: Path):
    root = write_photos(tmp_path, "1.jpg")
    line = r'{"file_name": "1.jpg", "name": "Ada", "category": "film\ud800"}'
    (root / "metadata.jsonl").write_text(line)
    assert [record.category for record in open_source(str(root))] == ["film"]
