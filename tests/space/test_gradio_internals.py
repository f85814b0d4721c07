"""Contracts with gradio: every private part that the page uses is there and does what the page expects.

If one of these fails after an update of gradio, lookalike/space/gradio_internals.py has to follow.
"""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import httpx
import pytest
from gradio.routes import App

from lookalike.errors import VersionError
from lookalike.space import gradio_internals
from lookalike.space.components import Choice, FaceHTML, PhotoInput, PictureGallery
from lookalike.space.gradio_internals import (
    PAGE_PARTS,
    PARTS,
    TESTED_VERSION,
    PrivateBlocks,
    Selection,
    UnreadAnswers,
    check_gradio,
)
from lookalike.space.middleware.request_filter import API, GET_ROUTES, POST_ROUTES
from tests.support.paths import ROOT

SPACE = ROOT / "lookalike" / "space"
PRIVATE = re.compile(r"gradio\.(utils|context|data_classes|routes|queueing|state_holder|blocks|events)\b")


@pytest.fixture
def page() -> PrivateBlocks:
    with PrivateBlocks(title="a test", delete_cache=(10, 30)) as page:
        box, photo = gr.Textbox("default"), PhotoInput()
        gr.on([], lambda text, image: text, [box, photo], box, api_name="echo")
    return page


def test_the_installed_gradio_has_every_part():
    check_gradio()


def test_the_tested_version_is_the_pinned_one():
    assert f"gradio=={TESTED_VERSION}\n" in (ROOT / "requirements.txt").read_text(encoding="utf-8")


def test_missing_parts_are_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gradio_internals, "PARTS", (*PARTS, "utils.no_longer_there"))
    monkeypatch.setattr(gradio_internals, "PAGE_PARTS", (*PAGE_PARTS, "_queue.gone"))
    sentence = (
        r"^gradio [\d.]+ has no gradio\.utils\.no_longer_there, gradio\.Blocks\._queue\.gone, .* "
        rf"pip install gradio=={re.escape(TESTED_VERSION)}$"
    )
    with pytest.raises(VersionError, match=sentence):
        check_gradio()


def test_no_other_file_touches_a_private_part():
    for file in [ROOT / "app.py", *SPACE.rglob("*.py")]:
        if file.name == "gradio_internals.py":
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in imported if name.startswith("gradio")}, file
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not used & {"_queue", "_id", "get_blocks", "is_template"}, file
        assert not PRIVATE.search(file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize(
    ("component", "name"),
    [(PhotoInput, "image"), (PictureGallery, "gallery"), (FaceHTML, "html"), (Choice, "dropdown")],
)
def test_the_browser_draws_our_components_as_gradio_s(component: type, name: str):
    with gr.Blocks():
        assert component().get_block_name() == name
    assert not list(SPACE.rglob("*.pyi"))


def test_a_photo_refuses_addresses_and_passes_files_on():
    photo = PhotoInput()
    with pytest.raises(gr.Error, match="Upload the photo itself"):
        asyncio.run(photo.async_move_resource_to_block_cache("http://127.0.0.1/me.png"))
    assert asyncio.run(photo.async_move_resource_to_block_cache(None)) is None


def test_pictures_and_photos_have_the_data_that_gradio_sends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert gradio_internals.upload_root() == tmp_path
    (picture,) = PictureGallery().postprocess([(b"jpeg", "Ada")]).root
    assert Path(picture.image.path).read_bytes() == b"jpeg" and picture.caption == "Ada"
    assert gradio_internals.image_data(url="data:,").url == "data:,"


def test_a_click_without_an_index_has_none():
    assert Selection(None, {"index": 2, "value": "x"}).index == 2
    assert Selection(None, {}).index is Selection(None, "x").index is None


def test_the_font_is_there():
    assert all(gradio_internals.font_file(bold=bold).is_file() for bold in (True, False))


def test_missing_inputs_get_their_default_and_photos_are_forgotten(page: PrivateBlocks):
    (function,) = page.fns.values()
    forgotten: list[tuple[int, object]] = []
    state = SimpleNamespace(_update_value_in_config=lambda key, value: forgotten.append((key, value)))
    gradio_internals._forget(function.inputs, state)
    assert forgotten == [(function.inputs[1]._id, None)]
    assert asyncio.run(page.preprocess_data(function, [], None)) == ["default", None]


def test_a_malformed_request_is_answered_with_our_sentence(page: PrivateBlocks):
    (function,) = page.fns.values()
    with pytest.raises(gr.Error, match="could not be read; send the arguments"):
        asyncio.run(page.preprocess_data(function, ["x", 5], None))


def test_a_queue_says_who_waits_and_runs_and_takes_no_more(page: PrivateBlocks):
    queue = page._queue
    assert not page.is_working() and not page.has_unread_answers()
    data = [{"path": "/waiting.png"}, {"path": 5}, None, "x"]
    waiting = SimpleNamespace(data=SimpleNamespace(data=data))
    line = SimpleNamespace(queue=[waiting, SimpleNamespace(data=None)])
    queue.event_queue_per_concurrency_id = {"model": line}
    assert page.queued_files() == {"/waiting.png"} and page.is_working()
    queue.event_queue_per_concurrency_id = {}
    for streaming in (True, False):
        queue.active_jobs = [None, [SimpleNamespace(streaming=streaming)]]
        assert page.is_working() is not streaming
    page.refuse_new_requests()
    assert queue.max_size == 0


def test_answers_that_nobody_fetches_are_dropped(page: PrivateBlocks):
    answers = page.queue(api_open=False, max_size=3)._queue.pending_messages_per_session
    assert isinstance(answers, UnreadAnswers)
    answers["gone"] = answers["here"] = 1
    page._queue.pending_event_ids_session |= {"gone": {"a"}, "here": {"b"}}
    answers._used["gone"] -= 100
    page.drop_unread_answers(60)
    assert list(answers) == ["here"] and answers["here"] == 1
    assert page._queue.pending_event_ids_session == {"here": {"b"}} and page.has_unread_answers()


def test_unread_answers_have_a_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gradio_internals, "MAX_SESSIONS", 2)
    answers = UnreadAnswers()
    for session in "abc":
        answers[session] = 1
    assert list(answers) == ["b", "c"]


def test_a_running_page_uses_our_replacements_and_has_the_allowed_routes(page: PrivateBlocks):
    """Gradio adds uploads to our set and answers to our dictionary, and has the routes that we allow."""
    page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", max_file_size=1000)
    try:
        url = f"{page.local_url}gradio_api/"
        (path,) = httpx.post(f"{url}upload", files={"files": ("me.png", b"photo")}).json()
        assert page.upload_file_set == {path}
        assert gradio_internals.page_of(page.app) is page and isinstance(page.app, App)
        event = httpx.post(f"{url}call/echo", json={"data": ["hello", None]}).json()["event_id"]
        assert '["hello"]' in httpx.get(f"{url}call/echo/{event}", timeout=30).text
        joined = {"fn_index": 0, "data": ["x", None], "session_hash": "somebody"}
        httpx.post(f"{url}queue/join", json=joined).raise_for_status()
        assert "somebody" in page._queue.pending_messages_per_session
        for path in ("/", "/config", f"{API}/info", f"{API}/startup-events"):
            found = httpx.get(f"{page.local_url.rstrip('/')}{path}", timeout=30)
            assert GET_ROUTES.fullmatch(path) and found.status_code == 200
        assert all(
            POST_ROUTES.fullmatch(f"{API}/{path}") for path in ("upload", "queue/join", "call/compare")
        )
    finally:
        page.close(verbose=False)
