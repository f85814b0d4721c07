"""The same build on Ray: a cluster on this machine, two of its workers killed in the middle."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from build_gallery import main
from lookalike import Gallery
from lookalike.building.ledger import Ledger
from lookalike.building.local_engine import collect
from lookalike.building.options import Options
from lookalike.building.pipeline import Built, Engine, build
from lookalike.building.ray_engine import RayEngine
from lookalike.errors import SourceError
from lookalike.faces.face import Face
from lookalike.sources.opening import Part, Record, Source
from tests.support import fakes
from tests.support.fakes import BrightDetector, ColourEmbedder, speckled
from tests.support.paths import ROOT

PARTS, PHOTOS = 3, 40


def die_once(marker: Path) -> None:
    """Kill the process that this is called in, the first time that it is called in any."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


class MortalDetector(BrightDetector):
    """Dies over a photo of the second part, once."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def detect(self, image: np.ndarray) -> list[Face]:
        if image.shape[0] == 57:
            die_once(self._marker)
        return super().detect(image)


class MortalEmbedder(ColourEmbedder):
    """Dies over its first batch, once."""

    def __init__(self, marker: Path) -> None:
        super().__init__()
        self._marker = marker

    def embed_crops(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        die_once(self._marker)
        return super().embed_crops(crops)


def mortal_detector(marker: Path) -> MortalDetector:
    return MortalDetector(marker)


def mortal_embedder(marker: Path) -> MortalEmbedder:
    return MortalEmbedder(marker)


def a_detector() -> BrightDetector:
    return BrightDetector()


def an_embedder() -> ColourEmbedder:
    return ColourEmbedder()


def photos(part: int) -> Iterator[Record]:
    """Yield a part's records: of nine names, some without a face, one copied from the part before."""
    for row in range(PHOTOS):
        place = part * PHOTOS + row - (1 if part and row == 0 else 0)
        colour = (0, 0, 0) if place % 7 == 0 else (200 - place, place, 50)
        file = io.BytesIO()
        Image.fromarray(speckled(colour, 40, 40 + place % 20)).save(file, "PNG")
        yield Record(file.getvalue(), f"Name {place % 9}", "", box=None, age=place)


def broken() -> Iterator[Record]:
    yield from photos(0)
    raise SourceError("It breaks off.")


def source(*readers) -> Source:
    parts = [Part(reader, key=str(place), series="stars") for place, reader in enumerate(readers)]
    return Source("stars", None, tuple(parts))


def built(engine: Engine, folder: Path, stars: Source) -> Built:
    return build(
        stars,
        ledger=Ledger(folder),
        detector=BrightDetector(),
        embedder=ColourEmbedder(),
        options=Options(photos_per_name=5, excluded=frozenset(["name 3"])),
        engine=engine,
    )


def table_of(folder: Path, answer: Built) -> dict[str, bytes]:
    answer.gallery.save(folder)
    return {path.name: path.read_bytes() for path in (folder / "colour").iterdir()}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of two workers on this machine, skipped over where it cannot be started."""
    ray = pytest.importorskip("ray", reason="Ray is not installed (requirements-ray.txt)")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        address = os.environ.get("RAY_ADDRESS")
        cores = None if address else 2
        ray.init(address=address or "local", num_cpus=cores, log_to_driver=False, logging_level="error")
    except Exception as error:  # a bare Exception after half a minute: its processes have fixed limits
        pytest.skip(f"Ray did not start on this machine: {str(error)[:100]}")
    for module in (fakes, sys.modules[__name__]):
        ray.cloudpickle.register_pickle_by_value(module)
    yield
    ray.shutdown()


@pytest.mark.ray
def test_workers_that_are_killed_cost_nothing_and_the_table_is_the_same(cluster: None, tmp_path: Path):
    stars = source(*[partial(photos, part) for part in range(PARTS)])
    markers = [tmp_path / "detector-died", tmp_path / "embedder-died"]
    engine = RayEngine(partial(mortal_detector, markers[0]), partial(mortal_embedder, markers[1]))
    on_ray = built(engine, tmp_path / "ray", stars)
    assert all(marker.exists() for marker in markers)
    here = built(collect, tmp_path / "local", stars)
    assert table_of(tmp_path / "a", on_ray) == table_of(tmp_path / "b", here)
    assert on_ray.rejections == here.rejections
    assert on_ray.rejections[0].record == "stars#0"


@pytest.mark.ray
def test_results_of_ray_are_known_to_the_next_build(cluster: None, tmp_path: Path):
    stars = source(partial(photos, 0), broken)
    with pytest.raises(SourceError, match=r"^It breaks off\.$"):
        built(RayEngine(a_detector, an_embedder), tmp_path / "ray", stars)
    whole = source(partial(photos, 0), partial(photos, 1))
    resumed = built(RayEngine(a_detector, an_embedder), tmp_path / "ray", whole)
    assert resumed.gallery.revision == built(collect, tmp_path / "local", whole).gallery.revision


def embedder_of_a_run(spec: str) -> ColourEmbedder:
    assert Path(spec).is_dir(), spec
    return ColourEmbedder()


@pytest.mark.ray
def test_a_trained_run_is_found_from_every_worker(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)  # where the workers are not
    (tmp_path / "run").mkdir()
    (tmp_path / "stars" / "Ada").mkdir(parents=True)
    Image.fromarray(speckled((200, 0, 0))).save(tmp_path / "stars" / "Ada" / "1.png")
    words = ["--model", "run", "--output", "gallery", "--engine", "ray"]
    made = {"detectors": lambda name: BrightDetector(), "embedders": embedder_of_a_run}
    assert main([str(tmp_path / "stars"), *words], **made) == 0
    assert Gallery.load(tmp_path / "gallery", model="colour").names == ("Ada",)


def test_without_ray_the_engine_says_what_to_install(tmp_path: Path):
    (tmp_path / "stars" / "Ada").mkdir(parents=True)
    Image.fromarray(speckled((200, 0, 0))).save(tmp_path / "stars" / "Ada" / "1.png")
    code = (
        "import sys; sys.modules['ray'] = None; from build_gallery import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "stars"), "--engine", "ray", "--output"]
    answer = subprocess.run([*command, str(tmp_path / "g")], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1].startswith(
        "error: The engine 'ray' needs Ray: pip install -r requirements-ray.txt; or leave --engine out"
    )
