"""The page behind a proxy, and on a machine whose requests go through one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file

import app
from lookalike.space.middleware.shutdown import wait_until
from tests.support.commands import drawn
from tests.support.server import API, PATIENCE, Server, serving

NOWHERE = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page for the prefix /stars, started where every request would go through a proxy that is down."""
    proxies = {name: NOWHERE for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy")}
    unset = {"NO_PROXY": "", "no_proxy": ""}
    folder = tmp_path_factory.mktemp("proxies") / "page"
    with serving(folder, GRADIO_ROOT_PATH="/stars", **proxies, **unset) as running:
        yield running


def test_the_page_starts_where_requests_go_through_a_proxy(server: Server):
    wait_until(lambda: "The page is at http" in server.log.read_text(), seconds=60)
    assert "The page is at http" in server.log.read_text()


@pytest.mark.parametrize(
    "prefix", ["", "/stars"], ids=["proxy that strips the prefix", "proxy that keeps it"]
)
def test_the_page_answers_behind_a(server: Server, prefix: str):
    page = httpx.get(server.url(f"{prefix}/"), **PATIENCE)
    assert page.status_code == 200
    config = httpx.get(server.url(f"{prefix}/config"), **PATIENCE).json()
    assert config["root"].endswith("/stars")
    for path in ("/theme.css", f"{API}/info", "/static/img/logo.svg"):
        assert httpx.get(server.url(f"{prefix}{path}"), **PATIENCE).status_code == 200, path
    assert httpx.get(server.url(f"{prefix}{API}/monitoring"), **PATIENCE).status_code == 404
    assert httpx.get(server.url("/starsign/config"), **PATIENCE).status_code == 404


def test_gradios_client_gets_an_answer_under_the_prefix(server: Server, tmp_path: Path):
    (tmp_path / "me.jpg").write_bytes(drawn(3))
    client = Client(server.url("/stars"), verbose=False, httpx_kwargs=PATIENCE)
    _, report = client.predict(photo=handle_file(tmp_path / "me.jpg"), api_name="/find_lookalikes")
    assert len(report["faces"][0]["matches"]) == 5


def test_the_tab_for_scripts_prints_the_address_with_the_prefix(server: Server):
    answer = server.join(server.listener("api_guide"), [], "a1b2c3d4e5f6")
    assert f'Client(\\"{server.address}/stars\\")' in answer


def test_hosts_that_are_exempt_from_the_proxy_stay_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_PROXY", "hub.example, 127.0.0.1")
    monkeypatch.setenv("no_proxy", "other.example")
    monkeypatch.setenv("GRADIO_SERVER_NAME", "10.0.0.5")
    app.bypass_proxies()
    expected = "hub.example,127.0.0.1,other.example,localhost,::1,10.0.0.5"
    assert {name: app.os.environ[name] for name in ("NO_PROXY", "no_proxy")} == dict.fromkeys(
        ("NO_PROXY", "no_proxy"), expected
    )
