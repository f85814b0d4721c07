"""A local Wikimedia, and a verifier with the real detector and model that knows drawn people."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.faces.detectors import load_detector
from lookalike.models.registry import load_embedder
from lookalike.portraits.cache import PortraitCache
from lookalike.portraits.client import WikimediaClient
from lookalike.portraits.verify import Verifier
from lookalike.portraits.wikimedia import Wikimedia
from tests.support.drawing import draw_face
from tests.support.wikimedia_server import WikimediaServer, serve_wikimedia

SAME = 0.95  # cosine; drawn people are more alike than real ones
FAST = {"per_minute": 100_000, "first_wait": 0.01, "timeout": 2.0}
PEOPLE = {"Ada Lovelace": 0, "Bo Diddley": 1, "Cher": 3, "Dolly": 5}  # the gallery: names and seeds


def jpeg(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=92)
    return file.getvalue()


def picture_of(name: str) -> bytes:
    """Return another picture of a person of the gallery."""
    return jpeg(draw_face(PEOPLE[name], turn=8, size=400))


@pytest.fixture
def server() -> Iterator[WikimediaServer]:
    with serve_wikimedia() as running:
        yield running


@pytest.fixture
def client(server: WikimediaServer) -> Iterator[WikimediaClient]:
    opened = WikimediaClient(contact="https://example.org", base=server.base, **FAST)
    yield opened
    opened.close()


@pytest.fixture
def wikimedia(client: WikimediaClient) -> Wikimedia:
    return Wikimedia(client)


@pytest.fixture(scope="session")
def matches() -> Callable[[np.ndarray, str], bool]:
    detector, embedder = load_detector(), load_embedder()
    faces = {name: draw_face(seed) for name, seed in PEOPLE.items()}
    rows = {name: embedder.embed(image, detector.detect(image)[:1])[0] for name, image in faces.items()}
    return lambda embedding, name: name in rows and float(rows[name] @ embedding) >= SAME


@pytest.fixture(scope="session")
def verifier(matches: Callable[[np.ndarray, str], bool]) -> Verifier:
    return Verifier(detector=load_detector(), embedder=load_embedder(), matches=matches)


@pytest.fixture
def cache(tmp_path: Path) -> PortraitCache:
    return PortraitCache(tmp_path / "portraits")
