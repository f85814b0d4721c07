"""A gallery that changes while it is served, in a folder and on the Hub."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from huggingface_hub import scan_cache_dir

from lookalike import Lookalikes
from lookalike.errors import GalleryError, UnreachableError, WeightsError
from lookalike.gallery.fetching import forget_version, latest_version, open_gallery
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.space.api.endpoints import Endpoints
from lookalike.space.finders import Finders
from lookalike.space.refresh import GalleryRefresher
from tests.support.fakes import BrightDetector, ColourEmbedder, make_gallery, speckled
from tests.support.hub_server import Hub

RED = speckled((200, 0, 0))


def finders_of(gallery: Gallery, gallery_id: str = "me/gallery") -> Finders:
    finder = Lookalikes(gallery, embedder=ColourEmbedder(), detector=BrightDetector())
    return Finders(finder, gallery_id=gallery_id)


def refresher(finders: Finders, place: str | Path, *, seen: str | None = None) -> GalleryRefresher:
    """Return one that works as app.py's does, with the fake model."""
    return GalleryRefresher(
        finders,
        version=lambda: latest_version(place, model="colour"),
        load=lambda: finders_of(open_gallery(place, model="colour")),
        forget=lambda older: forget_version(place, older),
        seen=seen,
    )


def put(hub: Hub, folder: Path, gallery: Gallery) -> None:
    gallery.save(folder)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    hub.put("me/gallery", {path: data for path, data in files.items() if "/" in path})


def cached_versions(dataset: str) -> set[str]:
    repos = [repo for repo in scan_cache_dir().repos if repo.repo_id == dataset]
    return {revision.commit_hash for repo in repos for revision in repo.revisions}


def first_name(finders: Finders) -> str:
    return finders.get().find(RED)[0].matches[0].name


def test_a_new_revision_on_the_hub_is_served_without_a_restart_and_a_bad_one_is_not(
    hub: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    put(hub, tmp_path, make_gallery(ada=[[1, 0, 0]], bo=[[0, 1, 0]]))
    finders = finders_of(open_gallery("me/gallery", model="colour"))
    first = latest_version("me/gallery", model="colour")
    check = refresher(finders, "me/gallery", seen=first).check
    before = finders.get()
    assert check() is False and finders.get() is before
    put(hub, tmp_path, make_gallery(cy=[[1, 0, 0]], bo=[[0, 1, 0]]))
    assert check() is True
    assert (first_name(finders), before.find(RED)[0].matches[0].name) == ("cy", "ada")
    kept = cached_versions("me/gallery")
    assert first not in kept and latest_version("me/gallery", model="colour") in kept

    good, served = dict(hub.files("me/gallery")), finders.get()
    (table,) = (path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet"))
    hub.put("me/gallery", {table: good[table][:-9]})
    assert check() is False and finders.get() is served
    assert "the newer gallery is not served, the old one is" in caplog.text
    asked = len(hub.requests)
    assert check() is False and len(hub.requests) == asked + 1  # a bad version is not fetched again
    put(hub, tmp_path, make_gallery(dee=[[1, 0, 0]]))
    assert check() is True and first_name(finders) == "dee"


def test_without_the_hub_the_old_gallery_is_served_until_the_hub_is_back(hub: Hub, tmp_path: Path):
    put(hub, tmp_path, make_gallery(ada=[[1, 0, 0]]))
    finders = finders_of(make_gallery(bo=[[1, 0, 0]]), "bundled")  # served in its place
    check = refresher(finders, "me/gallery").check
    hub.fail("", 503, times=1)
    assert check() is False and first_name(finders) == "bo"
    hub.answer_with("GET /api/datasets/me/gallery", b"<html>", times=1)
    assert check() is False and first_name(finders) == "bo"
    assert check() is True and (first_name(finders), finders.gallery_id) == ("ada", "me/gallery")


def test_a_folder_that_was_built_again_is_served_and_an_incomplete_one_is_not(tmp_path: Path):
    make_gallery(ada=[[1, 0, 0]]).save(tmp_path)
    finders = finders_of(Gallery.load(tmp_path, model="colour"))
    check = refresher(finders, tmp_path, seen=latest_version(tmp_path, model="colour")).check
    assert check() is False
    settings = tmp_path / "colour" / SETTINGS_FILE
    whole = settings.read_bytes()
    settings.write_bytes(b"{")
    assert check() is False and first_name(finders) == "ada"
    settings.unlink()
    assert check() is False and first_name(finders) == "ada"
    settings.write_bytes(whole)
    make_gallery(bo=[[1, 0, 0]]).save(tmp_path)
    assert check() is True and first_name(finders) == "bo"


def test_a_version_that_fails_for_a_lasting_reason_is_not_loaded_again():
    assert loads_of_a_failing_version(GalleryError("it was made with another model")) == 1


@pytest.mark.parametrize(
    "error",
    [UnreachableError("away"), WeightsError("half of it"), OSError(28, "no space"), MemoryError()],
)
def test_a_version_that_fails_for_a_passing_reason_is_loaded_again(error: Exception):
    assert loads_of_a_failing_version(error) == 2


def loads_of_a_failing_version(error: Exception) -> int:
    """Check twice for a version whose loading raises `error`; return how often it was loaded."""
    finders, loads = finders_of(make_gallery(ada=[[1, 0, 0]])), []
    served = finders.get()

    def load() -> Finders:
        loads.append(1)
        raise error

    refresher = GalleryRefresher(finders, version=lambda: "2", load=load, seen="1")
    assert [refresher.check(), refresher.check()] == [False, False] and finders.get() is served
    return len(loads)


def test_a_gallery_that_the_cache_gave_while_the_hub_was_away_is_loaded_again():
    old, new = (finders_of(make_gallery(**{name: [[1, 0, 0]]})) for name in ("ada", "bo"))
    hub_is_away = iter([True, False])
    answers = iter(["2", UnreachableError("away"), "2", "2"])

    def version() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    finders = finders_of(make_gallery(ada=[[1, 0, 0]]))
    refresher = GalleryRefresher(
        finders, version=version, load=lambda: old if next(hub_is_away) else new, seen="1"
    )
    assert [refresher.check(), first_name(finders)] == [False, "ada"]
    assert [refresher.check(), first_name(finders)] == [True, "bo"]


def test_a_report_has_the_revision_of_the_gallery_that_was_searched():
    old, new = (finders_of(make_gallery(**{name: [[1, 0, 0]]}), name) for name in ("ada", "bo"))

    class Replacing(BrightDetector):
        def detect(self, image):
            finders.replace(new)
            return super().detect(image)

    served = Lookalikes(old.served.gallery, embedder=ColourEmbedder(), detector=Replacing())
    finders = Finders(served, gallery_id="ada")
    _, report = Endpoints(finders).find_lookalikes(RED)
    (match,) = report["faces"][0]["matches"]
    assert finders.gallery_id == "bo"
    assert (match["name"], report["gallery"]["id"]) == ("ada", "ada")
    assert report["gallery"]["revision"] == old.served.gallery.revision


def test_a_request_during_a_replacement_is_answered_by_one_gallery():
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
        finders.replace(galleries[turn % 2])
    stop.set()
    for asker in askers:
        asker.join()
    assert not mixed
