"""The app that the tests of the page share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from tests.support.server import serving


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run `python app.py` without network, for all tests that change nothing; yield its address."""
    with serving(tmp_path_factory.mktemp("app")) as server:
        yield server.address


@pytest.fixture(scope="session")
def gallery_with_choices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundled gallery, where every second person is a woman in sports from India."""
    gallery = Gallery.load()
    about = (
        {"gender": "woman", "category": "sports", "field": "sports", "country": "India", "born": 1975},
        {"gender": "man", "category": "music", "field": "music", "country": "France", "known_for": "Carmen"},
    )
    rows = [
        Row(name, embedding, photos=gallery.photos(row), **about[row % 2])
        for row, (name, embedding) in enumerate(
            zip(gallery.table["name"].to_pylist(), gallery.embeddings, strict=True)
        )
    ]
    folder = tmp_path_factory.mktemp("choices") / "gallery"
    Gallery.of(rows, gallery.settings).save(folder)
    return folder


@pytest.fixture(scope="session")
def choices_url(tmp_path_factory: pytest.TempPathFactory, gallery_with_choices: Path) -> Iterator[str]:
    """Run `python app.py` with a gallery whose people can be chosen; yield its address."""
    with serving(tmp_path_factory.mktemp("app"), "--gallery", str(gallery_with_choices)) as server:
        yield server.address
