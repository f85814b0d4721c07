"""IMDB-WIKI's .mat files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from lookalike.errors import SourceError
from lookalike.sources.opening import Record, open_source
from tests.support.source_files import write_photos


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


def test_a_path_that_leaves_the_folder_is_not_opened(tmp_path: Path):
    write_photos(tmp_path, "secret.jpg")
    paths = (str(tmp_path / "secret.jpg"), "../secret.jpg")
    file = write_mat(tmp_path / "imdb" / "imdb.mat", *(entry(full_path=path) for path in paths))
    found = [(record.image, record.fault) for record in open_source(str(file))]
    assert found == [(b"", "a path outside the folder")] * 2


def test_fields_of_different_lengths_are_refused(tmp_path: Path):
    file = write_mat(tmp_path / "imdb.mat", entry(), entry(), entry())
    struct = loadmat(file)["imdb"]
    struct["face_location"][0, 0] = struct["face_location"][0, 0][:, :2]
    savemat(file, {"imdb": struct})
    with pytest.raises(SourceError, match="fields of different lengths"):
        open_source(str(file))
