from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, Features, Image, IterableDataset, Value

from lookalike.errors import LookalikeError, MissingFileError, SourceError
from lookalike.names import clean_name
from lookalike.sources.hub_dataset import Loaded, open_hub_dataset
from lookalike.sources.opening import Choice, Record, open_source, open_sources
from tests.support.source_files import photo, write_parquet, write_photos


def labelled(*labels: int) -> Dataset:
    """Return a dataset as the Hub has them; the label -1 stands for none."""
    photos = [{"bytes": photo(place), "path": None} for place in range(len(labels))]
    features = Features({"image": Image(), "label": ClassLabel(names=["Ada_Lovelace", "Bo"])})
    return Dataset.from_dict({"image": photos, "label": labels}, features=features)


def test_a_parquet_file_gives_photo_name_and_row(tmp_path: Path):
    labelled(0, 1, -1).to_parquet(tmp_path / "stars.parquet")
    source = open_source(str(tmp_path / "stars.parquet"))
    assert (source.name, source.total) == ("stars.parquet", 3)
    assert list(source) == [
        Record(photo(0), "Ada Lovelace", "stars.parquet#0"),
        Record(photo(1), "Bo", "stars.parquet#1"),
        Record(photo(2), "", "stars.parquet#2"),
    ]


def test_a_source_can_be_read_twice(tmp_path: Path):
    labelled(0, 1).to_parquet(tmp_path / "stars.parquet")
    source = open_source(str(tmp_path / "stars.parquet"))
    assert list(source) == list(source)


def test_columns_without_the_note_of_datasets_are_found_by_name_and_type(tmp_path: Path):
    file = write_parquet(tmp_path / "a.parquet", age=[3], Name=["Cy"], picture=[b"photo"], category=["film"])
    assert list(open_source(str(file))) == [
        Record(b"photo", "Cy", "a.parquet#0", "film", numbers=(("age", 3.0),))
    ]


def test_missing_photos_and_names_are_empty_and_local_paths_are_not_followed(tmp_path: Path):
    (tmp_path / "secret.png").write_bytes(photo())
    secret = {"bytes": None, "path": str(tmp_path / "secret.png")}
    cells = [None, {"bytes": photo(), "path": "1.png"}, secret]
    file = write_parquet(tmp_path / "a.parquet", image=cells, name=[None, "Ada", "Bo"])
    assert list(open_source(str(file))) == [
        Record(b"", "", "a.parquet#0"),
        Record(photo(), "Ada", "a.parquet#1", file="1.png"),
        Record(b"", "Bo", "a.parquet#2", file="secret.png"),
    ]


def test_a_folder_of_parquet_files_is_read_in_order_without_hidden_ones(tmp_path: Path):
    root = tmp_path / "shards"
    for path in ("b.parquet", "a/1.parquet", ".cache/c.parquet"):
        write_parquet(root / path, image=[b"photo"], name=["Bo"])
    assert [record.origin for record in open_source(str(root))] == [
        "shards/a/1.parquet#0",
        "shards/b.parquet#0",
    ]


def test_named_columns_are_taken_whatever_they_are_called(tmp_path: Path):
    file = write_parquet(tmp_path / "a.parquet", image=[b"not this"], thumb=[b"this"], name=["x"], who=["Cy"])
    choice = Choice(image_column="thumb", label_column="who")
    assert list(open_source(str(file), choice)) == [Record(b"this", "Cy", "a.parquet#0")]
    with pytest.raises(SourceError, match=r"has no column 'whose'\. It has: image, thumb, name, who"):
        open_source(str(file), Choice(label_column="whose"))


def test_several_sources_are_one_and_the_limit_is_for_all(tmp_path: Path):
    labelled(0, 1).to_parquet(tmp_path / "a.parquet")
    folder = write_photos(tmp_path / "b", "Cy/1.jpg", "Cy/2.jpg")
    source = open_sources([str(tmp_path / "a.parquet"), str(folder)], limit=3)
    assert (source.name, source.total) == ("a.parquet, b", 3)
    assert [record.origin for record in source] == ["a.parquet#0", "a.parquet#1", "b/Cy/1.jpg"]
    assert open_sources([str(folder)], limit=9).total == 2


