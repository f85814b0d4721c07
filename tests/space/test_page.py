"""The page on a real local server, with a model and a gallery whose results can be checked by hand."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from lookalike import Gallery, Lookalikes
from lookalike.gallery.schema import Row
from lookalike.space.finders import Finders
from lookalike.space.middleware.cleanup import MAX_ANSWER_AGE
from lookalike.space.page.page import build_page, launch_options
from tests.support.fakes import BrightDetector, ColourEmbedder, make_gallery, settings, unit
from tests.support.server import PATIENCE

RED, BLUE, BLACK = (255, 0, 0), (0, 0, 255), (0, 0, 0)
ANYBODY = {"red": [[1, 0, 0]], "yellow <b>": [[1, 1, 0]], "blue": [[0, 0, 1]]}


def encoded(*colours: tuple[int, int, int], kind: str = "PNG") -> bytes:
    """A strip of 40-pixel squares; BrightDetector finds a face in each that is not black."""
    strip = np.hstack([np.full((40, 40, 3), colour, np.uint8) for colour in colours])
    buffer = io.BytesIO()
    Image.fromarray(strip).save(buffer, kind)
    return buffer.getvalue()


def data_url(content: bytes) -> dict[str, str]:
    return {"url": f"data:image/png;base64,{base64.b64encode(content).decode()}"}


def finder(model: str = "colour") -> Lookalikes:
    gallery = make_gallery(model, standing=[0.0, 1.0], **ANYBODY)
    return Lookalikes(gallery, embedder=ColourEmbedder(model), detector=BrightDetector())


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where gradio stores uploads."""
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="module")
def page(uploads: Path) -> Iterator[object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(uploads))
        finders = Finders(finder(), gallery_id="a test", others=["tint"], load=finder)
        finders.served.warm_up()
        page = build_page(finders)
        page.launch(**launch_options(), prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
        yield page
        page.close(verbose=False)


@pytest.fixture(scope="module")
def url(page) -> str:
    return page.local_url


@pytest.fixture(scope="module")
def client(url: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(
        url, verbose=False, download_files=tmp_path_factory.mktemp("answers"), httpx_kwargs=PATIENCE
    )


@pytest.fixture
def photo(tmp_path: Path):
    """Write bytes to a file and return it as the client sends it."""

    def write(content: bytes, name: str = "me.png"):
        (tmp_path / name).write_bytes(content)
        return handle_file(str(tmp_path / name))

    return write


def call(url: str, endpoint: str, *data: object) -> str:
    """Post to an endpoint as a script without gradio's client would, and return the last event."""
    posted = httpx.post(f"{url}gradio_api/call/{endpoint}", json={"data": data}, **PATIENCE)
    event = posted.json()["event_id"]
    return httpx.get(f"{url}gradio_api/call/{endpoint}/{event}", **PATIENCE).text


def test_find_lookalikes_returns_pictures_with_captions_and_a_report(client: Client, photo):
    gallery, report = client.predict(photo=photo(encoded(RED)), api_name="/find_lookalikes")
    captions = [entry["caption"] for entry in gallery]
    assert captions == ["1 · red · 100 %", "2 · yellow <b> · 85 %", "3 · blue · 50 %"]
    assert all(Image.open(entry["image"]).size == (384, 384) for entry in gallery)
    seconds, revision = report.pop("seconds"), report["gallery"].pop("revision")
    assert set(seconds) == {"detect", "embed", "search", "draw"} and len(revision) == 12
    red, yellow, blue = report["faces"][0].pop("matches")
    assert report == {
        "model": "colour",
        "gallery": {"id": "a test", "names": 3},
        "faces": [{"box": [0, 0, 40, 40], "confidence": 0.99, "standing": 1.0, "hard_to_read": True}],
    }
    assert red.pop("photo") is None
    assert red == {
        "rank": 1,
        "name": "red",
        "about": {},
        "similarity": 100.0,
        "score": 1.0,
        "cosine": 1.0,
        "origin": "red#0",
        "photos": 1,
    }
    assert yellow["similarity"] == 85.4 and yellow["cosine"] == 0.7071 and yellow["name"] == "yellow <b>"
    assert blue["rank"] == 3


def test_count_face_and_model_are_optional_arguments(client: Client, photo):
    gallery, report = client.predict(
        photo=photo(encoded(RED, BLUE)), count=1, face=1, model="tint", api_name="/find_lookalikes"
    )
    assert [entry["caption"] for entry in gallery] == ["1 · blue · 100 %"]
    assert report["model"] == "tint" and [len(face["matches"]) for face in report["faces"]] == [1, 1]


def test_compare_returns_the_similarity_of_two_faces(client: Client, photo):
    one, other = photo(encoded(RED), "a.png"), photo(encoded(BLUE), "b.png")
    equal = client.predict(first=one, second=one, api_name="/compare")
    assert equal == {"similarity": 100.0, "score": 1.0, "cosine": 1.0, "same": True, "hard_to_read": True}
    apart = client.predict(first=one, second=other, api_name="/compare")
    assert apart["same"] is False and apart["similarity"] == pytest.approx(50, abs=0.2)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP"])
def test_common_formats_are_read(client: Client, photo, kind: str):
    _, report = client.predict(
        photo=photo(encoded(RED, kind=kind), f"me.{kind}"), api_name="/find_lookalikes"
    )
    assert report["faces"][0]["matches"][0]["name"] == "red"


def bomb() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "me.png", "empty"),
        (b"hello", "me.txt", "not a photo"),
        (b"hello", "me.jpg", "not a photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "me.svg", "not a photo"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "me.heic", "not a photo"),
        (bomb(), "me.png", "megapixels"),
        (encoded(BLACK), "me.png", "No face was found in the photo; it is too dark"),
    ],
)
def test_a_bad_photo_is_answered_with_a_sentence_and_not_kept(
    client: Client, photo, uploads: Path, content: bytes, name: str, sentence: str
):
    with pytest.raises(AppError, match=sentence):
        client.predict(photo=photo(content, name), api_name="/find_lookalikes")
    assert not list(uploads.rglob(name))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "nonesuch"}, "choose one of colour, tint"),
        ({"face": 1}, "counts them from 0"),
        ({"face": -1}, "counts them from 0"),
        ({"count": 0}, "from 1 to 50"),
        ({"count": 51}, "from 1 to 50"),
        ({"count": "many"}, "could not be read"),
    ],
)
def test_a_bad_argument_is_answered_with_a_sentence(client: Client, photo, options: dict, sentence: str):
    with pytest.raises(AppError, match=sentence):
        client.predict(photo=photo(encoded(RED)), **options, api_name="/find_lookalikes")


