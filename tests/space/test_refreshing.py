"""A gallery that changes while it is served, in a folder and on a Hub."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lookalike import Lookalikes
from lookalike.errors import GalleryError, UnreachableError
from lookalike.gallery.fetching import latest_version, open_gallery
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.space.finders import Finders
from lookalike.space.refresh import Refresher
from tests.support.fakes import BrightDetector, ColourEmbedder, make_gallery, speckled
from tests.support.hub_server import Hub

RED = speckled((200, 0, 0))


def finders_of(gallery: Gallery, gallery_id: str = "me/gallery") -> Finders:
    finder = Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector())
    return Finders(finder, gallery_id=gallery_id)


def refresher(finders: Finders, place: str | Path, *, seen: str | None = None) -> Refresher:
    """Return one that works as app.py's does, with the fake model."""
    return Refresher(
        finders,
        version=lambda: latest_version(place, model="colour"),
        load=lambda: finders_of(open_gallery(place, model="colour")),
        seen=seen,
    )


def put(hub: Hub, folder: Path, gallery: Gallery) -> None:
    gallery.save(folder)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    hub.put("me/gallery", {path: data for path, data in files.items() if "/" in path})


def first_name(finders: Finders) -> str:
    return finders.get().find(RED)[0].matches[0].name


def test_a_new_revision_on_the_hub_is_served_without_a_restart_and_a_bad_one_is_not(
    hub: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    put(hub, tmp_path, make_gallery(ada=[[1, 0, 0]], bo=[[0, 1, 0]]))
    finders = finders_of(open_gallery("me/gallery", model="colour"))
    look = refresher(finders, "me/gallery", seen=latest_version("me/gallery", model="colour")).look
    before = finders.get()
    assert look() is False and finders.get() is before
    put(hub, tmp_path, make_gallery(cy=[[1, 0, 0]], bo=[[0, 1, 0]]))
    assert look() is True
    assert (first_name(finders), before.find(RED)[0].matches[0].name) == ("cy", "ada")

    good, served = dict(hub.files("me/gallery")), finders.get()
    table = next(path for path in good if path.endswith(".parquet"))
    hub.put("me/gallery", {table: good[table][:-9]})
    assert look() is False and finders.get() is served
    assert "the newer gallery is not served, the old one is" in caplog.text
    asked = len(hub.requests)
    assert look() is False and len(hub.requests) == asked + 1  # what is bad is not fetched again
    put(hub, tmp_path, make_gallery(dee=[[1, 0, 0]]))
    assert look() is True and first_name(finders) == "dee"


def test_while_the_hub_is_away_the_gallery_serves_on_and_is_exchanged_when_it_is_back(
    hub: Hub, tmp_path: Path
):
    put(hub, tmp_path, make_gallery(ada=[[1, 0, 0]]))
    finders = finders_of(make_gallery(bo=[[1, 0, 0]]), "bundled")  # what is served in its place
    look = refresher(finders, "me/gallery").look
    hub.fail("", 503, times=1)
    assert look() is False and first_name(finders) == "bo"
    hub.babble("GET /api/datasets/me/gallery", b"<html>", times=1)
    assert look() is False and first_name(finders) == "bo"
    assert look() is True and (first_name(finders), finders.gallery_id) == ("ada", "me/gallery")


def test_a_folder_that_was_built_again_is_served_and_one_in_pieces_is_not(tmp_path: Path):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path)
    finders = finders_of(Gallery.load(tmp_path, model="colour"))
    look = refresher(finders, tmp_path, seen=latest_version(tmp_path, model="colour")).look
    assert look() is False
    settings = tmp_path / "colour" / SETTINGS_FILE
    whole = settings.read_bytes()
    settings.write_bytes(b"{")
    assert look() is False and first_name(finders) == "ada"
    settings.unlink()
    assert look() is False and first_name(finders) == "ada"
    settings.write_bytes(whole)
    make_gallery(bo=[[1, 0, 0]]).save(tmp_path)
    assert look() is True and first_name(finders) == "bo"


def test_a_gallery_of_another_model_or_without_memory_for_it_is_not_served():
    finders = finders_of(make_gallery(ada=[[1, 0, 0]]))
    served = finders.get()

    def refuse(error: Exception):
        def load() -> Finders:
            raise error

        return load

    for trouble in (GalleryError("no"), MemoryError(), OSError(28, "no space")):
        assert Refresher(finders, version=lambda: "2", load=refuse(trouble), seen="1").look() is False
        assert finders.get() is served
    passing = Refresher(finders, version=lambda: "2", load=refuse(UnreachableError("away")), seen="1")
    assert (passing.look(), passing._seen) == (False, "1")


def test_a_question_in_the_middle_of_an_exchange_is_answered_by_one_gallery():
    red, others = [[1, 0, 0]], {"zoe": [[0, 1, 0]]}
    galleries = [finders_of(make_gallery(**{name: red}, **others), name) for name in ("ada", "bo")]
    finders, mixed, stop = finders_of(make_gallery(ada=red, **others), "ada"), [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            finder = finders.get("colour")
            names = {match.name for match in finder.find(RED)[0].matches}
            if names != set(finder.gallery.names):
                mixed.append(names)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for turn in range(300):
        finders.take_over(galleries[turn % 2])
    stop.set()
    for asker in askers:
        asker.join()
    assert not mixed
