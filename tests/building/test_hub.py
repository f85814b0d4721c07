"""The way to the Hub and back, with the Hub's real clients and a Hub on this machine."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Image, load_dataset
from huggingface_hub import snapshot_download
from PIL import Image as Pictures

from build_gallery import main
from lookalike import Gallery, GalleryError, HubError, SourceError
from lookalike.building.publishing import GalleryHub
from lookalike.faces.detectors import load_detector
from lookalike.gallery.fetching import open_gallery
from lookalike.gallery.storage import part_files
from lookalike.models.registry import load_embedder
from lookalike.sources.opening import Choice, open_source
from lookalike.space.finders import load_finders
from tests.support.commands import run_python
from tests.support.drawing import draw_face
from tests.support.fakes import BrightDetector, ColourEmbedder, make_gallery, speckled
from tests.support.hub_server import Hub

RED, GREEN = (200, 0, 0), (0, 200, 0)


def eager() -> GalleryHub:
    """Return the way to the Hub that waits for nothing between its tries."""
    return GalleryHub(waits=(0, 0), sleep=lambda seconds: None)


def run(*arguments: object) -> int:
    texts = [str(argument) for argument in arguments]
    return main(
        texts, detectors=lambda name: BrightDetector(), embedders=lambda name: ColourEmbedder(), hubs=eager
    )


def picture(image: np.ndarray | tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Pictures.fromarray(image if isinstance(image, np.ndarray) else speckled(image)).save(file, "PNG")
    return file.getvalue()


def parquet(**people: list[bytes]) -> bytes:
    """Return a Parquet file like those of celebrity datasets on the Hub."""
    features = Features({"image": Image(), "label": ClassLabel(names=list(people))})
    rows = [
        {"image": {"bytes": photo, "path": None}, "label": label}
        for label, photos in enumerate(people.values())
        for photo in photos
    ]
    file = io.BytesIO()
    Dataset.from_list(rows, features=features).to_parquet(file)
    return file.getvalue()


@pytest.fixture
def stars(tmp_path: Path) -> Path:
    for name, colour in {"Ada": RED, "Bo": GREEN}.items():
        (tmp_path / "stars" / name).mkdir(parents=True)
        (tmp_path / "stars" / name / "1.png").write_bytes(picture(colour))
    return tmp_path / "stars"


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Gallery]:
    """A gallery in a folder."""
    gallery = make_gallery(ada=[[1, 0, 0], [1, 0.1, 0]], bo=[[0, 1, 0]], cy=[[0, 0, 1]])
    gallery.save(tmp_path / "gallery")
    return tmp_path / "gallery", gallery


def test_from_the_hub_to_the_hub_to_a_finder(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    people = {"Ada_Lovelace": [picture(draw_face(1))], "Bo": [picture(draw_face(2))]}
    hub.put("them/stars", {"data/train-00000-of-00001.parquet": parquet(**people)})
    monkeypatch.chdir(tmp_path)
    code = main(
        ["them/stars", "--push-to", "me/gallery", "--licence", "cc0-1.0"],
        detectors=load_detector,
        embedders=load_embedder,
        hubs=eager,
    )
    assert code == 0
    finder = load_finders("me/gallery", model="compact", detector="mtcnn").get()  # as app.py does
    (found,) = finder.find(draw_face(2))
    assert (found.matches[0].name, found.matches[0].origin) == ("Bo", "them/stars#1")
    assert found.matches[0].cosine > 0.99
    rows = load_dataset("me/gallery", "compact", split="train")
    assert rows["name"] == ["Ada Lovelace", "Bo"] and rows[0]["photo"].size[0] > 100
    front = hub.files("me/gallery")["README.md"].decode().split("---")[1]
    assert "license: cc0-1.0" in front and '- config_name: "compact"' in front


def test_what_was_pushed_twice_is_one_commit(hub: Hub, saved):
    folder, gallery = saved
    first = eager().push(folder, gallery, "me/gallery", private=False, title="Add it")
    second = eager().push(folder, gallery, "me/gallery", private=False, title="Add it")
    assert (first.changed, second.changed, first.commit == second.commit) == (True, False, True)
    assert hub.titles("me/gallery") == ["Add it"]


def test_a_gallery_is_loaded_at_the_revision_that_is_named(hub: Hub, saved):
    folder, gallery = saved
    first = eager().push(folder, gallery, "me/gallery", private=False, title="Add it")
    gallery.without({"ada"}).save(folder)
    eager().push(folder, gallery.without({"ada"}), "me/gallery", private=False, title="Change it")
    assert open_gallery(f"me/gallery@{first.commit}", model="colour").names == ("ada", "bo", "cy")
    assert open_gallery("me/gallery", model="colour").names == ("bo", "cy")


def test_each_model_is_a_configuration_and_leaves_the_others(hub: Hub, saved, tmp_path: Path):
    folder, gallery = saved
    other = make_gallery("other", ada=[[1, 0, 0]])
    other.save(tmp_path / "elsewhere")
    eager().push(folder, gallery, "me/gallery", private=False, title="One")
    eager().push(tmp_path / "elsewhere", other, "me/gallery", private=False, title="Other")
    assert {path.split("/")[0] for path in hub.files("me/gallery")} == {"README.md", "colour", "other"}
    assert len(load_dataset("me/gallery", "colour", split="train")) == 4
    assert len(load_dataset("me/gallery", "other", split="train")) == 1


def test_rows_that_moved_to_other_files_leave_no_stale_ones(hub: Hub, saved):
    folder, gallery = saved
    hub.put("me/gallery", {"colour/rows-00001-of-00002.parquet": b"old", "notes.txt": b"mine"})
    (folder / "colour" / "rows-00000-of-00001-000000000000.parquet").write_bytes(b"left by a killed write")
    eager().push(folder, gallery, "me/gallery", private=False, title="Add it")
    assert sorted(hub.files("me/gallery")) == [
        "README.md",
        "colour/gallery.json",
        f"colour/{part_files(folder, 'colour')[0].name}",
        "notes.txt",
    ]


def test_a_private_gallery_is_private_and_one_that_is_public_is_not_written(hub: Hub, stars: Path, capsys):
    output = stars.parent / "gallery"
    assert run(stars, "--output", output, "--push-to", "me/secret", "--private") == 0
    assert hub.repos["me/secret"].private
    hub.put("me/open", {"README.md": b"public"})
    assert run(stars, "--output", output, "--push-to", "me/open", "--private") == 2
    assert "me/open is there already and public" in capsys.readouterr().err
    assert hub.files("me/open") == {"README.md": b"public"}


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("done", [False, True])
def test_trouble_that_passes_in_the_middle_of_a_commit_leaves_one_commit(hub: Hub, saved, status, done):
    hub.fail("POST /api/datasets/me/gallery/commit", status, done=done)
    folder, gallery = saved
    eager().push(folder, gallery, "me/gallery", private=False, title="Add it")
    assert hub.titles("me/gallery") == ["Add it"]
    assert snapshot_download("me/gallery", repo_type="dataset")


def test_trouble_that_stays_is_a_sentence_and_the_same_command_goes_on(hub: Hub, stars: Path, capsys):
    hub.fail("POST /api/datasets/me/gallery/commit", 500, times=3)
    command = (stars, "--output", stars.parent / "gallery", "--push-to", "me/gallery")
    assert run(*command) == 2
    assert "(status 500); everything is kept: give the same command again later" in capsys.readouterr().err
    assert Gallery.load(stars.parent / "gallery", model="colour").names == ("Ada", "Bo")
    assert run(*command) == 0
    assert hub.titles("me/gallery") == ["Add 2 names for colour"]


def test_a_slow_upload_arrives(hub: Hub, saved):
    hub.seconds_per_upload = 1.0
    folder, gallery = saved
    assert eager().push(folder, gallery, "me/gallery", private=False, title="Add it").changed


@pytest.mark.parametrize("token", ["hf_bad", None])
def test_a_bad_token_is_told_at_once(hub: Hub, saved, monkeypatch: pytest.MonkeyPatch, token: str | None):
    monkeypatch.setenv("HF_TOKEN", token) if token else monkeypatch.delenv("HF_TOKEN")
    folder, gallery = saved
    with pytest.raises(HubError, match="put a token that may write there into HF_TOKEN"):
        eager().push(folder, gallery, "me/gallery", private=False, title="Add it")
    assert len([call for call in hub.requests if "repos/create" in call]) == 1


def test_a_name_that_cannot_be_one_is_refused(hub: Hub, saved):
    folder, gallery = saved
    with pytest.raises(HubError, match="'me/a/b' is not a name for a dataset"):
        eager().push(folder, gallery, "me/a/b", private=False, title="Add it")


# Taking somebody out


def test_somebody_is_taken_out_of_every_table_on_the_hub(hub: Hub, saved, tmp_path: Path, capsys):
    folder, gallery = saved
    other = make_gallery("other", ada=[[1, 0, 0]], bo=[[0, 1, 0]])
    other.save(tmp_path / "elsewhere")
    eager().push(folder, gallery, "me/gallery", private=False, title="One")
    eager().push(tmp_path / "elsewhere", other, "me/gallery", private=False, title="Other")
    assert run("me/gallery", "--remove", "ADA") == 0
    assert "3 rows removed from me/gallery" in capsys.readouterr().out
    assert load_dataset("me/gallery", "colour", split="train")["name"] == ["bo", "cy"]
    assert load_dataset("me/gallery", "other", split="train")["name"] == ["bo"]
    assert "ada" not in " ".join(hub.titles("me/gallery")).lower()
    assert run("me/gallery", "--remove", "ADA") == 2
    assert "None of ADA is in the gallery me/gallery" in capsys.readouterr().err


def test_somebody_is_taken_out_of_a_folder(saved):
    folder, _ = saved
    assert run(folder, "--remove", "Ada", "--remove", "bo") == 0
    assert Gallery.load(folder, model="colour").names == ("cy",)
    records = json.loads((folder / "colour" / "gallery.json").read_text())["records"]
    assert records["taken out"] == 3


def test_a_gallery_of_one_person_is_not_emptied():
    with pytest.raises(GalleryError, match="Nobody would be left"):
        make_gallery(ada=[[1, 0, 0]]).without({"ada"})


# A Hub dataset as source


def test_a_dataset_is_read_at_its_revision(hub: Hub):
    first = hub.put("them/stars", {"data/train-0.parquet": parquet(Ada=[picture(RED)])})
    hub.put("them/stars", {"data/train-0.parquet": parquet(Bo=[picture(RED)])})
    assert [record.name for record in open_source("them/stars")] == ["Bo"]
    assert [record.name for record in open_source(f"them/stars@{first.sha}")] == ["Ada"]


def test_one_configuration_one_split_downloaded_or_streamed(hub: Hub):
    readme = b"""---
