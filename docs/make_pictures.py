"""Draw the people, the icon and the link preview of the page: python -m docs.make_pictures

Writes lookalike/space/drawn/ from person.svg and icon.svg. The people are made up. Needs Chromium and
Playwright (tests/requirements.txt).
"""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path
from string import Template

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from lookalike.space.gradio_internals import font_file
from lookalike.space.texts import table

DOCS = Path(__file__).parent
FOLDER = DOCS.parent / "lookalike" / "space" / "drawn"
PERSON_SIDE, ICON_SIDE = 400, 512  # pixels
PREVIEW_SIZE = (1200, 630)  # pixels that link previews ask for
QUALITY = 86  # of JPEGs; a person has 13 KB
ICON_COLOURS = 64

# The hair behind the head and before it, as SVG paths
LONG = (
    "M92 190C80 70 150 36 204 38 268 38 322 80 310 190 318 260 330 310 318 372L84 372C70 310 86 250 92 190Z",
    "M104 214C98 130 128 92 214 74 262 84 300 120 298 214 292 172 284 138 246 116 206 138 126 138 116 176Z",
)
BOB = (
    "M92 196C84 82 146 40 202 40 262 40 318 84 308 196 312 240 312 268 296 286 250 300 150 300 104 286Z",
    "M104 232C96 150 108 96 200 70 292 96 304 150 296 232 292 190 290 160 278 140 236 142 164 142 122 140Z",
)
SHORT = (
    "M104 190C92 84 150 46 202 46 256 46 310 88 296 190 292 170 288 160 284 150L116 150Z",
    "M108 176C104 112 140 76 202 74 262 76 296 112 292 176 286 150 280 128 262 118 224 126 176 126 138 118Z",
)
PARTS = (
    "skin",
    "shade",
    "light",
    "lips",
    "hair",
    "hair_light",
    "brows",
    "iris",
    "shirt",
    "wall",
    "wall_edge",
)
PEOPLE = {
    "one": (
        "#e8b48f #c98d68 #f6cfb0 #b9555a #3b2318 #6a4330 #3b2318 #5b3a22 #0f766e #f3d9c4 #e7b99a",
        LONG,
        4.5,
    ),
    "two": (
        "#8d5a3b #6b4028 #aa7450 #8b4540 #17110f #33261f #17110f #3a2415 #f0b429 #bfe3dd #7cc4ba",
        SHORT,
        7,
    ),
    "three": (
        "#f3c9ab #d9a184 #ffe0c8 #c4606a #c8553d #e48a5e #9a4a33 #4c7a6a #33408f #d5d9f5 #a7aee6",
        BOB,
        4.5,
    ),
}
PREVIEW = Template("""<style>
@font-face { font-family: own; src: url(data:font/woff2;base64,$font); font-weight: 400 }
@font-face { font-family: own; src: url(data:font/woff2;base64,$bold); font-weight: 700 }
body { background: #f8f7f4; color: #1f2328; font-family: own, sans-serif; height: 630px;
  display: grid; place-content: center; text-align: center; gap: 30px }
div { display: flex; align-items: center; justify-content: center; gap: 34px }
img { width: 300px; border-radius: 40px }
b { font-size: 96px; color: #0f766e }
h1 { font-size: 62px; margin: 0 }
p { font-size: 32px; color: #565c64; margin: -14px 0 0 }
</style>
<div><img src="data:image/jpeg;base64,$first"><b>71 %</b><img src="data:image/jpeg;base64,$second"></div>
<h1>$question</h1><p>$line</p>""")


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in PEOPLE:
            save(shot(browser, person(name), (PERSON_SIDE, PERSON_SIDE)), name)
        icon = shot(browser, (DOCS / "icon.svg").read_text("utf-8"), (ICON_SIDE, ICON_SIDE))
        icon.quantize(ICON_COLOURS).save(FOLDER / "icon.png", optimize=True)
        words = {"question": table("en")["title_question"], "line": table("en")["preview_description"]}
        fonts = {"font": embedded(font_file(bold=False)), "bold": embedded(font_file(bold=True))}
        faces = {"first": embedded(FOLDER / "one.jpg"), "second": embedded(FOLDER / "three.jpg")}
        sheet = PREVIEW.substitute(**words, **fonts, **faces)
        save(shot(browser, sheet, PREVIEW_SIZE), "preview")
        browser.close()


def person(name: str) -> str:
    """Return the head and shoulders of one of PEOPLE as SVG, PERSON_SIDE pixels wide."""
    colours, (behind, before), brow = PEOPLE[name]
    parts = dict(zip(PARTS, colours.split(), strict=True))
    drawing = Template((DOCS / "person.svg").read_text("utf-8"))
    return drawing.substitute(parts, behind=behind, before=before, brow=brow)


def shot(browser: Browser, content: str, size: tuple[int, int]) -> Image.Image:
    """Return what the browser shows for HTML, RGB."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_content(f"<style>body {{ margin: 0 }}</style>{content}")
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.close()
    return picture


def save(picture: Image.Image, name: str) -> None:
    """Write a JPEG into FOLDER."""
    picture.save(FOLDER / f"{name}.jpg", quality=QUALITY, optimize=True)


def embedded(file: Path) -> str:
    """Return a file's bytes for a data: URL."""
    return base64.b64encode(file.read_bytes()).decode()


if __name__ == "__main__":
    main()