def test_a_hub_dataset_is_streamed_split_by_split():
    asked = []

    def load(name: str, revision: str | None, choice: Choice):
        asked.append((name, revision))
        splits = {"train": labelled(0).to_iterable_dataset(), "test": labelled(1).to_iterable_dataset()}
        return Loaded(splits)

    source = open_hub_dataset("owner/stars@v2", Choice(), load=load)
    assert asked == [("owner/stars", "v2")]
    assert (source.name, source.total) == ("owner/stars@v2", None)
    assert list(source) == [
        Record(photo(0), "Ada Lovelace", "owner/stars@v2#0"),
        Record(photo(0), "Bo", "owner/stars@v2#1"),
    ]


def test_a_hub_that_cannot_be_reached_is_one_sentence():
    def load(name: str, revision: str | None, choice: Choice):
        raise ConnectionError("no route\nand a long trace")

    sentence = r"^The Hub could not be reached for o/n \(no route and a long trace\); check the network"
    with pytest.raises(SourceError, match=sentence):
        open_hub_dataset("o/n", Choice(), load=load)


def test_a_hub_that_goes_away_in_the_middle_says_how_far_it_came_and_how_to_go_on():
    def rows():
        yield {"image": {"bytes": photo(), "path": None}, "label": 0}
        raise ConnectionError("reset by peer")

    def load(name: str, revision: str | None, choice: Choice):
        features = labelled(0).features
        return Loaded({"train": IterableDataset.from_generator(rows, features=features)})

    records = iter(open_hub_dataset("o/n", Choice(), load=load))
    assert next(records).name == "Ada Lovelace"
    with pytest.raises(SourceError, match=r"o/n breaks off after 1 records .* give the same command again"):
        next(records)


def test_labels_without_names_are_refused_with_the_columns_there_are(tmp_path: Path):
    features = Features({"image": Image(), "label": Value("int64")})
    table = Dataset.from_dict({"image": [{"bytes": photo(), "path": None}], "label": [7]}, features=features)
    table.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="It has: image, label"):
        open_source(str(tmp_path / "a.parquet"))


def test_what_cannot_be_a_source_is_refused(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no Parquet")
    (tmp_path / "empty").mkdir()
    write_photos(tmp_path / "loose", "1.jpg")
    write_parquet(tmp_path / "none.parquet", image=pa.array([], pa.binary()), name=pa.array([], pa.string()))
    refused: dict[str, type[LookalikeError]] = {
        "notes.txt": SourceError,
        "empty": SourceError,
        "loose": SourceError,
        "none.parquet": SourceError,
        "nothing/here/at/all": MissingFileError,
        "nothing.parquet": MissingFileError,
    }
    for name, kind in refused.items():
        with pytest.raises(kind) as caught:
            open_source(str(tmp_path / name))
        assert name in str(caught.value)


def test_a_parquet_file_that_is_cut_short_is_refused(tmp_path: Path):
    file = tmp_path / "a.parquet"
    labelled(0, 1).to_parquet(file)
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(SourceError, match="is not a Parquet file that can be read"):
        open_source(str(file))


def test_a_path_that_the_system_refuses_is_one_sentence():
    with pytest.raises(
        SourceError, match=r"The source cannot be read \(.*File name too long\); check its path"
    ):
        open_source("a" * 300)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Aaron_Eckhart", "Aaron Eckhart"),
        ("  Bo \n\t Derek ", "Bo Derek"),
        ("Beyonce\u0301", "Beyonc\u00e9"),
        ("A\u202eda\x00", "Ada"),
        ("\u0646\u06cc\u200c\u06a9", "\u0646\u06cc\u200c\u06a9"),
        ("__", ""),
    ],
)
def test_names_are_cleaned(text: str, name: str):
    assert clean_name(text) == name


@pytest.mark.parametrize("ending", ["parquet", "csv", "tsv", "tar", "mat"])
def test_a_missing_file_is_not_looked_for_on_the_hub(ending: str):
    with pytest.raises(MissingFileError, match=f"There is nothing at photos/stars.{ending}; give Parquet"):
        open_source(f"photos/stars.{ending}")
