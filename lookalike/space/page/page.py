"""The page: one photo in, the five nearest celebrities out, and the same for scripts."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from starlette.middleware import Middleware

from lookalike.faces.face import Face
from lookalike.images import MAX_BYTES
from lookalike.space.api.endpoints import COUNT, Handlers
from lookalike.space.api.report import LINGER, MEANING
from lookalike.space.drawing.cards import draw_faces, encode, picture_of
from lookalike.space.drawing.fonts import shown_name
from lookalike.space.drawing.html import Sheet
from lookalike.space.finders import Finders
from lookalike.space.middleware.cleanup import AGE, OFTEN, Answers, upkeep
from lookalike.space.middleware.middleware import Door
from lookalike.space.middleware.rate_limit import Visitors
from lookalike.space.page.callbacks import ALL, MOST, Visit
from lookalike.space.page.header import TITLE, Greeting, title_of
from lookalike.space.page.photo import PLACEHOLDER, PhotoInput, PrivateBlocks
from lookalike.space.page.pictures import PictureGallery
from lookalike.space.page.tabs import STOP_CAMERA, about_tab, compare_tab, live_tab, scripts_tab
from lookalike.space.page.theme import CSS, page_theme

AT_ONCE = 2  # requests: a free Space has two cores, and one request decodes while another's networks run
WAITING = 40  # requests in the queue: at a third of a second each the last waits 7 seconds; more are refused
SESSIONS = 500  # that gradio remembers; each takes some 100 KB, without photos
SEEN_SECONDS = (
    1800  # that the page remembers where a photo's faces were; then the photo has to be chosen again
)
DELETE_CACHE = (int(OFTEN), int(AGE))  # gradio deletes the files that it knows of, `upkeep` the others

# Whatever runs the model waits in one line, whichever listener it came by.
MODEL_LINE: dict[str, Any] = {"concurrency_limit": AT_ONCE, "concurrency_id": "model"}

# On a phone the answer stands below the photo: scroll no further than it takes to see it whole.
SHOW_RESULT = """() => setTimeout(() => document.querySelector('#duel')?.scrollIntoView({block: 'nearest',
  behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'}), 150)"""

FOOTER = (
    "Similarity is not identification: these are the nearest among the names of this gallery, not a "
    "statement on who you are. Your photo is deleted as soon as it is read, and nothing of it is kept. "
    "“About” says how it works; “Scripts”, how to ask from your own code."
)


def build_page(finders: Finders) -> gr.Blocks:
    """Return the page, ready to launch; see `launch_options`."""
    with PrivateBlocks(title=TITLE, delete_cache=DELETE_CACHE) as page:
        title = gr.Markdown(title_of(finders), elem_id="title")
        fallback = gr.Markdown(finders.notice, visible=bool(finders.notice), elem_id="fallback")
        with gr.Tabs() as tabs:
            with gr.Tab("Find"):
                _endpoints(finders, _find_tab(finders))
            with gr.Tab("Live"):
                live_tab(finders)
            with gr.Tab("Compare"):
                compare_tab(finders, MODEL_LINE)
            with gr.Tab("About"):
                account = about_tab(finders)
            with gr.Tab("Scripts"):
                scripts_tab(finders, page)
        gr.Markdown(FOOTER, elem_id="footer")
        tabs.change(js=STOP_CAMERA, api_visibility="private")
        greeted = [title, fallback, account]
        page.load(Greeting(finders).greet, None, greeted, api_visibility="private")
    page.queue(api_open=False, max_size=WAITING)
    page._queue.pending_messages_per_session = Answers()
    return page


def _find_tab(finders: Finders) -> PictureGallery:
    """Add the photo and its answer; return the gallery of matches."""
    visit = Visit(finders, TITLE)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300):
            photo, chooser, notice = _photo_side()
            options = _options(finders)
        with gr.Column(scale=6, min_width=300):
            intro = gr.Markdown(_intro(), elem_id="intro")
            with gr.Column(visible=False) as results:
                parts = _results_side()
    plain, place = PhotoInput(visible=False), gr.State(0)
    seen = gr.State(None, time_to_live=SEEN_SECONDS)
    shown = [parts.duel, parts.matches, parts.bars, parts.beside, parts.standing]
    shown += [place, parts.why, parts.share]
    chosen = [plain, seen, chooser, place]
    everything = [photo, plain, seen, chooser, notice, intro, results, *shown]
    private = {"api_visibility": "private", **MODEL_LINE}
    looked = photo.input(
        visit.look,
        [photo, *options],
        everything,
        show_progress_on=parts.matches,
        trigger_mode="always_last",
        **private,
    )
    looked.success(js=SHOW_RESULT, api_visibility="private")
    changed = [getattr(option, "release", option.input) for option in options]
    gr.on(changed, visit.again, [plain, *options], everything, show_progress_on=parts.matches, **private)
    chooser.input(visit.choose, chosen[:3], [photo, *shown], **private)
    parts.matches.select(visit.pick, chosen[:3], [parts.duel, place, parts.why, parts.share], **private)
    parts.ask.click(visit.why, chosen, parts.why, **private)
    drawn = parts.draw.click(visit.share, chosen, parts.share, **private)
    drawn.success(js="() => document.querySelector('#share-link')?.click()", api_visibility="private")
    return parts.matches


def launch_options(*, share: bool = False, mcp: bool = False, per_minute: int = 0) -> dict[str, Any]:
    """Return what to launch the page with: its looks, and nothing that watches, keeps or shares photos.

    `per_minute` is how many requests a visitor may make in a minute; 0 is no limit.
    """
    door = Middleware(Door, visitors=Visitors(per_minute), mcp=mcp)
    return {
        "share": share,
        "theme": page_theme(),
        "css": CSS,
        "footer_links": ["api"],
        "run_history": False,
        "enable_monitoring": False,
        "mcp_server": mcp,
        "ssr_mode": False,
        "show_error": False,
        "max_file_size": MAX_BYTES,
        "state_session_capacity": SESSIONS,
        "app_kwargs": {"middleware": [door], "lifespan": upkeep},
    }


def warm_up_drawing() -> None:
    """Draw once what an answer shows, so that the first visitor waits no longer than the tenth."""
    grey = np.full((480, 640, 3), 127, np.uint8)
    encode(draw_faces(grey, [Face((260, 150, 120, 180), np.zeros((5, 2), np.float32), 1.0)] * 2, 0))
    picture_of("Ada Lovelace", None)
    PhotoInput.decoders.read(encode(grey))


def _photo_side() -> tuple[PhotoInput, gr.Radio, gr.Markdown]:
    photo = PhotoInput(
        label="Your photo",
        sources=["upload", "webcam", "clipboard"],
        placeholder=PLACEHOLDER,
        webcam_options=gr.WebcamOptions(mirror=False),  # a mirrored face is another face to a model
        buttons=[],
        height=420,
        elem_id="photo",
    )
    photo.linger = LINGER
    chooser = gr.Radio([], label="Several faces: whose look-alikes?", visible=False, elem_id="chooser")
    return photo, chooser, gr.Markdown(visible=False, elem_id="notice")


def _options(finders: Finders) -> list[Any]:
    """Add how many matches, and where there is a choice, which model and which category."""
    categories = finders.served.gallery.categories
    names = [("Everybody", ""), *((shown_name(name), name) for name in categories)]
    with gr.Accordion("Options", open=False):
        count = gr.Slider(1, MOST, COUNT, step=1, label="Matches", elem_id="count")
        models = [*((shown_name(name), name) for name in finders.models), ("All, side by side", ALL)]
        several = len(finders.models) > 1
        model = gr.Dropdown(models, value=models[0][1], label="Model", visible=several, elem_id="model")
        category = gr.Dropdown(names, value="", label="Among", visible=bool(categories))
    return [count, model, category]


class Parts(NamedTuple):
    """The components of an answer."""

    duel: Sheet
    matches: PictureGallery
    bars: gr.HTML
    beside: gr.HTML
    standing: gr.Markdown
    ask: gr.Button
    draw: gr.Button
    why: Sheet
    share: Sheet


def _results_side() -> Parts:
    duel = Sheet(elem_id="duel")
    standing = gr.Markdown(elem_id="standing")
    with gr.Row():
        ask = gr.Button("Why?", elem_id="ask", min_width=120)
        draw = gr.Button("Picture to share", elem_id="draw", min_width=120)
    why, share = Sheet(visible=False, elem_id="why"), Sheet(visible=False, elem_id="share")
    matches = PictureGallery(
        label="Look-alikes",
        show_label=False,
        columns=5,
        object_fit="cover",
        height="auto",
        buttons=[],
        interactive=False,
        allow_preview=False,
        elem_id="matches",
    )
    bars, beside = gr.HTML(elem_id="bars"), gr.HTML(visible=False, elem_id="beside")
    gr.Markdown(MEANING, elem_id="meaning")
    return Parts(duel, matches, bars, beside, standing, ask, draw, why, share)


def _endpoints(finders: Finders, matches: PictureGallery) -> None:
    """Add the two endpoints for scripts; their arguments are components that the page does not show.

    A category can be asked for only where the gallery has some.
    """
    handlers, categories = Handlers(finders), finders.served.gallery.categories
    photo = PhotoInput(label="photo", visible=False)  # its own, for here an upload is deleted at once
    count, face = (gr.Number(value, precision=0, visible=False) for value in (COUNT, 0))
    model = gr.Textbox(None, visible=False)
    among = [gr.Textbox(None, visible=False)] if categories else []
    first, second = PhotoInput(visible=False), PhotoInput(visible=False)
    report, comparison = (gr.JSON(label=label, visible=False) for label in ("report", "comparison"))
    gr.on(
        [],
        handlers.find_lookalikes,
        [photo, count, face, model, *among],
        [matches, report],
        api_name="find_lookalikes",
        api_description="Find the celebrities who look most like a face. Returns the pictures of count "
        "matches of face number face (0 is the largest), and a report on all faces of the photo."
        f"{' The argument category takes names of one category alone.' if categories else ''}",
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
        "## How it works\n"
        "1. Take a photo, drop one, or paste one.\n"
        "2. The face in it is turned into numbers and compared with those of every name in the gallery.\n"
        "3. The five nearest appear here, each with a percentage.\n\n"
        "A face from the front in good light works best."
    )
