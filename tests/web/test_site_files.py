"""The files of the static site: whole, with no inline script, and only from the pinned runtime."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lookalike.faces.mtcnn_graphs import build_graph
from lookalike.finder import Lookalikes
from lookalike.space.texts import LANGUAGES, RIGHT_TO_LEFT, table
from lookalike.web.__main__ import main
from lookalike.web.data import ROW_STEPS, gallery_table, model_fields, with_half_weights
from lookalike.web.runtime import INTEGRITY, NETWORK, network_runtime
from lookalike.web.site_files import SITE, site_files, write_site

KEY = re.compile(r"""(?:text\(|LookalikeError\(|data-text=|return )["']([a-z]+_[a-z_]+)["']""")


@pytest.fixture(scope="module")
def online(finder: Lookalikes) -> dict[str, bytes]:
    """The files of a site whose runtime is on the content network."""
    return site_files(finder, network_runtime())


def test_the_page_allows_scripts_only_from_itself_and_the_pinned_runtime(online: dict[str, bytes]):
    page = online["index.html"].decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    sources = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert sources["default-src"] == "'none'"
    kinds = {source for source in sources["script-src"].split() if not source.startswith(f"{NETWORK}/ort")}
    assert kinds == {"'self'", "'wasm-unsafe-eval'"}
    assert not re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=", page)
    assert not re.findall(r"<script[^>]*https[^>]*>", page)  # the page adds them with their hashes
    assert set(json.loads(online["site.json"])["runtime"]["integrity"].values()) == set(INTEGRITY.values())
    assert not [name for name in online if name.startswith("runtime/")]


def test_every_text_that_the_site_names_is_in_every_language(online: dict[str, bytes]):
    sources = "".join(file.read_text("utf-8") for file in [*SITE.rglob("*.js"), *SITE.rglob("*.html")])
    named = set(KEY.findall(sources))
    assert len(named) > 40
    for language in LANGUAGES:
        texts = json.loads(online[f"texts/{language}.json"])
        assert named <= set(texts)
        assert texts == {key: table(language)[key] for key in texts}
    assert f"RIGHT_TO_LEFT = {json.dumps(RIGHT_TO_LEFT)}" in sources


def test_every_module_that_is_imported_is_there_and_names_the_python_that_it_mirrors():
    for file in SITE.rglob("*.js"):
        source = file.read_text("utf-8")
        assert len(source.splitlines()) < 250, file
        for name in re.findall(r'from "(\..*?)"', source):
            assert (file.parent / name).is_file(), (file, name)
        for name in re.findall(r"lookalike/[\w/]+\.py", source):
            assert (SITE.parents[2] / name).is_file(), (file, name)


def test_the_gallery_keeps_its_names_and_its_numbers_in_whole_steps(
    finder: Lookalikes, online: dict[str, bytes]
):
    fields = json.loads(gzip.decompress(online["data/gallery.json.bin"]))
    rows, dim = finder.gallery.embeddings.shape
    assert fields["names"] == finder.gallery.table["name"].to_pylist()
    numbers = np.frombuffer(gallery_table(finder.gallery), np.uint8, offset=8 * rows).reshape(2, -1)
    stored = numbers.T.copy().view("<i2").reshape(rows, dim) / ROW_STEPS
    assert np.abs(stored - finder.gallery.embeddings).max() <= 0.5001 / ROW_STEPS


def test_a_percentage_between_two_steps_of_the_scale_is_that_of_python(finder: Lookalikes):
    fields = model_fields(finder)["scale"]
    scores = np.random.default_rng(0).uniform(fields["low"], fields["high"], 200)
    steps = np.linspace(fields["low"], fields["high"], len(fields["similarities"]))
    read = np.interp(scores, steps, fields["similarities"])
    assert np.abs(read - [finder.scale.similarity(score) for score in scores]).max() < 0.01


def test_half_weights_change_nothing_but_the_bytes():
    patches = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 3), dtype=np.uint8)
    graph = build_graph("onet")
    whole, half = (
        onnxruntime.InferenceSession(each).run(None, {"patches": patches})[0]
        for each in (graph, with_half_weights(graph))
    )
    assert len(with_half_weights(graph)) < 0.6 * len(graph)
    assert np.array_equal(whole, half)


def test_a_photo_of_somebody_who_left_the_gallery_does_not_stay_in_the_folder(tmp_path: Path):
    write_site(tmp_path, {"photos/0.webp": b"Ada", "photos/1.webp": b"Bo"})
    (tmp_path / "mine.txt").write_text("stays")
    write_site(tmp_path, {"photos/0.webp": b"Ada"})
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["0.webp", "mine.txt"]


def test_another_version_of_the_runtime_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "ort.wasm.min.mjs").write_text("export {}")
    assert main([str(tmp_path / "site"), "--runtime", str(tmp_path)]) == 1
    assert "npm pack onnxruntime-web@" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_the_command_writes_a_site_and_says_how_to_serve_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([str(tmp_path)]) == 0
    assert "http.server" in capsys.readouterr().out
    assert {"index.html", "site.json", "service-worker.js"} <= {path.name for path in tmp_path.iterdir()}
