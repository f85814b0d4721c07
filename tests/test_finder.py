"""From a photo to matches, with fake parts whose results can be checked by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lookalike import Lookalikes, MismatchError, NoFaceError, UnknownModelError
from lookalike.errors import GalleryError, MissingFileError
from lookalike.faces.detectors import load_detector
from lookalike.finder import open_gallery
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.models.registry import find_model
from tests.support.fakes import BrightDetector, ColourEmbedder, make_gallery, unit

GALLERY = make_gallery(standing=[0.0, 1.0], red=[[1, 0, 0]], yellow=[[1, 1, 0]], blue=[[0, 0, 1]])


def finder() -> Lookalikes:
    return Lookalikes(GALLERY, embedder=ColourEmbedder(), detector=BrightDetector())


def photo(*colours: tuple[int, int, int]) -> np.ndarray:
    """A strip of 40-pixel squares; BrightDetector finds a face in each that is not black."""
    return np.hstack([np.full((40, 40, 3), colour, np.uint8) for colour in colours])


def test_matches_are_sorted_and_have_rank_percentage_and_origin():
    (found,) = finder().find(photo((255, 0, 0)), count=2)
    assert [(m.rank, m.name, round(m.similarity), m.origin) for m in found.matches] == [
        (1, "red", 100, "red#0"),
        (2, "yellow", 85, "yellow#0"),
    ]
    assert found.standing == pytest.approx(1.0, abs=1e-3)


def test_a_mean_row_gives_the_percentage_of_a_single_photo():
    settings = replace(GALLERY.settings, mean_length=0.5)
    gallery = Gallery.of([Row("red", unit(1, 0, 0), photos=4)], settings)
    finder = Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector())
    (found,) = finder.find(photo((255, 0, 0)))
    assert found.matches[0].cosine == pytest.approx(1, abs=1e-3)
    assert found.matches[0].similarity == pytest.approx(75, abs=1)  # the percentage of a cosine of 0.5


def test_every_face_has_matches_and_no_face_is_an_empty_list():
    found = finder().find(photo((255, 0, 0), (0, 0, 0), (0, 0, 255)))
    assert [face.matches[0].name for face in found] == ["red", "blue"]
    assert finder().find(photo((0, 0, 0))) == []


def test_asking_for_more_matches_than_names_returns_all_names():
    (found,) = finder().find(photo((255, 0, 0)), count=50)
    assert [match.name for match in found.matches] == ["red", "yellow", "blue"]


def test_fewer_than_one_match_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        finder().find(photo((255, 0, 0)), count=0)


def test_an_answer_has_the_seconds_of_each_step():
    assert set(finder().answer(photo((255, 0, 0))).seconds) == {"detect", "embed", "search"}


def test_comparing_returns_similarity_and_whether_it_is_one_person():
    alike = finder().compare(photo((255, 0, 0)), photo((250, 5, 0)))
    apart = finder().compare(photo((255, 0, 0)), photo((0, 0, 255)))
    assert alike.same and alike.similarity > 99 and alike.cosine <= 1
    assert not apart.same and apart.similarity == pytest.approx(50, abs=1)


def test_the_error_names_the_photo_without_a_face():
    with pytest.raises(NoFaceError, match="second photo"):
        finder().compare(photo((255, 0, 0)), photo((0, 0, 0)))


def test_a_gallery_of_another_model_is_refused():
    with pytest.raises(MismatchError):
        Lookalikes(GALLERY, embedder=ColourEmbedder("other"), detector=BrightDetector())


def test_the_error_for_an_unknown_model_or_detector_lists_the_known_ones():
    with pytest.raises(UnknownModelError, match=r"'nonesuch'; choose one of compact, .*ArcFace"):
        Lookalikes.load(model="nonesuch")
    with pytest.raises(UnknownModelError, match=r"'nonesuch'; choose one of mtcnn, yunet"):
        load_detector("nonesuch")


def test_a_missing_gallery_is_a_clear_error():
    with pytest.raises(MissingFileError, match="no gallery"):
        open_gallery("/no/such/folder", model="compact")
    with pytest.raises(GalleryError, match="could not be downloaded"):
        open_gallery("nobody/no such name!", model="compact")


def test_a_folder_with_the_name_of_a_model_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "compact").mkdir()  # as a gallery has one for its table
    monkeypatch.chdir(tmp_path)
    assert find_model("compact").dim == 128