def test_no_photo_and_no_face_to_compare_are_answered_with_a_sentence(client: Client, photo):
    with pytest.raises(AppError, match="choose one first"):
        client.predict(photo=None, api_name="/find_lookalikes")
    with pytest.raises(AppError, match="No face was found in the second photo"):
        client.predict(
            first=photo(encoded(RED), "a.png"), second=photo(encoded(BLACK), "b.png"), api_name="/compare"
        )


@pytest.mark.parametrize(
    "payload",
    [
        {"path": "/etc/passwd"},
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        {"path": "http://127.0.0.1:9/me.png"},
        {"path": "http://127.0.0.1:9/me.png", "meta": {"_type": "gradio.FileData"}},
        {"url": "http://127.0.0.1:9/me.png"},
        {"url": "data:image/png,hello"},
        {"url": "data:image/png;base64,????"},
        {"path": "a\0b"},
        {"path": 5},
        "me.png",
        [1, 2],
    ],
)
def test_only_uploads_and_data_are_read(url: str, payload: object):
    answer = call(url, "find_lookalikes", payload)
    assert "event: error" in answer
    error = json.loads(answer.split("data: ", 1)[1])["error"]
    assert error.endswith(".") and "verbose" not in error and "passwd" not in error and "Errno" not in error


def test_a_data_url_is_read_like_an_upload(url: str):
    answer = call(url, "find_lookalikes", data_url(encoded(BLUE)), 1, 0, None)
    assert "event: complete" in answer and "1 \\u00b7 blue" in answer


