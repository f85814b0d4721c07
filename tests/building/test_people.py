"""The table of people: who is in it, what it says about them, and what the source itself says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from lookalike.building.arguments import EXCLUDE
from lookalike.building.ledger import Ledger
from lookalike.building.options import Options
from lookalike.building.people import read_names, read_people
from lookalike.building.pipeline import build
from lookalike.errors import MissingFileError, SourceError
from lookalike.files import BUNDLED
from lookalike.gallery.gallery import Gallery
from lookalike.names import person_key
from lookalike.sources.opening import Part, Record, Source
from lookalike.sources.records import Facts
from tests.building.test_pipeline import BLUE, GREEN, RED, photo
from tests.support.fakes import BrightDetector, ColourEmbedder

HEADER = "name,native,field,gender,country,born,known_for,aliases\n"
ADA = 'Ada Lovelace,,science & letters,woman,United Kingdom,1815,"programmer, countess",Ada King|Ada Byron\n'
SOURCE_FACTS = Facts(field="mathematics", country="England", born=1816, known_for="notes on an engine")


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "people.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def gallery_of(records: list[Record], options: Options, folder: Path) -> Gallery:
    source = Source("test", None, (Part(lambda: iter(records), key="shard 1"),))
    return build(
        source,
        ledger=Ledger(folder),
        detector=BrightDetector(),
        embedder=ColourEmbedder(),
        options=options,
    ).gallery


def test_a_person_is_found_under_every_spelling(tmp_path: Path):
    people = read_people(table(tmp_path, HEADER + ADA))
    ada = people.find("ADA BYRON")
    assert ada is people.find("Ada Lovelace") and ada is not None
    assert (ada.name, ada.facts.born, ada.facts.native, len(people)) == ("Ada Lovelace", 1815, None, 1)
    assert people.find("Ada") is None


def test_a_table_in_utf_16_with_tabs_or_with_old_line_ends_is_read(tmp_path: Path):
    for text in (HEADER + ADA, (HEADER + "Ada Lovelace,,,,,,,\n").replace(",", "\t")):
        for data in (text.encode("utf-16"), text.replace("\n", "\r").encode()):
            assert read_people(table(tmp_path, data)).find("Ada Lovelace") is not None


def test_tables_of_a_spreadsheet_in_another_language_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    text = HEADER.replace(",", ";") + "Beyoncé;;music;woman;United States;1981;singer;\n"
    assert read_people(table(tmp_path, text.encode("cp1252"))).find("Beyoncé") is not None
    assert "is not UTF-8" in caplog.text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name,field\nAda,music\n", "lacks the columns native, gender, country, born, known_for"),
        (HEADER, "lists nobody"),
        (HEADER + ADA + ",,music,,,,,\n", "line 3 has no name"),
        (HEADER + ADA.replace("science & letters", "sorcery"), "line 2: 'sorcery' is no field; use one of"),
        (HEADER + ADA.replace("woman", "lady"), "line 2: 'lady' is no gender; use one of woman, man"),
        (HEADER + ADA.replace("1815", "long ago"), "line 2: 'long ago' is no year of birth"),
        (HEADER + ADA.replace("1815", "--5"), "line 2: '--5' is no year of birth"),
        (HEADER + ADA.replace("1815", "9" * 5000), "is no year of birth"),
        (HEADER + ADA.replace("countess", "x" * 200_000), r"is not a CSV that can be read \(field larger"),
        ("\n\nsep=,\n" + HEADER + ADA + "Ada King,,,,,,,\n", "line 6: Ada King is there twice"),
        (HEADER + ADA + "Ada King,,,,,,,\n", "line 3: Ada King is there twice"),
    ],
)
def test_a_faulty_table_is_refused_with_its_line(tmp_path: Path, text: str, sentence: str):
    with pytest.raises(SourceError, match=sentence):
        read_people(table(tmp_path, text))


def test_a_missing_table_is_named(tmp_path: Path):
    with pytest.raises(MissingFileError, match=r"There is no table of people at .*nowhere\.csv"):
        read_people(tmp_path / "nowhere.csv")


def test_facts_come_from_the_table_and_else_from_the_source(tmp_path: Path):
    records = [
        Record(photo(RED), "Ada Byron", "test#0", facts=SOURCE_FACTS),
        Record(photo(GREEN), "Bo", "test#1", facts=SOURCE_FACTS),
        Record(photo(BLUE), "Cy", "test#2", "film"),
    ]
    people = read_people(table(tmp_path, HEADER + ADA.replace("United Kingdom", "")))
    for _ in range(2):  # the second time from the ledger
        gallery = gallery_of(records, Options(people=people), tmp_path / "ledger")
        about = {name: gallery.about(row) for row, name in enumerate(gallery.names)}
        assert about["Ada Lovelace"]["field"] == "science & letters"
        assert (about["Ada Lovelace"]["born"], about["Ada Lovelace"]["country"]) == (1815, "England")
        assert about["Bo"]["known_for"] == "notes on an engine"
        assert "born" not in about["Cy"]
        records = []  # a finished part is not read again


def test_only_those_in_the_table_where_that_is_wanted(tmp_path: Path):
    records = [Record(photo(RED), "Ada King", "test#0"), Record(photo(GREEN), "Bo", "test#1")]
    people = read_people(table(tmp_path, HEADER + ADA))
    gallery = gallery_of(records, Options(people=people, listed_only=True), tmp_path / "ledger")
    assert list(gallery.names) == ["Ada Lovelace"]


def test_nobody_in_the_bundled_table_is_left_out_by_name():
    names = [row["name"] for row in csv.DictReader((BUNDLED / "people.csv").open(encoding="utf-8"))]
    assert not {person_key(name) for name in names} & read_names(EXCLUDE)
