"""The real model, detector and gallery, and the real app in a process of its own."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from lookalike import FoundFace, Gallery, Lookalikes
from tests.support.drawing import draw_face, draw_group, draw_landscape
from tests.support.paths import ROOT
from tests.support.server import PATIENCE


@pytest.fixture(scope="module")
def finder() -> Lookalikes:
    return Lookalikes.load()


def check_matches(found: FoundFace) -> None:
    """Check for five different names in order of similarity."""
    assert len({match.name for match in found.matches}) == 5
    assert all(first.similarity >= second.similarity for first, second in pairwise(found.matches))
    assert [match.rank for match in found.matches] == [1, 2, 3, 4, 5]


def test_a_drawn_face_gets_five_names(finder: Lookalikes):
    (found,) = finder.find(draw_face(seed=3))
    check_matches(found)
    assert 0 <= found.matches[-1].similarity <= found.matches[0].similarity < 90
    assert found.standing is not None and 0 <= found.standing <= 1


def test_every_face_of_a_group_is_answered_and_a_landscape_has_none(finder: Lookalikes):
    group = finder.find(draw_group((320, 260, 220)))
    assert len(group) == 3
    for found in group:
        check_matches(found)
    assert finder.find(draw_landscape()) == []


def test_a_photo_and_its_copy_pass_as_one_person_and_two_drawn_people_are_less_alike(finder: Lookalikes):
    image = draw_face(seed=1)
    darker = (image * 0.8).astype(np.uint8)
    same, other = finder.compare(image, darker), finder.compare(image, draw_face(seed=5))
    assert same.same and same.similarity > 85 and same.cosine > other.cosine


def test_a_comparison_says_whether_a_face_is_hard_to_read(finder: Lookalikes):
    image = draw_face(seed=1)
    dark = (image * 0.05).astype(np.uint8)
    assert finder.compare(image, image).hard_to_read == ""
    for pair in ((image, dark), (dark, image)):
        assert finder.compare(*pair).hard_to_read == "too dark"


def test_a_turned_photo_gets_the_embedding_of_the_upright_one(finder: Lookalikes):
    upright, turned = draw_face(seed=2), draw_face(seed=2, turn=30)
    assert finder.compare(upright, turned).cosine > 0.8


def test_the_bundled_gallery_holds_names_and_no_photo():
    gallery = Gallery.load()
    assert len(gallery.names) == len(gallery) > 900
    assert all(gallery.photo(row) is None and gallery.origin(row) is None for row in range(len(gallery)))
    files = [file for file in (ROOT / "lookalike" / "bundled" / "gallery").rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 3_000_000


def test_nobody_on_the_exclude_list_is_in_the_bundled_gallery():
    from lookalike.building.arguments import EXCLUDE
    from lookalike.building.people import read_names
    from lookalike.names import person_key

    assert not {person_key(name) for name in Gallery.load().names} & read_names(EXCLUDE)


def test_each_real_photo_is_answered(finder: Lookalikes, photos: Path):
    people = {"multiface.jpg": 3, "two_people.jpg": 2, "obama_and_biden.jpg": 2, "kit_with_rose.jpg": 2}
    for photo in sorted(photos.glob("*.jpg")):
        found = finder.find(photo)
        assert len(found) >= people.get(photo.name, 1), photo.name
        for face in found:
            check_matches(face)


def test_two_real_photos_of_one_person_pass_as_the_same(finder: Lookalikes, photos: Path):
    assert finder.compare(photos / "obama.jpg", photos / "obama2.jpg").same
    assert not finder.compare(photos / "obama.jpg", photos / "angelina_jolie.jpg").same


def test_a_script_gets_pictures_and_a_report(app_url: str, tmp_path: Path):
    photo = tmp_path / "me.jpg"
    Image.fromarray(draw_face(seed=3)).save(photo)
    client = Client(app_url, verbose=False, download_files=str(tmp_path), httpx_kwargs=PATIENCE)
    pictures, report = client.predict(photo=handle_file(photo), api_name="/find_lookalikes")
    assert len(pictures) == 5 and all(Path(item["image"]).is_file() for item in pictures)
    (face,) = report["faces"]
    matches = face["matches"]
    assert pictures[0]["caption"] == f"1 · {matches[0]['name']} · {matches[0]['similarity']:.0f} %"
    assert report["model"] == "compact" and report["gallery"]["id"] == "bundled"
    assert report["gallery"]["names"] == len(Gallery.load().names)
    assert set(report["seconds"]) == {"detect", "embed", "search", "draw"}
    pictures, _ = client.predict(photo=handle_file(photo), count=3, face=0, api_name="/find_lookalikes")
    assert len(pictures) == 3


def test_a_script_compares_two_photos_and_gets_a_sentence_for_an_error(app_url: str, tmp_path: Path):
    files = {"one": draw_face(seed=3), "nobody": draw_landscape()}
    for name, image in files.items():
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    one, nobody = (handle_file(tmp_path / f"{name}.png") for name in files)
    client = Client(app_url, verbose=False, httpx_kwargs=PATIENCE)
    verdict = client.predict(first=one, second=one, api_name="/compare")
    assert verdict.pop("score") > 1
    assert verdict == {"similarity": 100.0, "cosine": 1.0, "same": True, "hard_to_read": False}
    with pytest.raises(AppError, match="No face was found"):
        client.predict(photo=nobody, api_name="/find_lookalikes")
