"""Contracts with gradio: every private part that the page uses is there and does what the page expects.

If one of these fails after an update of gradio, lookalike/space/gradio_internals has to follow.
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
from lookalike.space.gradio_internals import PrivateBlocks, Selection, blocks, check
from lookalike.space.gradio_internals import queue as page_queue
from lookalike.space.gradio_internals.check import PAGE_PARTS, PARTS, TESTED_VERSION, check_gradio
from lookalike.space.gradio_internals.queue import PageQueue
from lookalike.space.middleware.request_filter import API, GET_ROUTES, POST_ROUTES
from lookalike.space.middleware.shutdown import wait_until
from tests.support.paths import ROOT
from tests.support.server import PATIENCE

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
    monkeypatch.setattr(check, "PARTS", (*PARTS, "utils.no_longer_there"))
    monkeypatch.setattr(check, "PAGE_PARTS", (*PAGE_PARTS, "_queue.gone"))
    sentence = (
        r"^gradio [\d.]+ has no gradio\.utils\.no_longer_there, gradio\.Blocks\._queue\.gone, .* "
        rf"pip install gradio=={re.escape(TESTED_VERSION)}$"
    )
    with pytest.raises(VersionError, match=sentence):
        check_gradio()


def test_no_other_file_touches_a_private_part():
    for file in [ROOT / "app.py", *SPACE.rglob("*.py")]:
        if file.parent.name == "gradio_internals":
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
    blocks._forget(function.inputs, state)
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


class Asked:
    """A request as the queue sees it: from an address, with a body of some size."""

    def __init__(self, address: str = "8.8.8.8", size: int = 100) -> None:
        self.client, self.headers = (address, 1), {}
        self.scope: dict[str, object] = {"body_bytes": size}


def ask(queue: PageQueue, session: str, request: Asked, *, fn_index: int = 0) -> str:
    """Add a request to the queue; return its event, or the sentence that refuses it."""
    body = gr.data_classes.PredictBodyInternal(fn_index=fn_index, data=["x", None], session_hash=session)
    return asyncio.run(queue.push(body, request, None))[1]


def test_one_visitor_gets_half_of_the_places_and_others_the_rest(page: PrivateBlocks):
    queue = page.queue(max_size=8)._queue
    first = [ask(queue, f"a{number}", Asked()) for number in range(6)]
    assert first[4:] == [page_queue.TOO_MANY] * 2
    assert [len(ask(queue, f"b{n}", Asked("9.9.9.9"))) for n in range(2)] == [32, 32]
    assert ask(queue, "c", Asked("7.7.7.7")) != page_queue.TOO_MANY
    page.refuse_new_requests()
    assert ask(queue, "d", Asked("6.6.6.6")).startswith("Queue is full")


def test_large_requests_that_wait_are_bounded(page: PrivateBlocks):
    queue = page.queue(max_size=40)._queue
    pushed = [ask(queue, f"a{number}", Asked(size=28_000_000)) for number in range(10)]
    assert pushed.count(page_queue.TOO_LARGE) == 5


def test_the_visitor_of_whom_the_fewest_run_comes_first(page: PrivateBlocks):
    queue = page.queue(max_size=40, api_open=False)._queue
    queue.active_jobs = [None] * 4
    for session, address in (("a", "1.1.1.1"), ("b", "1.1.1.1"), ("c", "1.1.1.1"), ("d", "9.9.9.9")):
        ask(queue, session, Asked(address))
    (line,) = queue.event_queue_per_concurrency_id.values()
    line.concurrency_limit = 2
    order = []
    for place in range(3):
        queue.active_jobs[place], _, _ = queue.get_events()
        order.append(queue.active_jobs[place][0].session_hash)
    assert order == ["a", "d", "b"]


def test_a_place_whose_answer_nobody_reads_is_given_back(
    page: PrivateBlocks, monkeypatch: pytest.MonkeyPatch
):
    queue = page.queue(max_size=3)._queue
    unread, _ = ask(queue, "gone", Asked()), ask(queue, "here", Asked("9.9.9.9"))
    monkeypatch.setattr(page_queue, "READER_SECONDS", 0)
    with queue.readers.reading("here"):
        queue.give_back_places(60)
    assert len(queue) == 1 and unread not in queue.event_ids_to_events
    assert "gone" not in queue.pending_event_ids_session and "here" in queue.pending_messages_per_session


def test_a_message_to_a_session_that_is_gone_ends_its_event_and_not_the_queue(page: PrivateBlocks):
    queue = page._queue
    event = queue.event_ids_to_events[ask(queue, "gone", Asked())]
    queue.pending_messages_per_session.clear()
    queue.broadcast_estimations(event.concurrency_id)
    assert not event.alive


def test_the_queue_starts_again_after_a_fault_and_goes_on_with_what_waits(
    page: PrivateBlocks, caplog: pytest.LogCaptureFixture
):
    page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    queue, url = page._queue, f"{page.local_url}gradio_api/call/echo"
    try:
        assert page.is_healthy()
        queue.delete_lock = None  # the task fails at the next request
        event = httpx.post(url, json={"data": ["hello", None]}, **PATIENCE).json()["event_id"]
        wait_until(lambda: not page.is_healthy(), 60)
        queue.delete_lock = asyncio.Lock()
        loop = queue._worker.get_loop()
        loop.call_soon_threadsafe(page.restart_after_fault)
        assert '["hello"]' in httpx.get(f"{url}/{event}", **PATIENCE).text
        assert page.is_healthy() and "the queue had stopped" in caplog.text
    finally:
        page.close(verbose=False)


def test_a_running_page_uses_our_replacements_and_has_the_allowed_routes(page: PrivateBlocks):
    """Gradio adds uploads to our set and answers to our dictionary, and has the routes that we allow."""
    page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", max_file_size=1000)
    try:
        url = f"{page.local_url}gradio_api/"
        (path,) = httpx.post(f"{url}upload", files={"files": ("me.png", b"photo")}, **PATIENCE).json()
        assert page.upload_file_set == {path}
        assert gradio_internals.page_of(page.app) is page and isinstance(page.app, App)
        event = httpx.post(f"{url}call/echo", json={"data": ["hello", None]}, **PATIENCE).json()["event_id"]
        assert '["hello"]' in httpx.get(f"{url}call/echo/{event}", **PATIENCE).text
        joined = {"fn_index": 0, "data": ["x", None], "session_hash": "somebody"}
        httpx.post(f"{url}queue/join", json=joined, **PATIENCE).raise_for_status()
        assert "somebody" in page._queue.pending_messages_per_session
        for path in ("/", "/config", f"{API}/info", f"{API}/startup-events"):
            found = httpx.get(f"{page.local_url.rstrip('/')}{path}", **PATIENCE)
            assert GET_ROUTES.fullmatch(path) and found.status_code == 200
        assert all(
            POST_ROUTES.fullmatch(f"{API}/{path}") for path in ("upload", "queue/join", "call/compare")
        )
    finally:
        page.close(verbose=False)
