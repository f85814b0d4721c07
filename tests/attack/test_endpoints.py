"""The running page answers on the routes that it needs and on no others."""

from __future__ import annotations

import http.client
import http.server
import itertools
import json
import re
import secrets
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import gradio.routes
import pytest
from gradio_client import Client

from lookalike.gallery.gallery import Gallery
from lookalike.gallery.schema import Row
from lookalike.gallery.standing import Standing
from tests.support.drawing import draw_face
from tests.support.paths import ROOT
from tests.support.server import API, Server, data_url, encoded, outcome, serving
from tests.support.table import Table

pytestmark = pytest.mark.attack

PER_MINUTE = 40  # requests; more than any test here sends from one address
# The needed routes of gradio, without their variable parts. All others must be closed.
NEEDED = re.compile(
    "/|/config/?|/theme.css|/manifest.json|/favicon.ico|/robots.txt|/(static|assets|svelte)/{}|"
    f"{API}/(info/?|openapi.json|app_id/?|startup-events|theme.css|queue/(data|join)|upload|upload_progress|"
    "user/?|login_check/?|token/?|heartbeat/{}|cancel|reset/?|stream/{}(/close)?|file={}|call/(v2/)?{}/?|"
    "call/(v2/)?{}/{})"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("doors")
    with serving(folder, LOOKALIKE_PER_MINUTE=str(PER_MINUTE)) as server:
        yield server
        assert "Traceback" not in server.log.read_text()


@pytest.fixture(autouse=True)
def stranger(server: Server) -> None:
    """A forwarded address for each test, as from a proxy."""
    server.client.headers["x-forwarded-for"] = f"93.{secrets.randbelow(250)}.{secrets.randbelow(250)}.7"


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    table = Table("door", "tried", "what came out")
    yield table
    table.show(request)


def raw(server: Server, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Request a path without normalizing its dots."""
    line = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=60)
    line.putrequest(method, path, skip_host=False)
    line.endheaders()
    answer = line.getresponse()
    return answer.status, answer.read()


def test_only_needed_routes_of_gradio_are_open(server: Server, table: Table):
    source = Path(gradio.routes.__file__).read_text(encoding="utf-8")
    routes = re.findall(r"@(app|router)\.(get|post|head|put|delete|websocket)\(\s*\"([^\"]+)\"", source)
    assert len(routes) > 60
    others = {(method, f"{API}{path}" if owner == "router" else path) for owner, method, path in routes}
    shut = sorted(
        (method, path) for method, path in others if not NEEDED.fullmatch(re.sub(r"\{.*?\}", "{}", path))
    )
    for method, path in shut:
        assert raw(server, re.sub(r"\{.*?\}", "1", path), method.upper())[0] == 404, path
    table.row("gradio's other routes", len(shut), "404")
    for path in (
        "/docs",
        "/redoc",
        "/openapi.json",
        "/monitoring",
        f"{API}/mcp",
        f"{API}/mcp/sse",
        "/.env",
        "/app.py",
    ):
        assert raw(server, path)[0] == 404, path


def test_two_endpoints_are_listed_and_no_other_name_answers(server: Server, table: Table):
    client = Client(server.address, verbose=False, httpx_kwargs={"timeout": 240})
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/find_lookalikes", "/compare"}
    config = server.client.get(server.url("/config")).json()
    private = {each["api_name"] for each in config["dependencies"]} - {"find_lookalikes", "compare"}
    for name in sorted(filter(None, private)):
        for path in (f"/call/{name}", f"/call/v2/{name}", f"/run/{name}", f"/api/{name}"):
            assert server.client.post(server.url(f"{API}{path}"), json={"data": []}).status_code == 404
    assert server.client.post(server.url(f"{API}/run/compare"), json={"data": []}).status_code == 404
    table.row("other listeners, by name", len(private), "404")


JUNK = [
    None,
    -1,
    10**30,
    1e300,
    "x" * 1000,
    "/etc/passwd",
    [],
    {},
    {"path": "/etc/passwd"},
    [[[]]],
    True,
    "=1+1",
]


def test_every_listener_survives_unexpected_input(server: Server, table: Table):
    config = server.client.get(server.url("/config")).json()
    listeners, tried = [each for each in config["dependencies"] if each["backend_fn"]], 0
    for each, junk in itertools.product(listeners, JUNK):
        if any(target[1] == "stream" for target in each["targets"]):
            continue  # it waits for the next frame
        stranger_again(server)
        for count in (len(each["inputs"]), len(each["inputs"]) + 3):
            said = server.join(each["id"], [junk] * count, secrets.token_hex(4))
            assert "root:" not in said and 'File "' not in said
            tried += 1
    for index in (-1, 10**6, 10**30, "x", None):
        body = {"fn_index": index, "data": [], "session_hash": "s"}
        assert server.client.post(server.url(f"{API}/queue/join"), json=body).status_code in (400, 422)
    table.row("listeners with made-up input", tried, "a sentence or nothing")


def stranger_again(server: Server) -> None:
    server.client.headers["x-forwarded-for"] = f"91.{secrets.randbelow(250)}.{secrets.randbelow(250)}.7"


def test_no_file_but_the_sessions_own_is_served(server: Server, table: Table):
    sent = server.upload(b"mine", "mine.png")["path"]
    assert raw(server, f"{API}/file={sent}")[1] == b"mine"
    folder = Path(sent).parents[1]
    (folder / "link.png").symlink_to("/etc/passwd")
    (Path(sent).parent / "link.png").symlink_to("/etc/passwd")
    wanted = [
        "/etc/passwd",
        str(ROOT / "app.py"),
        "/proc/self/environ",
        "/proc/self/cwd/app.py",
        str(server.log),
    ]
    below = [
        f"{folder}/link.png",
        f"{Path(sent).parent}/link.png",
        f"{folder}/../../../../../../../../etc/passwd",
    ]
    routes = (
        f"{API}/file=",
        f"{API}/file/",
        "/file=",
        "/static/",
        "/assets/",
        "/svelte/",
        f"{API}/proxy=",
        "/",
    )
    paths = set()
    for route in routes:
        for name in [*wanted, *below]:
            climbed = "../" * 12 + name.lstrip("/")
            for written in (name, climbed, name.lstrip("/")):
                paths |= {
                    route + written,
                    route + quote(written, safe=""),
                    route + quote(quote(written, safe="")),
                }
                paths |= {
                    route + written.replace(".", "%2e").replace("/", "%2f"),
                    route + written.replace("/", "%5c"),
                }
                paths |= {route + "file://" + written, route + written + "%00.png", route + "//" + written}
    for path in sorted(paths):
        status, content = raw(server, path)
        assert status in (400, 403, 404), path
        assert b"root:" not in content and b"argparse" not in content and b"GRADIO_SERVER_PORT" not in content
    table.row("files outside the cache", len(paths), "400, 403 or 404")


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback that must not receive any request."""
    asked: list[str] = []

    class Trap(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(encoded(draw_face(seed=3)))

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Write nothing between the tests' own lines."""

    trap = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    threading.Thread(target=trap.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{trap.server_port}", asked
    trap.shutdown()


def test_no_url_in_a_request_is_fetched(server: Server, table: Table, canary: tuple[str, list[str]]):
    host, asked = canary
    port = host.partition(":")[2]
    hosts = [
        host,
        f"localhost:{port}",
        f"[::1]:{port}",
        f"2130706433:{port}",
        f"0x7f.1:{port}",
        f"me@{host}",
        "169.254.169.254",
    ]
    addresses = [f"http://{each}/a.png" for each in hosts] + [
        f"//{host}/a.png",
        f"HTTP://{host}/a",
        f"ftp://{host}/a",
    ]
    meta, tried = {"meta": {"_type": "gradio.FileData"}}, 0
    for address in addresses:
        stranger_again(server)
        both = {"path": "a", "url": address, **meta}
        shapes: list[object] = [both, {"url": both}, address]
        shapes += [{key: address, **more} for key in ("path", "url") for more in ({}, meta)]
        for photo in shapes:
            said = outcome(server.ask(photo))
            assert said.endswith(".") and port not in said, said
            tried += 1
        assert raw(server, f"{API}/file={address}")[0] in (400, 404)
        assert raw(server, f"{API}/proxy={address}")[0] in (400, 404)
        assert raw(server, f"/?deep_link={quote(address)}")[0] == 200
    assert asked == []
    table.row("addresses to fetch", tried + 3 * len(addresses), "nothing was fetched")


def test_the_rate_limit_affects_only_the_client_that_exceeds_it(server: Server, table: Table):
    photo, address = {"path": "x"}, f"92.1.{secrets.randbelow(250)}.9"
    url = server.url(f"{API}/call/find_lookalikes")

    def send(forwarded: str) -> object:
        return server.client.post(url, json={"data": [photo]}, headers={"x-forwarded-for": forwarded})

    statuses = [send(f"1.1.1.{number}, {address}").status_code for number in range(PER_MINUTE + 20)]
    assert statuses[:PER_MINUTE] == [200] * PER_MINUTE and 429 in statuses
    refused = send(address)
    assert re.fullmatch(r"Too many requests; wait \d+ seconds and try again\.", refused.json()["detail"])
    assert send("92.2.2.2").status_code == 200
    assert server.client.get(server.url("/"), headers={"x-forwarded-for": address}).status_code == 200
    table.row(
        "one visitor's requests",
        len(statuses),
        f"{statuses.count(200)} answered, {statuses.count(429)} told to wait",
    )


def test_an_endless_body_is_cut_off(server: Server, table: Table):
    for path, size in ((f"{API}/queue/join", 30_000_000), (f"{API}/upload", 45_000_000)):
        line = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=60)
        head = {"Content-Type": "multipart/form-data; boundary=x" if "upload" in path else "application/json"}
        part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        pieces = iter([part, *[b"1" * 1_000_000] * (size // 1_000_000)])
        try:
            line.request("POST", path, body=pieces, headers=head, encode_chunked=True)
            assert line.getresponse().status in (400, 413)
        except (ConnectionError, http.client.HTTPException):
            pass  # the server closed the connection, which is fine too
    deep = b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for body in (deep, b"{", b"\xff", b'{"data": {"a": NaN}}', b"null", b"[]"):
        answer = server.client.post(
            server.url(f"{API}/call/compare"), content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code in (400, 422) and len(answer.content) < 400_000
    table.row("bodies without end or sense", 8, "cut off, 400 or 422")


HOSTILE = [
    "<img src=x onerror=window.hacked=1>",
    "<script>window.hacked=1</script>",
    "{{window.hacked=1}} ${window.hacked=1}",
    "[me](javascript:window.hacked=1)",
    "</figcaption></div><iframe src='javascript:parent.hacked=1'>",
    "\"'><svg/onload=window.hacked=1>",
    "‮gnp.exe\u2066\u2069\u200f",
    "\0\x1b[31mred\r\nSet-Cookie: a=b\x07",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "http://127.0.0.1/a.png",
    "data:text/html,<script>window.hacked=1</script>",
    "A" * 10_000,
    "ﷺ" * 400,
    "Z̸̧͓̺" * 500,
]  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page with a gallery that contains only hostile names."""
    folder, whole = tmp_path_factory.mktemp("names"), Gallery.load()
    rows = [
        Row(name, whole.embeddings[place], origin=name, category=name[:50])
        for place, name in enumerate(HOSTILE)
    ]
    Gallery.of(rows, replace(whole.settings, standing=Standing())).save(folder / "gallery")
    with serving(folder / "server", "--gallery", str(folder / "gallery")) as server:
        yield server
        log = server.log.read_text()
        assert "Traceback" not in log and "hacked" not in log and "\x1b" not in log


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


def test_a_gallery_of_hostile_names_stays_text(hostile: Server, browser, table: Table):
    tab = browser.new_page()
    tab.set_default_timeout(120_000)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(hostile.address)
    tab.wait_for_selector("#photo input[type=file]", state="attached")
    tab.get_by_role("button", name="Options").click()
    number = tab.locator("#count input[type=number]")
    number.fill("20")
    number.blur()
    photo = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": encoded(draw_face(seed=3))}
    tab.locator("#photo input[type=file]").first.set_input_files(photo)
    tab.wait_for_function(f"document.querySelectorAll('#bars li').length == {len(HOSTILE)}")
    for place in range(len(HOSTILE)):
        tab.locator("#matches button.thumbnail-item").nth(place).click()
        tab.wait_for_timeout(400)
    tab.click("#draw")
    tab.wait_for_selector("#share img")
    assert tab.evaluate("window.hacked") is None
    assert (
        tab.evaluate(
            "document.querySelectorAll('iframe, #bars img, #bars script, [onerror], [onload]').length"
        )
        == 0
    )
    assert all(
        link.startswith("https://duckduckgo.com/?")
        for link in tab.eval_on_selector_all("#bars a", "all => all.map(a => a.href)")
    )
    assert max(len(text) for text in tab.locator("#bars .name").all_text_contents()) < 200
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.evaluate("window.innerWidth")
    assert all(url.startswith((hostile.address, "data:", "blob:")) for url in asked), asked
    table.row("names of a gallery, on the page", len(HOSTILE), "text, no request elsewhere")
    tab.close()


def test_hostile_names_are_plain_json_in_the_api(hostile: Server):
    answer = hostile.ask(data_url(encoded(draw_face(seed=3))), 20)
    _, report = json.loads(answer.rpartition("data: ")[2])
    assert len(report["faces"][0]["matches"]) == len(HOSTILE)
