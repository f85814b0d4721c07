"""The page: one photo in, the five nearest celebrities out, and the same for scripts."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from lookalike.faces import Face
from lookalike.images import MAX_BYTES
from lookalike.space.drawing import draw_faces, encode, picture_of
from lookalike.space.finders import Finders
from lookalike.space.handlers import COUNT, Handlers
from lookalike.space.photo import PhotoInput, PrivateBlocks
from lookalike.space.pictures import PictureGallery
from lookalike.space.report import MEANING
from lookalike.space.theme import CSS, page_theme

AT_ONCE = 2  # requests: a free Space has two cores, and one request decodes while another's networks run
WAITING = 40  # requests in the queue: at a third of a second each the last waits 7 seconds; more are refused
SESSIONS = 500  # that gradio remembers; each takes some 100 KB, without photos
DELETE_CACHE = (60, 60)  # seconds: how often, and from what age, shown pictures and lost uploads are deleted
LINGER = 3.0  # seconds that the browser has to fetch its preview of an upload before that is deleted

# Whatever runs the model waits in one line, whichever listener it came by.
MODEL_LINE: dict[str, Any] = {"concurrency_limit": AT_ONCE, "concurrency_id": "model"}

TITLE = "Celebrity look-alikes"
FOOTER = (
    "Similarity is not identification: these are the nearest among the names of this gallery, not a "
    "statement on who you are. Your photo is deleted as soon as it is read, and nothing of it is kept. "
    "To ask from your own code, see “Use via API” below."
)


def build_page(finders: Finders) -> gr.Blocks:
    """Return the page, ready to launch; see `launch_options`."""
    handlers = Handlers(finders)
    with PrivateBlocks(title=TITLE, delete_cache=DELETE_CACHE) as page:
        gr.Markdown(
            f"# {TITLE}\nWhich of {len(finders.served.gallery.names):,} famous faces is most like yours?",
            elem_id="title",
        )
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                photo, chooser, notice = _photo_side()
            with gr.Column(scale=6, min_width=300):
                intro = gr.Markdown(_intro(), elem_id="intro")
                with gr.Column(visible=False) as results:
                    matches, standing = _results_side()
        gr.Markdown(FOOTER, elem_id="footer")
        plain, seen = PhotoInput(visible=False), gr.State(None)
        photo.input(
            handlers.look,
            photo,
            [photo, plain, seen, chooser, notice, intro, results, matches, standing],
            api_visibility="private",
            show_progress_on=matches,
            trigger_mode="always_last",
            **MODEL_LINE,
        )
        chooser.input(
            handlers.choose,
            [plain, seen, chooser],
            [photo, matches, standing],
            api_visibility="private",
            **MODEL_LINE,
        )
        _endpoints(handlers, matches)
    page.queue(api_open=False, max_size=WAITING)
    return page


def launch_options(*, share: bool = False) -> dict[str, Any]:
    """Return what to launch the page with: its looks, and nothing that watches, keeps or shares photos."""
    return {
        "share": share,
        "theme": page_theme(),
        "css": CSS,
        "footer_links": ["api"],
        "run_history": False,
        "enable_monitoring": False,
        "mcp_server": False,
        "ssr_mode": False,
        "show_error": False,
        "max_file_size": MAX_BYTES,
        "state_session_capacity": SESSIONS,
    }


def warm_up(finders: Finders) -> None:
    """Run every step once, drawing too, so that the first visitor waits no longer than the tenth."""
    finders.served.warm_up()
    grey = np.full((480, 640, 3), 127, np.uint8)
    encode(draw_faces(grey, [Face((260, 150, 120, 180), np.zeros((5, 2), np.float32), 1.0)] * 2, 0))
    picture_of("Ada Lovelace", None)


def _photo_side() -> tuple[PhotoInput, gr.Radio, gr.Markdown]:
    photo = PhotoInput(
        label="Your photo",
        sources=["upload", "webcam", "clipboard"],
        placeholder="Drop a photo here\nor click to choose one",
        webcam_options=gr.WebcamOptions(mirror=False),  # a mirrored face is another face to a model
        buttons=[],
        height=420,
        elem_id="photo",
    )
    photo.linger = LINGER
    chooser = gr.Radio([], label="Several faces: whose look-alikes?", visible=False, elem_id="chooser")
    return photo, chooser, gr.Markdown(visible=False, elem_id="notice")


def _results_side() -> tuple[PictureGallery, gr.Markdown]:
    matches = PictureGallery(
        label="Look-alikes",
        show_label=False,
        columns=4,
        object_fit="cover",
        height="auto",
        buttons=[],
        interactive=False,
        elem_id="matches",
    )
    standing = gr.Markdown(elem_id="standing")
    gr.Markdown(MEANING, elem_id="meaning")
    return matches, standing


def _endpoints(handlers: Handlers, matches: PictureGallery) -> None:
    """Add the two endpoints for scripts; their arguments are components that the page does not show."""
    photo = PhotoInput(label="photo", visible=False)  # its own, for here an upload is deleted at once
    count, face = (gr.Number(value, precision=0, visible=False) for value in (COUNT, 0))
    model = gr.Textbox(None, visible=False)
    first, second = PhotoInput(visible=False), PhotoInput(visible=False)
    report, comparison = (gr.JSON(label=label, visible=False) for label in ("report", "comparison"))
    gr.on(
        [],
        handlers.find_lookalikes,
        [photo, count, face, model],
        [matches, report],
        api_name="find_lookalikes",
        api_description="Find the celebrities who look most like a face. Returns the pictures of count "
        "matches of face number face (0 is the largest), and a report on all faces of the photo.",
        **MODEL_LINE,
    )
    gr.on(
        [],
        handlers.compare,
        [first, second],
        comparison,
        api_name="compare",
        api_description="Compare the largest faces of two photos: similarity (0..100), cosine (-1..1), and "
        "whether they pass as one person.",
        **MODEL_LINE,
    )


def _intro() -> str:
    return (
        "### How it works\n"
        "1. Take a photo, drop one, or paste one.\n"
        "2. The face in it is turned into numbers and compared with those of every name in the gallery.\n"
        "3. The five nearest appear here, each with a percentage.\n\n"
        "A face from the front in good light works best."
    )
