"""The tabs beside the first: live, compare, about, and scripts."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lookalike.errors import NoFaceError
from lookalike.finder import Lookalikes
from lookalike.images import RGB
from lookalike.space.api import report
from lookalike.space.api.endpoints import sentences
from lookalike.space.drawing import html as sheets
from lookalike.space.drawing.cards import encode, shrink
from lookalike.space.drawing.html import Sheet
from lookalike.space.drawing.own_face import portrait
from lookalike.space.finders import Finders
from lookalike.space.page import about
from lookalike.space.page.live import Live, nobody
from lookalike.space.page.photo import PLACEHOLDER, PhotoInput

STREAMS = 2  # cameras at a time: each takes a tenth of a core at ten frames a second, and has its own line
FRAME_SECONDS = 0.1  # between frames; half of what a visitor sees as jerky
STREAM_SECONDS = 600  # of work after which a camera is asked to start again, so that nobody holds a place
TRACK_SECONDS = 60  # after the last frame, that the embeddings' running mean is remembered
# Gradio's camera goes on behind another tab; its button has a square on it while it does.
STOP_CAMERA = "() => document.querySelector('#camera .feather-square')?.closest('button').click()"
START = "Start the camera and press Record: every frame is compared and forgotten, nothing is recorded."
NEEDS_TWO = "Choose two photos; the largest face of each is compared."


def live_tab(finders: Finders) -> None:
    """Add the camera and what stands beside it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300):
            camera = PhotoInput(
                label="Camera",
                sources=["webcam"],
                streaming=True,
                webcam_options=gr.WebcamOptions(mirror=False),
                buttons=[],
                height=420,
                elem_id="camera",
            )
        with gr.Column(scale=6, min_width=300):
            picture = Sheet("", elem_id="live-picture")
            best = Sheet(sheets.live((), START), elem_id="live")
    track = gr.State(None, time_to_live=TRACK_SECONDS)
    camera.stream(
        Live(finders).frame,
        [camera, track],
        [picture, best, track],
        stream_every=FRAME_SECONDS,
        time_limit=STREAM_SECONDS,
        concurrency_limit=STREAMS,
        concurrency_id="live",
        show_progress="hidden",
        api_visibility="private",
    )
    camera.clear(lambda: (*nobody(), None), None, [picture, best, track], api_visibility="private")


def compare_tab(finders: Finders, line: dict[str, Any]) -> None:
    """Add two photos and how alike they are."""
    with gr.Row():
        first, second = (_photo(label) for label in ("First photo", "Second photo"))
    result = Sheet(f'<p class="words">{NEEDS_TWO}</p>', elem_id="compared")
    gr.on(
        [first.input, second.input],
        Compare(finders).look,
        [first, second],
        [first, second, result],
        api_visibility="private",
        trigger_mode="always_last",
        **line,
    )


def about_tab(finders: Finders) -> gr.Markdown:
    """Add the page's account of itself, which is returned, and the cards."""
    account = gr.Markdown(about.about(finders), elem_id="about")
    for title, card in (
        ("The model's card", about.model_card()),
        ("The bundled gallery's card", about.gallery_card()),
    ):
        if card:
            with gr.Accordion(title, open=False):
                gr.Markdown(card)
    return account


def scripts_tab(finders: Finders, page: gr.Blocks) -> None:
    """Add the calls that scripts make, with the address under which a visitor sees the page."""

    def calls_here(request: gr.Request) -> str:
        scheme, host = (request.headers.get(name) for name in ("x-forwarded-proto", "host"))
        address = about.public_address(scheme, host)
        return about.calls(address, finders.models, finders.served.gallery.categories)

    written = gr.Markdown(elem_id="calls")
    page.load(calls_here, None, written, api_visibility="private")


class Compare:
    """The listener of the comparison."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @sentences
    def look(self, first: RGB | None, second: RGB | None) -> tuple[RGB | None, RGB | None, str]:
        """Return both photos, for the browser to keep, and how alike they are, or what is missing."""
        shown = tuple(None if photo is None else shrink(photo) for photo in (first, second))
        return shown[0], shown[1], self._verdict(first, second)

    def _verdict(self, first: RGB | None, second: RGB | None) -> str:
        if first is None or second is None:
            return f'<p class="words">{NEEDS_TWO}</p>'
        finder = self.finders.served
        try:
            result = finder.compare(first, second)
        except NoFaceError as error:
            return f'<p class="words">{sheets.escaped(str(error))}</p>'
        own, other = (encode(_face(finder, photo)) for photo in (first, second))
        return sheets.compared(own, other, result)


def _face(finder: Lookalikes, photo: RGB) -> RGB:
    return portrait(photo, finder.detector.detect(photo)[0], width=photo.shape[1])


def _photo(label: str) -> PhotoInput:
    photo = PhotoInput(
        label=label,
        sources=["upload", "webcam", "clipboard"],
        placeholder=PLACEHOLDER,
        webcam_options=gr.WebcamOptions(mirror=False),
        buttons=[],
        height=300,
        min_width=280,
    )
    photo.linger = report.LINGER
    return photo
