"""The command that serves the page, and the parts of the page that need no server."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

import app
from lookalike import Lookalikes
from lookalike.errors import MismatchError, UnknownModelError, WeightsError
from lookalike.gallery.gallery import BUNDLED_GALLERY
from lookalike.space.arguments import SPACE_PER_MINUTE
from lookalike.space.finders import Finders, load_finders
from lookalike.space.middleware.shutdown import wait_until
from lookalike.space.middleware.uploads import Uploads
from lookalike.space.model_loading import RETRY_SECONDS, ModelLoader
from lookalike.space.page.page import warm_up_drawing
from tests.support.fakes import BrightDetector, ColourEmbedder, make_gallery
from tests.support.paths import ROOT

ANYBODY = {"red": [[1, 0, 0]], "blue": [[0, 0, 1]]}


def finder(model: str = "colour") -> Lookalikes:
    return Lookalikes(
        make_gallery(model, **ANYBODY), embedder=ColourEmbedder(model), detector=BrightDetector()
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--gallery", "/no/such/folder"], "There is no gallery at /no/such/folder"),
        (["--model", "nonesuch"], "There is no model 'nonesuch'; choose one of compact"),
    ],
)
def test_the_command_ends_with_one_sentence_and_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
):
    assert app.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and sentence in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "value"), [("LOOKALIKE_GALLERY", "nonsense"), ("LOOKALIKE_MODEL", "nonesuch")]
)
def test_an_error_names_the_variable_that_caused_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
):
    monkeypatch.setenv(variable, value)
    assert app.main([]) == 2
    assert variable in capsys.readouterr().err


@pytest.mark.parametrize("port", ["", "many", "0", "65536"])
def test_an_impossible_port_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], port: str
):
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    assert app.main([], load=lambda *_, **__: Finders(finder())) == 2
    assert f"error: GRADIO_SERVER_PORT is '{port}'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_taken_port_ends_the_command_and_no_other_is_taken(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environment = os.environ | {"GRADIO_SERVER_PORT": port, "LOOKALIKE_PORTRAITS": "off"}
        command = [sys.executable, "app.py"]
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
        )
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1 and ended.stdout == ""
    assert ended.stderr.startswith(f"error: Port {port} cannot be used") and "share" not in ended.stderr


def test_a_gallery_made_with_another_model_ends_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_gallery("colour", **ANYBODY).save(tmp_path)
    assert app.main(["--gallery", str(tmp_path)]) == 2
    assert "has no table for the model 'compact' (it has: colour)" in capsys.readouterr().err


def test_options_come_from_the_environment_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOKALIKE_GALLERY", "someone/stars")
    monkeypatch.setenv("LOOKALIKE_MODEL", "ArcFace")
    options = app.parse([])
    assert (options.gallery, options.model, options.share) == ("someone/stars", "ArcFace", False)
    assert app.parse(["--gallery", "here", "--share"]).gallery == "here"


def test_importing_the_command_starts_and_writes_nothing():
    code = "import sys, app; print('gradio' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
    assert not list((ROOT / "lookalike").rglob("*.pyi"))
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"


@pytest.mark.slow
def test_an_answer_does_not_load_pyplot():
    code = """
