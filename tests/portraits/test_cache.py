"""The cache: what is kept, for how long, and what damage does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lookalike.files import cache_folder
from lookalike.portraits.cache import PortraitCache
from lookalike.portraits.portrait import Outcome, Person, Portrait, Verdict

CHER = Person("Cher", {}, "1")
PORTRAIT = Portrait(
    "Cher", b"picture", "Jo Doe", "CC0", "", "https://commons.wikimedia.org/wiki/File:Cher.jpg"
)
PICTURED = Outcome("Cher", Verdict.PICTURED, portrait=PORTRAIT)
DAY = 24 * 3600


def test_results_are_kept_for_30_days(tmp_path: Path):
    cache = PortraitCache(tmp_path, clock=lambda: 0)
    cache.put(CHER, PICTURED)
    cache.put(Person("Nobody"), Outcome("Nobody", Verdict.NO_ARTICLE, "why"))
    later, too_late = (PortraitCache(tmp_path, clock=lambda days=days: days * DAY) for days in (29, 31))
    assert later.get(CHER) == PICTURED
    assert later.get(Person("Nobody")) == Outcome("Nobody", Verdict.NO_ARTICLE, "why")
    assert later.get(Person("Somebody")) is None
    assert too_late.get(CHER) is None and too_late.get(Person("Nobody")) is None
    assert PortraitCache(tmp_path, clock=lambda: -1).get(CHER) is None  # a clock that was set back


def test_another_version_of_a_person_does_not_count(tmp_path: Path):
    cache = PortraitCache(tmp_path)
    cache.put(CHER, PICTURED)
    assert cache.get(replace(CHER, version="2")) is None
    assert cache.get(replace(CHER, name="CHÉR")) is not None  # another spelling of the same person


def test_what_may_change_soon_is_not_kept(tmp_path: Path):
    cache = PortraitCache(tmp_path)
    cache.put(CHER, Outcome("Cher", Verdict.UNSURE, lasting=False))
    assert list(tmp_path.iterdir()) == []


def test_removed_people_leave_nothing(tmp_path: Path):
    cache = PortraitCache(tmp_path)
    for name in ("Cher", "Dolly", "Bo", "🎭"):
        cache.put(Person(name, {}, "1"), replace(PICTURED, name=name))
    cache.remove("Cher")
    assert cache.get(CHER) is None
    assert cache.keep_only(["Dolly", "Nobody"]) == 2
    assert len(list(tmp_path.iterdir())) == 2
    assert cache.keep_only([]) == 1
    assert list(tmp_path.iterdir()) == []
    assert PortraitCache(tmp_path / "missing").keep_only([]) == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", '{"at": "x"}', '{"at": 0, "format": 1}', "\ud7ff", "[" * 99_999]
)
def test_damaged_files_count_as_missing(tmp_path: Path, text: str):
    cache = PortraitCache(tmp_path)
    cache.put(CHER, PICTURED)
    (path,) = tmp_path.glob("*.json")
    path.write_text(text, encoding="utf-8")
    assert cache.get(CHER) is None
    cache.put(CHER, PICTURED)
    assert cache.get(CHER) == PICTURED


def test_a_picture_of_another_result_does_not_count(tmp_path: Path):
    cache = PortraitCache(tmp_path)
    cache.put(CHER, PICTURED)
    (picture,) = tmp_path.glob("*.webp")
    picture.write_bytes(b"another")
    assert cache.get(CHER) is None
    picture.unlink()
    assert cache.get(CHER) is None


def test_a_file_of_an_unknown_format_does_not_count(tmp_path: Path):
    cache = PortraitCache(tmp_path)
    cache.put(CHER, PICTURED)
    (path,) = tmp_path.glob("*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    assert cache.get(CHER) is None


def test_the_folder_is_the_users_or_the_given_one(monkeypatch, tmp_path: Path):
    monkeypatch.delenv("LOOKALIKE_CACHE", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("portraits", "bundled").parent == tmp_path / "lookalike" / "portraits"
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "mine"))
    mine = cache_folder("portraits", "../../me/gallery@1")
    assert mine.parent == tmp_path / "mine" / "portraits"
    assert mine != cache_folder("portraits", "me/gallery@2")
