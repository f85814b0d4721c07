"""The page: its tabs, the endpoints for scripts, and the options to launch it with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from lookalike.faces.face import Face
from lookalike.images import MAX_BYTES
from lookalike.space.api.endpoints import add_endpoints
from lookalike.space.components import ACCEPT_UNTYPED_FILES, PhotoInput
from lookalike.space.drawing.cards import draw_faces, encode, picture_of
from lookalike.space.finders import Finders
from lookalike.space.gradio_internals import PrivateBlocks, check_gradio
from lookalike.space.labels import label, translations
from lookalike.space.middleware.cleanup import CLEANUP_SECONDS, MAX_FILE_AGE, run_cleanup
from lookalike.space.middleware.pictures import DRAWN
from lookalike.space.middleware.stack import middleware
from lookalike.space.page import about
from lookalike.space.page.build_notice import BuildNotice
from lookalike.space.page.camera import SHOW_CAMERA, STOP_CAMERA, WATCH_CAMERA
from lookalike.space.page.examples import example_values
from lookalike.space.page.find_tab import add_find_tab, option_values
from lookalike.space.page.header import add_header, header_values
from lookalike.space.page.language import add_language_choice
from lookalike.space.page.live_tab import add_live_tab
from lookalike.space.page.private_mode import add_private_switch
from lookalike.space.page.tabs import add_about_tab, add_compare_tab, add_scripts_tab
from lookalike.space.page.theme import CSS, page_theme
from lookalike.space.private_files import PrivateFiles
from lookalike.space.texts import table

CONCURRENT_REQUESTS = 2  # a free Space has two cores; one request decodes while another runs its networks
QUEUE_LENGTH = 40  # requests: at a third of a second each, the last one waits 7 seconds; more are refused
MAX_SESSIONS = 500  # that gradio remembers; each takes some 100 KB, without photos
DELETE_CACHE = (int(CLEANUP_SECONDS), int(MAX_FILE_AGE))  # for the files that gradio knows of

# All events that run a model share one queue.
MODEL_QUEUE: dict[str, Any] = {"concurrency_limit": CONCURRENT_REQUESTS, "concurrency_id": "model"}


def build_page(finders: Finders) -> PrivateBlocks:
    """Return the page, ready to launch with `launch_options`; raise VersionError if gradio does not fit."""
    check_gradio()
    with PrivateBlocks(title=table("en")["title"], delete_cache=DELETE_CACHE) as page:
        header, notice = add_header(finders.current), BuildNotice(finders)
        if finders.private is not None:
            add_private_switch()
        with gr.Tabs():
            with gr.Tab(label("tab_find")) as find:
                find_tab = add_find_tab(finders, MODEL_QUEUE)
                add_endpoints(finders, find_tab.matches, MODEL_QUEUE)
            with gr.Tab(label("tab_live")):
                camera = add_live_tab(finders)
            with gr.Tab(label("tab_compare")) as compare:
                add_compare_tab(finders, MODEL_QUEUE)
            with gr.Tab(label("tab_about")) as about_tab:
                account = add_about_tab(finders.current)
            with gr.Tab(label("tab_scripts")) as scripts:
                add_scripts_tab(finders, page)
        gr.Markdown(label("page_footer"), elem_id="footer")
        add_language_choice(page)
        others = [tab.select for tab in (find, compare, about_tab, scripts)]
        left = gr.on(others, None, None, camera, js=STOP_CAMERA, api_visibility="private")
        left.then(None, None, camera, js=SHOW_CAMERA, api_visibility="private")
        _follow_gallery(page, finders, [*header, *find_tab.choices, account, find_tab.examples], notice)
    return page.queue(api_open=False, max_size=QUEUE_LENGTH)


def _follow_gallery(page: gr.Blocks, finders: Finders, components: list[Any], notice: BuildNotice) -> None:
    """Whenever a visitor opens the page, take its texts and options from the gallery that is served then."""

    def properties() -> list[dict[str, Any]]:
        gallery = finders.current
        texts = [{"value": about.about(gallery)}, example_values(finders)]
        return [*header_values(gallery), *option_values(gallery), *texts]

    def load_page() -> list[Any]:
        return [gr.update(**values) for values in properties()]

    page.load(load_page, None, components, api_visibility="private")
    notice.follow(page, components, properties)


def launch_options(
    *, share: bool = False, mcp: bool = False, per_minute: int = 0, private: PrivateFiles | None = None
) -> dict[str, Any]:
    """Return the options of `launch`, with monitoring, storing and sharing of photos off.

    `per_minute` is the number of requests that one visitor may make in a minute; 0 is no limit. `private` are
    the files of the static site, for the switch of `build_page`.
    """
    return {
        "share": share,
        "i18n": translations(),
        "theme": page_theme(),
        "css": CSS + "".join(_files(".css")),
        "head": ACCEPT_UNTYPED_FILES + WATCH_CAMERA + _scripts(),
        "footer_links": ["api"],
        "favicon_path": str(DRAWN / "icon.png"),
        "pwa": True,
        "run_history": False,
        "enable_monitoring": False,
        "mcp_server": mcp,
        "ssr_mode": False,
        "show_error": False,
        "max_file_size": MAX_BYTES,
        "state_session_capacity": MAX_SESSIONS,
        "app_kwargs": {
            "middleware": middleware(per_minute=per_minute, mcp=mcp, private=private),
            "lifespan": run_cleanup,
        },
    }


def _files(ending: str) -> list[str]:
    """Return the text of each file in this folder that ends so."""
    return [file.read_text("utf-8") for file in sorted(Path(__file__).parent.glob(f"*{ending}"))]


def _scripts() -> str:
    return "".join(f"<script>{script}</script>" for script in _files(".js"))


def warm_up_drawing() -> None:
    """Draw everything once, so that the first visitor does not wait longer than the others."""
    grey = np.full((480, 640, 3), 127, np.uint8)
    encode(draw_faces(grey, [Face((260, 150, 120, 180), np.zeros((5, 2), np.float32), 1.0)] * 2, 0))
    picture_of("Ada Lovelace", None)
    PhotoInput.decoders.read(encode(grey))