configs:
- config_name: small
  data_files:
  - {split: train, path: small/train.parquet}
  - {split: test, path: small/test.parquet}
- config_name: large
  data_files: large.parquet
---
"""
    files = {"README.md": readme, "large.parquet": parquet(Dee=[picture(RED)])}
    files |= {
        "small/train.parquet": parquet(Ada=[picture(RED)], Bo=[]),
        "small/test.parquet": parquet(Ada=[], Bo=[picture(RED)]),
    }
    hub.put("them/configured", files)
    for download in (False, True):
        one = Choice("small", "test", download=download)
        assert [record.name for record in open_source("them/configured", one)] == ["Bo"]
        both = Choice("small", download=download)
        assert [record.name for record in open_source("them/configured", both)] == ["Ada", "Bo"]
    with pytest.raises(SourceError, match="large"):
        open_source("them/configured")


def test_a_private_dataset_needs_its_token(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    hub.put("them/secret", {"data/train-0.parquet": parquet(Ada=[picture(RED)])}, private=True)
    assert [record.name for record in open_source("them/secret")] == ["Ada"]
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(SourceError, match="set HF_TOKEN if the dataset is private"):
        open_source("them/secret")


def test_a_dataset_that_is_not_there_is_a_sentence(hub: Hub):
    with pytest.raises(SourceError, match="There is nothing at them/nothing"):
        open_source("them/nothing")


def test_a_gallery_that_was_fetched_is_served_while_the_hub_is_away(hub: Hub, saved):
    folder, gallery = saved
    eager().push(folder, gallery, "me/gallery", private=False, title="Add it")
    pushed = open_gallery("me/gallery", model="colour")
    hub.fail("", 503, times=10_000)
    assert open_gallery("me/gallery", model="colour").revision == pushed.revision == gallery.revision


def test_a_network_that_xet_loses_is_tried_again_and_is_no_full_disk(hub: Hub, saved):
    folder, _ = saved
    code = """
import sys
from pathlib import Path
from lookalike import Gallery, HubError
from lookalike.building.publishing import GalleryHub
tried = []
try:
    gallery = Gallery.load(Path(sys.argv[1]), model="colour")
    way = GalleryHub(waits=(1,), sleep=tried.append)
    way.push(Path(sys.argv[1]), gallery, "me/gallery", private=False, title="Add it")
except HubError as error:
    print(tried, error)
"""
    found = run_python(code, folder, environment={"HF_HUB_DISABLE_XET": "0"})  # the test's Hub has no Xet
    assert found.stdout.startswith("[1] The Hub could not be reached for me/gallery"), found.stderr