import sys, lookalike.space
from gradio.utils import MatplotlibBackendMananger
with MatplotlibBackendMananger():  # gradio's, around every event
    print("matplotlib.pyplot" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False"]


def test_warming_up_runs_every_step_once():
    ran = []

    class Counting(ColourEmbedder):
        def embed_crops(self, crops):
            ran.append("embed")
            return super().embed_crops(crops)

    class Finding(BrightDetector):
        def detect(self, image):
            ran.append("detect")
            return super().detect(image)

    gallery = make_gallery(**ANYBODY)
    Lookalikes(gallery, embedder=Counting(), detector=Finding()).warm_up()
    warm_up_drawing()
    assert set(ran) == {"detect", "embed"}


@pytest.mark.parametrize("share", [True, False])
def test_a_public_link_is_announced_with_its_limit_of_a_week(capsys: pytest.CaptureFixture[str], share: bool):
    launched: list[tuple[bool, str]] = []

    def launch(page: object, options: dict[str, bool]) -> None:
        launched.append((options["share"], capsys.readouterr().out))

    app.serve(Finders(finder()), share=share, mcp=False, per_minute=0, launch=launch)
    ((asked, printed),) = launched
    assert asked is share and ("works for a week" in printed) is share


def test_another_model_is_loaded_once_and_its_error_is_reported_without_details():
    loaded: list[str] = []

    def load(model: str) -> Lookalikes:
        loaded.append(model)
        if model == "broken":
            raise MismatchError("the gallery at /srv/private does not fit")
        return finder(model)

    finders = Finders(finder(), others=["broken", "tint"], load=load)
    assert finders.get() is finders.get("colour") is finders.served
    assert finders.get("tint") is finders.get("tint")
    with pytest.raises(UnknownModelError, match=r"^The model broken could not be loaded; choose colour\.$"):
        finders.get("broken")
    assert loaded == ["tint", "broken"]


def test_a_model_is_loaded_beside_the_requests_which_wait_only_a_moment():
    downloaded = threading.Event()

    def load(model: str) -> Lookalikes:
        assert downloaded.wait(60)
        return finder(model)

    finders = Finders(finder(), others=["tint"], load=load, wait=0.05)
    for _ in range(2):
        with pytest.raises(UnknownModelError, match="The model tint is being loaded; try again in a minute"):
            finders.get("tint")
    assert finders.get("colour") is finders.served
    downloaded.set()
    wait_until(lambda: is_loaded(finders, "tint"), 60)
    assert finders.get("tint").embedder.model.name == "tint"


def is_loaded(finders: Finders, model: str) -> bool:
    try:
        return bool(finders.get(model))
    except UnknownModelError:
        return False


def test_a_model_that_failed_is_loaded_again_only_after_some_minutes():
    now, loads = [0.0], []

    def load(model: str) -> Lookalikes:
        loads.append(model)
        if len(loads) < 2:
            raise WeightsError("the network is away")
        return finder(model)

    loader = ModelLoader(load, default="colour", wait=10, clock=lambda: now[0])
    for _ in range(3):
        with pytest.raises(UnknownModelError, match="tint could not be loaded; choose colour"):
            loader.get("tint")
    assert loads == ["tint"]
    now[0] = RETRY_SECONDS
    assert loader.get("tint") is loader.get("tint") and loads == ["tint", "tint"]


def test_an_upload_is_deleted_when_no_request_needs_it_any_more(tmp_path: Path):
    shared, shown = tmp_path / "shared.png", tmp_path / "shown.png"
    for file in (shared, shown):
        file.write_bytes(b"photo")
    uploads = Uploads()
    uploads.update([str(shared)])
    uploads.update([str(shared)])
    uploads.done(str(shared))
    uploads.done(str(shown))
    assert shared.exists() and shown.exists()
    uploads.done(str(shared))
    assert not shared.exists() and not uploads
    uploads.update([str(shown)])
    uploads -= {str(shown)}
    uploads.done(str(shown))
    assert shown.exists()


def test_an_upload_that_has_just_been_replaced_is_kept(tmp_path: Path):
    file, fresh = tmp_path / "photo.png", tmp_path / "fresh.png"
    file.write_bytes(b"photo")
    uploads = Uploads()
    uploads.update([str(file)])
    fresh.write_bytes(b"photo")
    fresh.rename(file)  # gradio does this, and adds the upload to the set right afterwards
    uploads.done(str(file))
    assert file.exists()


def test_where_the_hub_cannot_be_reached_the_bundled_gallery_is_served_and_the_page_says_so():
    code = (
        "from lookalike.space.finders import load_finders\n"
        "finders = load_finders('someone/stars', model='compact', detector='mtcnn')\n"
        "print(finders.gallery_id, '|', finders.notice)"
    )
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("bundled | The gallery someone/stars cannot be reached")


def test_the_bundled_gallery_is_served_without_a_notice():
    assert load_finders(None, model="compact", detector="mtcnn").notice == ""


def test_without_the_package_for_mcp_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "mcp", None)  # as if it were not installed
    assert app.main(["--mcp"]) == 2
    assert 'pip install "gradio[mcp]==' in capsys.readouterr().err


def test_the_front_matter_fits_the_pinned_versions_and_the_files():
    front = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---")[1])
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert front["sdk"] == "gradio" and f"gradio=={front['sdk_version']}\n" in pinned
    assert (ROOT / front["app_file"]).is_file() and front["python_version"] == "3.11"
    assert len(front["short_description"]) <= 60 and front["license"] == "apache-2.0" and front["tags"]
    # model and gallery ship inside, so that the Space's build downloads neither
    assert front["models"] == front["datasets"] == front["preload_from_hub"] == []
    assert BUNDLED_GALLERY.is_dir()


def test_packages_that_are_pinned_twice_have_the_same_version():
    def pins(file: str) -> dict[str, str]:
        lines = (
            line.split("#")[0].strip() for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
        )
        return dict(re.sub(r"\[.*]", "", line.lower()).split("==") for line in lines if "==" in line)

    constraints = pins("constraints.txt")
    for file in ("requirements.txt", "requirements-ray.txt", "tests/requirements.txt"):
        shared = {name: version for name, version in pins(file).items() if name in constraints}
        assert shared == {name: constraints[name] for name in shared}
    assert set(pins("requirements.txt")) <= set(constraints)


@pytest.mark.parametrize(
    ("variables", "arguments", "limit"),
    [
        ({}, [], 0),
        ({"SPACE_ID": "someone/stars"}, [], SPACE_PER_MINUTE),
        ({"SPACE_ID": "someone/stars", "LOOKALIKE_PER_MINUTE": "30"}, [], 30),
        ({"LOOKALIKE_PER_MINUTE": "30"}, ["--per-minute", "0"], 0),
    ],
)
def test_the_rate_limit_comes_from_options_or_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], arguments: list[str], limit: int
):
    for name in ("SPACE_ID", "LOOKALIKE_PER_MINUTE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert app.parse(arguments).per_minute == limit


def test_private_mode_is_offered_only_if_a_browser_can_run_what_is_served_now_and_later():
    finders = Finders(Lookalikes.load())  # as long as the gallery of another model is being built
    assert app.find_private_files(finders, "Facenet512", None) is None
    assert app.find_private_files(finders, "compact", None) is not None
