from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Image, IterableDataset, Value
from PIL import Image as Pictures
from scipy.io import savemat

from lookalike.errors import LookalikeError, MissingFileError, SourceError
from lookalike.names import clean_name
from lookalike.sources.hub_dataset import Loaded, open_hub_dataset
from lookalike.sources.opening import Choice, Record, open_source, open_sources


def png(red: int = 0) -> bytes:
    file = io.BytesIO()
    Pictures.new("RGB", (2, 2), (red, 0, 0)).save(file, "PNG")
    return file.getvalue()


def labelled(*labels: int) -> Dataset:
    """Return a dataset as the Hub has them; the label -1 stands for none."""
    photos = [{"bytes": png(place), "path": None} for place in range(len(labels))]
    features = Features({"image": Image(), "label": ClassLabel(names=["Ada_Lovelace", "Bo"])})
    return Dataset.from_dict({"image": photos, "label": labels}, features=features)


def write_plain(path: Path, **columns: Sequence[object]) -> Path:
    """Write Parquet without the note by which `datasets` knows its own columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def write_photos(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())
    return root


def test_a_parquet_file_gives_photo_name_and_row(tmp_path: Path):
    labelled(0, 1, -1).to_parquet(tmp_path / "stars.parquet")
    source = open_source(str(tmp_path / "stars.parquet"))
    assert (source.name, source.total) == ("stars.parquet", 3)
    assert list(source) == [
        Record(png(0), "Ada Lovelace", "stars.parquet#0"),
        Record(png(1), "Bo", "stars.parquet#1"),
        Record(png(2), "", "stars.parquet#2"),
    ]


def test_a_source_can_be_read_twice(tmp_path: Path):
    labelled(0, 1).to_parquet(tmp_path / "stars.parquet")
    source = open_source(str(tmp_path / "stars.parquet"))
    assert list(source) == list(source)


def test_columns_without_the_note_of_datasets_are_found_by_name_and_type(tmp_path: Path):
    file = write_plain(tmp_path / "a.parquet", age=[3], Name=["Cy"], picture=[b"photo"], category=["film"])
    assert list(open_source(str(file))) == [
        Record(b"photo", "Cy", "a.parquet#0", "film", numbers=(("age", 3.0),))
    ]


def test_missing_photos_and_names_are_empty_and_local_paths_are_not_followed(tmp_path: Path):
    (tmp_path / "secret.png").write_bytes(png())
    cells = [None, {"bytes": None, "path": str(tmp_path / "secret.png")}]
    file = write_plain(tmp_path / "a.parquet", image=cells, name=[None, "Bo"])
    assert list(open_source(str(file))) == [
        Record(b"", "", "a.parquet#0"),
        Record(b"", "Bo", "a.parquet#1", file="secret.png"),
    ]


def test_a_folder_of_parquet_files_is_read_in_order_without_hidden_ones(tmp_path: Path):
    root = tmp_path / "shards"
    for path in ("b.parquet", "a/1.parquet", ".cache/c.parquet"):
        write_plain(root / path, image=[b"photo"], name=["Bo"])
    assert [record.origin for record in open_source(str(root))] == [
        "shards/a/1.parquet#0",
        "shards/b.parquet#0",
    ]


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
    assert (source.name, source.total) == ("stars", 3)
    assert list(source) == [
        Record(b"Ada_Lovelace/x.webp", "Ada Lovelace", "stars/Ada_Lovelace/x.webp", file="x.webp"),
        Record(b"Bo/1.jpg", "Bo", "stars/Bo/1.jpg", file="1.jpg"),
        Record(b"Bo/2.PNG", "Bo", "stars/Bo/2.PNG", file="2.PNG"),
    ]


def test_folders_of_categories_give_each_row_its_category(tmp_path: Path):
    paths = ("Bollywood/Bo/1.jpg", "Sports/Cy/1.jpg", "Sports/Cy/old/2.jpg", "Ada/1.jpg")
    source = open_source(str(write_photos(tmp_path / "stars", *paths)))
    assert [(record.name, record.category, record.origin) for record in source] == [
        ("Ada", None, "stars/Ada/1.jpg"),
        ("Bo", "Bollywood", "stars/Bollywood/Bo/1.jpg"),
        ("Cy", "Sports", "stars/Sports/Cy/1.jpg"),
    ]


def test_a_csv_names_photos_from_its_own_folder_on(tmp_path: Path):
    write_photos(tmp_path, "pictures/1.jpg")
    lines = 'Name,Path,category\r\nAda_Lovelace,pictures/1.jpg,Science\r\n"Bo, the second",gone.jpg,\r\n'
    (tmp_path / "list.csv").write_bytes(lines.encode("utf-8-sig"))
    assert list(open_source(str(tmp_path / "list.csv"))) == [
        Record(b"pictures/1.jpg", "Ada Lovelace", "list.csv#0", "Science", "1.jpg"),
        Record(b"", "Bo, the second", "list.csv#1", None, "gone.jpg"),
    ]
    (tmp_path / "other.csv").write_text("who,where\nAda,1.jpg\n")
    with pytest.raises(SourceError, match="it has: who, where"):
        open_source(str(tmp_path / "other.csv"))


def test_named_columns_are_taken_whatever_they_are_called(tmp_path: Path):
    file = write_plain(tmp_path / "a.parquet", image=[b"not this"], thumb=[b"this"], name=["x"], who=["Cy"])
    choice = Choice(image_column="thumb", label_column="who")
    assert list(open_source(str(file), choice)) == [Record(b"this", "Cy", "a.parquet#0")]
    with pytest.raises(SourceError, match=r"has no column 'whose'\. It has: image, thumb, name, who"):
        open_source(str(file), Choice(label_column="whose"))


# IMDB-WIKI


def write_mat(path: Path, *rows: dict[str, object]) -> Path:
    """Write rows as IMDB-WIKI's `imdb.mat` has them: one struct of rows of cells and of numbers."""
    names = ("dob", "photo_taken", "full_path", "gender", "name", "face_location", "face_score")
    struct: dict[str, np.ndarray] = {}
    for name in (*names, "second_face_score", "celeb_id"):
        cells = [row[name] for row in rows]
        if name in ("full_path", "name", "face_location"):
            struct[name] = np.empty((1, len(cells)), object)
            for place, cell in enumerate(cells):
                struct[name][0, place] = cell
        else:
            struct[name] = np.array([cells], float)
    struct["celeb_names"] = np.array([["Ada Lovelace", "Bo"]], object)
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {path.stem: struct})
    return path