def test_a_file_of_the_server_is_neither_read_nor_deleted(url: str, uploads: Path, tmp_path: Path):
    outside = tmp_path / "private.png"
    outside.write_bytes(encoded(RED))
    (uploads / "link.png").symlink_to(outside)
    assert "event: error" in call(url, "find_lookalikes", {"path": str(uploads / "link.png")})
    assert "event: error" in call(url, "find_lookalikes", {"path": str(uploads / ".." / "x.png")})
    assert outside.exists()


def test_without_gradio_s_client_arguments_can_be_left_out_or_named(url: str):
    assert "1 \\u00b7 blue" in call(url, "find_lookalikes", data_url(encoded(BLUE)))
    body = {"photo": data_url(encoded(RED, BLUE)), "count": 1, "face": 1}
    posted = httpx.post(f"{url}gradio_api/call/v2/find_lookalikes", json=body, **PATIENCE).json()
    answer = httpx.get(f"{url}gradio_api/call/find_lookalikes/{posted['event_id']}", **PATIENCE).text
    assert "1 \\u00b7 blue" in answer and "2 \\u00b7" not in answer


def test_people_can_be_chosen_by_category_gender_and_region(photo):
    rows = [
        Row("red", unit(1, 0, 0), category="warm", gender="woman", country="France", born=1975, photos=4),
        Row("blue", unit(0, 0, 1), category="cold", gender="man", country="India"),
    ]
    served = Lookalikes(Gallery.of(rows, settings()), embedder=ColourEmbedder(), detector=BrightDetector())
    page = build_page(Finders(served, gallery_id="a test"))
    page.launch(**launch_options(), prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")

    def search(**choice: str) -> dict:
        asked = {"photo": photo(encoded(RED)), **choice, "api_name": "/find_lookalikes"}
        return client.predict(**asked)[1]

    try:
        client = Client(page.local_url, verbose=False, httpx_kwargs=PATIENCE)
        everyone = search()["faces"][0]["matches"]
        assert [match["name"] for match in everyone] == ["red", "blue"]
        assert everyone[0]["about"] == {"gender": "woman", "country": "France", "born": 1975}
        assert everyone[0]["photos"] == 4
        for choice in ({"category": "cold"}, {"gender": "man"}, {"region": "South Asia"}):
            report = search(**choice)
            (match,) = report["faces"][0]["matches"]
            assert match == everyone[1] | {"rank": 1}
            assert (
                report["gallery"]
                == {"id": "a test", "revision": served.gallery.revision, "names": 2} | choice
            )
        for choice, there in (
            ({"category": "hot"}, "cold, warm"),
            ({"gender": "robot"}, "man, woman"),
            ({"region": "Atlantis"}, "Europe, South Asia"),
        ):
            with pytest.raises(AppError, match=f"choose one of {there}"):
                search(**choice)
        assert "1 \\u00b7 red" in call(page.local_url, "find_lookalikes", data_url(encoded(RED)), 5, 0, None)
    finally:
        page.close(verbose=False)


def ask(page, listener: str, data: list[object], session: str) -> str:
    """Run one of the page's own callbacks as a browser does, and return the events that it gets."""
    join(page, listener, data, session)
    with answers(page, session) as stream:
        return stream.read().decode()


def join(page, listener: str, data: list[object], session: str) -> None:
    function = next(each for each in page.fns.values() if each.api_name == listener)
    joined = {"fn_index": function._id, "data": data, "session_hash": session}
    httpx.post(f"{page.local_url}gradio_api/queue/join", json=joined, **PATIENCE).raise_for_status()


def answers(page, session: str) -> AbstractContextManager[httpx.Response]:
    """Open the stream of a session's answers, which ends when there are no more."""
    url, events = f"{page.local_url}gradio_api/queue/data", {"session_hash": session}
    return httpx.stream("GET", url, params=events, **PATIENCE)


def test_a_browser_that_reads_again_after_its_answer_gets_the_next_one(page):
    """It reads again where the reply to its request arrives after the answer, as on a bad line."""
    choice = [None, None, None, 5, None, ""]
    assert '"success":true' in ask(page, "find_again", choice, "late")
    page._queue._worker.get_loop().call_soon_threadsafe(page.give_back_places, MAX_ANSWER_AGE)
    with answers(page, "late") as stream:
        join(page, "find_again", choice, "late")
        assert '"success":true' in stream.read().decode()


def test_the_options_follow_a_gallery_that_was_replaced():
    rows = [Row("red", unit(1, 0, 0), category="warm"), Row("blue", unit(0, 0, 1), category="cold")]
    newer = Lookalikes(Gallery.of(rows, settings()), embedder=ColourEmbedder(), detector=BrightDetector())
    finders = Finders(finder(), others=["tint"], load=finder)
    page = build_page(finders)
    page.launch(**launch_options(), prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    photo = data_url(encoded(RED))
    try:
        assert "The page has changed since you opened it" in ask(
            page, "find", [photo, 5, None, "cold"], "before"
        )
        assert "1 · red" in ask(page, "find", [photo, 5, "tint", ""], "before")
        finders.replace(Finders(newer, others=["other"], load=finder))
        loaded = ask(page, "load_page", [], "after")
        assert '["Warm","warm"]' in loaded and '["other","other"]' in loaded and "tint" not in loaded
        assert "1 · blue" in ask(page, "find", [photo, 5, None, "cold"], "after")
        assert "The page has changed" in ask(page, "find", [photo, 5, "tint", ""], "before")
        assert "1 \\u00b7 blue" in call(page.local_url, "find_lookalikes", photo, 5, 0, None, "cold")
    finally:
        page.close(verbose=False)


def test_a_broken_photo_is_a_sentence_on_the_page_also_after_other_options_were_chosen(page):
    plain = data_url(encoded(RED))
    for listener, data in (
        ("find", [plain]),
        ("find_again", [plain, None, 0, 2]),
        ("find", [data_url(b"hello")]),
    ):
        answer = ask(page, listener, data, "broken")
        assert '"success":true' in answer
    assert "We can't open this file" in answer


def test_only_the_two_endpoints_are_offered(client: Client, url: str):
    offered = client.view_api(return_format="dict")["named_endpoints"]
    assert set(offered) == {"/find_lookalikes", "/compare"}
    parameters = {
        parameter["parameter_name"]: (parameter["parameter_has_default"], parameter["parameter_default"])
        for parameter in offered["/find_lookalikes"]["parameters"]
    }
    assert parameters == {
        "photo": (False, None),
        "count": (True, 5),
        "face": (True, 0),
        "model": (True, None),
        "category": (True, None),
        "gender": (True, None),
        "region": (True, None),
    }
    labels = [parameter["label"] for parameter in offered["/find_lookalikes"]["parameters"]]
    assert labels == list(parameters)
    assert [each["label"] for each in offered["/compare"]["parameters"]] == ["first", "second"]
    run = httpx.post(f"{url}gradio_api/run/find_lookalikes", json={"data": [None]}, **PATIENCE)
    assert run.status_code == 404


def test_no_photo_is_left_on_disk_or_in_memory(page, client: Client, photo, uploads: Path):
    client.predict(photo=photo(encoded(RED), "secret.png"), api_name="/find_lookalikes")
    assert not list(uploads.rglob("secret*"))
    find = next(each for each in page.fns.values() if each.api_name == "find")
    assert find.api_visibility == "private"
    answer = ask(page, "find", [data_url(encoded(RED, BLUE)), 5, None, ""], "someone")
    assert "data:image/jpeg;base64" in answer and "Face 2" in answer
    remembered = repr(page.state_holder["someone"].config_values)
    assert "data:image" not in remembered


def test_many_visitors_with_the_same_photo_are_all_answered(client: Client, photo, uploads: Path):
    same = photo(encoded(BLUE), "crowd.png")
    jobs = [client.submit(photo=same, api_name="/find_lookalikes") for _ in range(8)]
    assert {job.result()[1]["faces"][0]["matches"][0]["name"] for job in jobs} == {"blue"}
    assert not list(uploads.rglob("crowd*"))


def test_a_choice_that_the_page_did_not_offer_is_refused_and_not_logged(
    page, capfd: pytest.CaptureFixture[str]
):
    answer = ask(page, "choose_face", [data_url(encoded(RED)), None, "secret"], "stranger")
    assert "The page has changed since you opened it" in answer
    assert "secret" not in "".join(capfd.readouterr())
