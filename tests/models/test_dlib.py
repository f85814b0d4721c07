"""DeepFace's Dlib with its real weights: our crop for it, and a gallery that is built and served with it.

Most are skipped where requirements-dlib.txt is not installed.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from lookalike.errors import MissingExtraError
from lookalike.faces.dlib_chip import CHIP, CHIP_SIZE, dlib_chip
from lookalike.faces.face import Face
from lookalike.gallery.gallery import Gallery
from lookalike.models.deepface_embedder import DeepFaceEmbedder
from lookalike.models.embedder import Model
from lookalike.models.registry import find_model, is_installed
from tests.support.commands import build, finish
from tests.support.deepface_process import run_deepface
from tests.support.drawing import draw_face
from tests.support.server import PATIENCE, serving

with_dlib = pytest.mark.skipif(not is_installed("Dlib"), reason="requirements-dlib.txt is not installed")


def test_a_face_that_lies_as_in_dlibs_chip_is_cut_out_unchanged():
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    mouth = [[50, 104], [97, 103]]
    face = Face((20, 20, 110, 110), np.array([*CHIP, *mouth], np.float32) + 10, 1.0)
    crop = dlib_chip(image, face)
    assert np.abs(crop.astype(int) - image[10 : 10 + CHIP_SIZE, 10 : 10 + CHIP_SIZE]).max() <= 2


def test_a_model_without_its_packages_says_what_to_install():
    model = Model("Dlib", 128, (150, 150), "dlib-chip", "dlib", "none", packages=("no_such_package",))
    with pytest.raises(MissingExtraError, match=r"pip install -r requirements-dlib\.txt"):
        DeepFaceEmbedder(model)


@with_dlib
@pytest.mark.slow
def test_embeddings_are_those_of_dlibs_own_pipeline(photos: Path, tmp_path: Path):
    found = run_deepface(
        f"""
from pathlib import Path
import dlib
from importlib.util import find_spec
from lookalike.faces.detectors import load_detector
from lookalike.images import read_image
from lookalike.models.registry import load_embedder
models = Path(find_spec("face_recognition_models").origin).parent / "models"
shape = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
detect, detector, embedder = dlib.get_frontal_face_detector(), load_detector(), load_embedder("Dlib")
cosines = []
for photo in sorted(Path({str(photos)!r}).glob("*.jpg")):
    image = read_image(photo)
    face = detector.detect(image)[0]
    x, y = face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2
    for box in detect(image, 0):
        if box.contains(int(x), int(y)):
            chip = dlib.get_face_chip(image, shape(image, box), 150, 0.25)
            theirs = np.array(network.compute_face_descriptor(chip))
            theirs = theirs / np.linalg.norm(theirs) - embedder.mean
            cosines.append(float(embedder.embed(image, [face])[0] @ theirs / np.linalg.norm(theirs)))
print(json.dumps({{"cosines": cosines}}))
""",
        tmp_path,
    )
    cosines = found["cosines"]
    assert len(cosines) >= 10 and np.median(cosines) >= 0.98  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of six drawn people, with a table for Dlib and one for `compact`."""
    folder = tmp_path_factory.mktemp("dlib")
    for person in range(6):
        (folder / "stars" / f"Name {person}").mkdir(parents=True)
        for size in (300, 340):
            Image.fromarray(draw_face(person, size=size)).save(
                folder / "stars" / f"Name {person}" / f"{size}.jpg"
            )
    homes = os.environ | {"DEEPFACE_HOME": str(folder)}
    for model in ("Dlib", "compact"):
        process = build(folder / "stars", "--model", model, "--output", folder / "gallery", env=homes)
        code, _, error = finish(process)
        assert code == 0, error
    return folder / "gallery"


@pytest.fixture
def me(tmp_path: Path) -> object:
    Image.fromarray(draw_face(4, size=420)).save(tmp_path / "me.jpg")
    return handle_file(str(tmp_path / "me.jpg"))


@with_dlib
@pytest.mark.slow
def test_a_gallery_is_built_and_served_by_deepface(gallery: Path, me: object, tmp_path: Path):
    settings = Gallery.load(gallery, model="Dlib").settings
    assert (settings.alignment, settings.dim, settings.engine) == ("dlib-chip", 128, "onnx")
    homes = {"DEEPFACE_HOME": str(tmp_path)}
    with serving(tmp_path / "page", "--gallery", str(gallery), "--model", "Dlib", **homes) as server:
        client = Client(server.address, verbose=False, httpx_kwargs=PATIENCE)
        _, report = client.predict(photo=me, api_name="/find_lookalikes")
        assert report["model"] == "Dlib" and report["gallery"]["names"] == 6
        first, second, *_ = report["faces"][0]["matches"]
        assert first["name"] == "Name 4" and first["score"] > second["score"]
        _, report = client.predict(photo=me, model="compact", api_name="/find_lookalikes")
        assert report["model"] == "compact" and report["faces"][0]["matches"][0]["name"] == "Name 4"


@with_dlib
@pytest.mark.slow
def test_a_table_for_dlib_is_not_offered_where_it_is_not_installed(gallery: Path, me: object, tmp_path: Path):
    without = "sys.modules['dlib'] = None"
    with serving(tmp_path / "page", "--gallery", str(gallery), before=without) as server:
        client = Client(server.address, verbose=False, httpx_kwargs=PATIENCE)
        _, report = client.predict(photo=me, api_name="/find_lookalikes")
        assert report["model"] == "compact"
        with pytest.raises(AppError, match="choose one of compact"):
            client.predict(photo=me, model="Dlib", api_name="/find_lookalikes")


def test_the_registry_knows_the_size_of_dlibs_embeddings():
    model = find_model("Dlib")
    assert (model.dim, model.input_size, model.centred) == (128, (CHIP_SIZE, CHIP_SIZE), True)
    assert is_installed("Dlib") == all(find_spec(package) for package in model.packages)