def entry(**changed: object) -> dict[str, object]:
    """Return a row of a woman born on 10 December 1980 whose photo was taken in 2010."""
    born = date(1980, 12, 10).toordinal() + 366
    location = np.array([[11.0, 21.0, 61.0, 91.0]])
    row: dict[str, object] = {"dob": born, "photo_taken": 2010, "full_path": "01/1.jpg", "gender": 0.0}
    row |= {"name": "Ada Lovelace", "face_location": location, "face_score": 4.2, "celeb_id": 1}
    return row | {"second_face_score": np.nan} | changed


def test_imdb_wiki_gives_name_face_age_and_gender(tmp_path: Path):
    write_photos(tmp_path / "imdb", "01/1.jpg")
    other = entry(name="Bo", gender=np.nan, dob=date(1980, 6, 1).toordinal() + 366, full_path="01/no.jpg")
    source = open_source(str(write_mat(tmp_path / "imdb" / "imdb.mat", entry(), other)))
    assert (source.name, source.total) == ("imdb.mat", 2)
    box, numbers = (10.0, 20.0, 50.0, 70.0), (("face_score", 4.2), ("photo_taken", 2010.0))
    assert list(source) == [
        Record(b"01/1.jpg", "Ada Lovelace", "imdb.mat#0", None, "1.jpg", box, 29, "female", "", numbers),
        Record(b"", "Bo", "imdb.mat#1", None, "no.jpg", box, 30, None, "", numbers),
    ]


def test_faces_of_cut_photos_are_not_where_they_were_in_the_whole_ones(tmp_path: Path):
    file = write_mat(tmp_path / "wiki_crop" / "wiki.mat", entry())
    assert [record.box for record in open_source(str(file))] == [None]


def test_broken_rows_of_imdb_wiki_are_given_with_their_fault(tmp_path: Path):
    rows = [
        entry(name=np.array([])),
        entry(face_score=-np.inf),
        entry(second_face_score=2.5),
        entry(dob=0),
        entry(photo_taken=1950),
        entry(photo_taken=2200),
    ]
    records = list(open_source(str(write_mat(tmp_path / "imdb.mat", *rows))))
    assert [record.name for record in records[:2]] == ["", "Ada Lovelace"]
    assert [record.fault for record in records[1:]] == [
        "no face by the source",
        "several faces by the source",
        *["impossible dates"] * 3,
    ]


def test_a_mat_file_of_something_else_is_refused(tmp_path: Path):
    savemat(tmp_path / "other.mat", {"numbers": np.arange(3)})
    (tmp_path / "broken.mat").write_bytes(b"MATLAB 5.0")
    for name in ("other.mat", "broken.mat"):
        with pytest.raises(SourceError, match="is not a file of IMDB-WIKI"):
            open_source(str(tmp_path / name))


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
        Record(png(0), "Ada Lovelace", "owner/stars@v2#0"),
        Record(png(0), "Bo", "owner/stars@v2#1"),
    ]


def test_a_hub_that_cannot_be_reached_is_one_sentence():
    def load(name: str, revision: str | None, choice: Choice):
        raise ConnectionError("no route\nand a long trace")

    sentence = r"^The Hub could not be reached for o/n \(no route and a long trace\); check the network"
    with pytest.raises(SourceError, match=sentence):
        open_hub_dataset("o/n", Choice(), load=load)


def test_a_hub_that_goes_away_in_the_middle_says_how_far_it_came_and_how_to_go_on():
    def rows():
        yield {"image": {"bytes": png(), "path": None}, "label": 0}
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
    table = Dataset.from_dict({"image": [{"bytes": png(), "path": None}], "label": [7]}, features=features)
    table.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="It has: image, label"):
        open_source(str(tmp_path / "a.parquet"))


def test_what_cannot_be_a_source_is_refused(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no Parquet")
    (tmp_path / "empty").mkdir()
    write_photos(tmp_path / "loose", "1.jpg")
    write_plain(tmp_path / "none.parquet", image=pa.array([], pa.binary()), name=pa.array([], pa.string()))
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
