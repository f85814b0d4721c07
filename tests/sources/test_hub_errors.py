"""A dataset on the Hub that cannot be opened: each cause has its own sentence with the way out."""

from __future__ import annotations

import httpx2
import pyarrow as pa
import pytest
from datasets.exceptions import DataFilesNotFoundError, DatasetNotFoundError
from huggingface_hub import errors

from lookalike.errors import SourceError
from lookalike.sources.hub_dataset import open_hub_dataset
from lookalike.sources.opening import Choice, open_source
from tests.support.hub_server import Hub
from tests.support.source_files import parquet, photo


def answer(status: int) -> httpx2.Response:
    return httpx2.Response(status, request=httpx2.Request("GET", "https://huggingface.co"))


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


CAUSES = {
    "not there": (
        errors.RepositoryNotFoundError("no", response=answer(404)),
        "There is nothing at them/stars@v2: no file or folder, and no such dataset on the Hub",
    ),
    "no such revision": (
        errors.RevisionNotFoundError("no", response=answer(404)),
        "The dataset them/stars has no revision 'v2'; check it on https://huggingface.co/datasets/them/stars",
    ),
    "a bad token": (
        errors.HfHubHTTPError("Invalid credentials", response=answer(401)),
        r"The Hub does not let you read them/stars@v2 \(status 401\); set HF_TOKEN",
    ),
    "gated": (
        errors.GatedRepoError("gated", response=answer(403)),
        "The dataset them/stars is gated; accept its conditions on https://huggingface.co/datasets/them/stars",
    ),
    "gated, as `datasets` puts it": (
        caused(
            DatasetNotFoundError("Dataset 'them/stars' is a gated dataset on the Hub."),
            errors.GatedRepoError("gated", response=answer(401)),
        ),
        "The dataset them/stars is gated",
    ),
    "no network": (httpx2.ConnectError("no route"), r"could not be reached for them/stars@v2 \(no route\)"),
    "no network, as `datasets` puts it": (
        caused(FileNotFoundError("Couldn't find any data file"), httpx2.ConnectTimeout("too slow")),
        "The Hub could not be reached",
    ),
    "an error of the Hub": (
        errors.HfHubHTTPError("oh", response=answer(503)),
        r"could not be reached for them/stars@v2 \(status 503\); check the network, and try again later",
    ),
    "offline": (
        errors.OfflineModeIsEnabled("Offline mode is enabled."),
        "The Hub is switched off by HF_HUB_OFFLINE",
    ),
    "offline, as `datasets` puts it": (
        ConnectionError("Couldn't reach the Hub for 'them/stars': Offline mode is enabled."),
        "unset HF_HUB_OFFLINE, or give --download",
    ),
    "a script": (
        RuntimeError("Dataset scripts are no longer supported, but found stars.py"),
        "The dataset them/stars is a Python script, and scripts are not run",
    ),
    "no data": (
        DataFilesNotFoundError("No (supported) data files found in them/stars"),
        r"them/stars@v2 cannot be read \(No \(supported\) data files found in them/stars\); check --config",
    ),
    "no such configuration": (
        ValueError("BuilderConfig 'x' not found. Available: ['y', 'z']"),
        r"them/stars has no such configuration; choose one with --config: y, z\.",
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_has_its_own_sentence(cause: str):
    error, sentence = CAUSES[cause]

    def load(name: str, revision: str | None, choice: Choice):
        raise error

    with pytest.raises(SourceError, match=sentence) as caught:
        open_hub_dataset("them/stars@v2", Choice(), load=load)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_a_dataset_of_several_configurations_lists_them(hub: Hub):
    configs = (f"- config_name: {name}\n  data_files: {name}.parquet\n" for name in ("film", "music"))
    head = f"configs:\n{''.join(configs)}".encode()
    table = parquet(image=[photo()], name=["Ada"])
    hub.put(
        "them/stars",
        {"README.md": b"---\n" + head + b"\n---\n", "film.parquet": table, "music.parquet": table},
    )
    with pytest.raises(
        SourceError, match=r"several configurations; choose one with --config: film, music\.$"
    ):
        open_source("them/stars")
    with pytest.raises(SourceError, match=r"no such configuration; choose one with --config: film, music\.$"):
        open_source("them/stars", Choice(config="sport"))
    with pytest.raises(SourceError, match=r"no such split; choose one with --split: train\.$"):
        open_source("them/stars", Choice(config="film", split="test"))
    assert [record.name for record in open_source("them/stars", Choice(config="film"))] == ["Ada"]


def test_a_column_that_datasets_cannot_read_says_how_to_get_the_files(hub: Hub):
    pairs = pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))
    hub.put("them/stars", {"data/train.parquet": parquet(image=[photo()], name=["Ada"], extra=pairs)})
    sentence = r"`hf download them/stars --repo-type dataset --local-dir FOLDER`, and give that folder\.$"
    with pytest.raises(SourceError, match=sentence):
        open_source("them/stars")


def test_a_dataset_that_is_a_script_says_so(hub: Hub):
    hub.put("them/script", {"script.py": b"raise SystemExit"})
    with pytest.raises(SourceError, match="The dataset them/script is a Python script"):
        open_source("them/script")


def test_a_revision_that_is_not_there_says_so(hub: Hub):
    hub.put("them/stars", {"data/train-0.parquet": parquet(image=[b"photo"], name=["Ada"])})
    with pytest.raises(SourceError, match="The dataset them/stars has no revision 'v9'"):
        open_source("them/stars@v9")


def test_a_hub_that_fails_says_to_try_again(hub: Hub):
    hub.fail("", 503, times=10_000)
    with pytest.raises(SourceError, match=r"could not be reached for them/stars \(status 503\)"):
        open_source("them/stars")


def test_a_dataset_without_photos_or_names_says_which_column_is_missing(hub: Hub):
    hub.put("them/words", {"data/train-0.parquet": parquet(name=["Ada"], text=["a poem"])})
    with pytest.raises(SourceError, match=r"no column of photos; .*--image-column\. It has: name, text\."):
        open_source("them/words")
    hub.put("them/photos", {"data/train-0.parquet": parquet(image=[b"photo"], size=[3])})
    with pytest.raises(SourceError, match=r"no column of names .*--label-column\. It has: image, size\."):
        open_source("them/photos")
