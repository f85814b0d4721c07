"""What a link to the page looks like where it is posted, and the installable app."""

from __future__ import annotations

import html
import io
import re
from functools import partial

import httpx
import pytest
from PIL import Image

from lookalike.space.middleware.address import public_url
from lookalike.space.middleware.link_preview import with_preview
from lookalike.space.texts import LANGUAGES, table
from tests.support.server import PATIENCE

get = partial(httpx.get, **PATIENCE)


@pytest.mark.parametrize(
    ("scheme", "host", "root_path", "address"),
    [
        ("https", "someone.hf.space", "", "https://someone.hf.space"),
        (None, "127.0.0.1:7861", "", "http://127.0.0.1:7861"),
        ("https,http", "a b`<", "", "http://127.0.0.1:7860"),
        (None, None, "", "http://127.0.0.1:7860"),
        ("https", "example.com", "/stars", "https://example.com/stars"),
        (None, "10.0.0.1:7860", "https://example.com/stars/", "https://example.com/stars"),
    ],
)
def test_the_address_is_the_one_that_the_visitor_sees(scheme: str, host: str, root_path: str, address: str):
    assert public_url(scheme, host, root_path) == address


def tags(page: str) -> list[tuple[str, str]]:
    """Return the names and values of the tags that link previews read, in their order."""
    return re.findall(r'<meta\s+(?:property|name)="((?:og|twitter):[\w:]+)"\s+content="([^"]*)"', page)


def test_a_link_shows_our_own_title_description_and_picture(app_url: str):
    page = get(app_url, headers={"accept-language": "*"})
    found = dict(tags(page.text))
    assert len(found) == len(tags(page.text)), "gradio's own tags are still there"
    assert found["og:title"] == "Which celebrity do you look like?" == found["twitter:title"]
    assert found["og:url"] == f"{app_url}/"
    assert found["og:image"] == f"{app_url}/drawn/preview.jpg" == found["twitter:image"]
    picture = get(found["og:image"])
    assert (
        picture.headers["content-type"] == "image/jpeg" and "no-store" not in picture.headers["cache-control"]
    )
    assert Image.open(io.BytesIO(picture.content)).size == (1200, 630)
    assert (found["og:image:width"], found["og:image:height"]) == ("1200", "630")


def test_the_address_in_a_preview_is_the_one_that_the_visitor_sees_and_nothing_else(app_url: str):
    behind_proxy = {"host": "someone.hf.space", "x-forwarded-proto": "https"}
    found = dict(tags(get(app_url, headers=behind_proxy).text))
    assert found["og:image"] == "https://someone.hf.space/drawn/preview.jpg"
    hostile = get(app_url, headers={"host": 'evil.com/"><script>', "x-forwarded-proto": "javascript"})
    assert "evil" not in hostile.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_preview_is_in_the_language_of_the_address(language: str):
    page = with_preview(
        b"<html><head><script>1</script></head></html>", "https://a.hf.space", language
    ).decode()
    assert dict(tags(page))["og:description"] == html.escape(table(language)["preview_description"])
    assert page.index("<title>") < page.index("<script>")


def test_the_app_can_be_installed_and_has_an_icon_of_its_own(app_url: str):
    page = get(app_url).text
    assert 'rel="manifest" href="manifest.json"' in page and 'rel="icon" href="drawn/icon.png"' in page
    manifest = get(f"{app_url}/manifest.json").json()
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        size = Image.open(io.BytesIO(get(f"{app_url}{icon['src']}").content)).size
        assert f"{size[0]}x{size[1]}" == icon["sizes"]
    own = get(f"{app_url}/drawn/icon.png").content
    assert get(f"{app_url}/favicon.ico").content == own
    for path in ("/pwa_icon/30000", "/pwa_icon", "/drawn/", "/drawn/../texts/en.json", "/drawn/nobody.jpg"):
        assert get(f"{app_url}{path}").status_code == 404
    assert httpx.head(f"{app_url}/drawn/icon.png", **PATIENCE).headers["content-length"] == str(len(own))
