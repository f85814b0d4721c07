"""Draw docs/demo.gif and docs/page.png from a running page: python -m docs.make_demo [ADDRESS]

Start `python app.py` first. The face is one of the page's drawn ones, so the pictures show no real person.
Needs Chromium and Playwright (tests/requirements.txt).
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, Route, sync_playwright

DOCS = Path(__file__).parent
VIEW = {"width": 1180, "height": 1060}  # pixels; the five matches are visible without scrolling
GIF_WIDTH = 760  # pixels; text stays readable and the file stays under 1.5 MB
COLOURS = 160


def main(address: str = "http://127.0.0.1:7860") -> None:
    """Write both pictures."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEW)
        page.goto(address)
        page.wait_for_selector("#photo input[type=file]", state="attached")
        frames = film(page)
        page.set_viewport_size({**VIEW, "height": 900})
        page.screenshot(path=DOCS / "page.png", full_page=True)
        browser.close()
    save_gif(frames, DOCS / "demo.gif")


def film(page: Page) -> list[tuple[Image.Image, int]]:
    """Return pictures of one visit, each with the milliseconds for which it is shown."""
    held: list[Route] = []
    page.route(
        "**/queue/join*", lambda route: held.append(route)
    )  # the answer is too fast to be photographed otherwise
    page.wait_for_timeout(1000)
    frames = [(shot(page), 1500)]
    page.locator("button.example").first.click()
    page.wait_for_selector("#photo img")
    page.wait_for_timeout(500)
    frames.append((shot(page), 1200))
    page.unroute("**/queue/join*")  # lets the held requests go
    page.wait_for_selector("#duel .pair img")
    page.wait_for_timeout(1500)
    frames.append((shot(page), 3500))
    page.locator("#matches button.thumbnail-item").nth(1).click()
    page.wait_for_timeout(1500)
    frames.append((shot(page), 2000))
    page.click("#ask")
    page.wait_for_selector("#why strong")
    page.wait_for_timeout(800)
    return [*frames, (shot(page), 4000)]


def shot(page: Page) -> Image.Image:
    """Return what the browser shows, RGB, GIF_WIDTH pixels wide."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return picture.resize(
        (GIF_WIDTH, round(picture.height * GIF_WIDTH / picture.width)), Image.Resampling.LANCZOS
    )


def save_gif(frames: list[tuple[Image.Image, int]], path: Path) -> None:
    """Write an animation that repeats without end."""
    pictures = [picture.quantize(COLOURS, dither=Image.Dither.NONE) for picture, _ in frames]
    durations = [duration for _, duration in frames]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
    )


if __name__ == "__main__":
    main(*sys.argv[1:2])
