"""The tabs after the first: Live, Compare, About and API."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from lookalike.errors import LookalikeError
from lookalike.finder import Lookalikes
from lookalike.images import RGB
from lookalike.space.components import BadPhoto, FaceHTML, PagePhoto, PhotoInput
from lookalike.space.drawing import html
from lookalike.space.drawing.cards import encode, shrink
from lookalike.space.drawing.own_face import portrait
from lookalike.space.finders import Finders, ServedGallery
from lookalike.space.labels import label
from lookalike.space.messages import as_sentence
from lookalike.space.page import about
from lookalike.space.page import api_guide as guides
from lookalike.space.page.live import LiveCallbacks, no_face
from lookalike.space.texts import text

STREAMS = 2  # cameras at a time, in a queue of their own; each takes a tenth of a core at ten frames a second
FRAME_SECONDS = 0.1  # between frames; at twice that the picture looks jerky
STREAM_SECONDS = 600  # of computing; then the camera must be started again, so that nobody keeps a place
TRACK_SECONDS = 60  # after the last frame, that the running mean is remembered


def add_live_tab(finders: Finders) -> PhotoInput:
    """Add the camera, which is returned, and the picture and text beside it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300):
            camera = PhotoInput(
                label=label("label_camera"),
                sources=["webcam"],
                streaming=True,
                webcam_options=gr.WebcamOptions(mirror=False),
                buttons=[],
                height=420,
                elem_id="camera",
                elem_classes="takes-photos",
            )
        with gr.Column(scale=6, min_width=300):
            picture = FaceHTML("", elem_id="live-picture")
            best = FaceHTML(static_sentence("page_live_start"), elem_id="live")
    track = gr.State(None, time_to_live=TRACK_SECONDS)
    camera.stream(
        LiveCallbacks(finders).frame,
        [camera, track],
        [picture, best, track],
        stream_every=FRAME_SECONDS,
        time_limit=STREAM_SECONDS,
        concurrency_limit=STREAMS,
        concurrency_id="live",
        show_progress="hidden",
        api_visibility="private",
    )
    camera.clear(lambda: (*no_face(), None), None, [picture, best, track], api_visibility="private")
    return camera


def add_compare_tab(finders: Finders, queue: dict[str, Any]) -> None:
    """Add two photos and their similarity; `queue` holds the options of the queue for requests to a model."""
    with gr.Row():
        first, second = (_photo_input(label) for label in ("label_first_photo", "label_second_photo"))
    result = FaceHTML(static_sentence("page_needs_two"), elem_id="compared")
    gr.on(
        [first.input, second.input],
        CompareCallbacks(finders).compare_photos,
        [first, second],
        [first, second, result],
        api_visibility="private",
        trigger_mode="always_last",
        **queue,
    )


def add_about_tab(gallery: ServedGallery) -> gr.Markdown:
    """Add the cards, and the text about the page, which is returned."""
    account = gr.Markdown(about.about(gallery), elem_id="about")
    cards = {"label_model_card": about.model_card(), "label_gallery_card": about.gallery_card()}
    for key, card in cards.items():
        if card:
            with gr.Accordion(label(key), open=False):
                gr.Markdown(card, elem_classes="english")
    return account


def add_scripts_tab(finders: Finders, page: gr.Blocks) -> None:
    """Add the API guide, with the address under which the visitor sees the page."""

    def api_guide(request: gr.Request) -> str:
        scheme, host = (request.headers.get(name) for name in ("x-forwarded-proto", "host"))
        return guides.api_guide(guides.public_url(scheme, host, page.root_path), finders.current)

    guide = gr.Markdown(elem_id="calls", elem_classes="english")
    page.load(api_guide, None, guide, api_visibility="private")


class CompareCallbacks:
    """The callback of the Compare tab, with what is served."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    def compare_photos(
        self, first: RGB | BadPhoto | None, second: RGB | BadPhoto | None
    ) -> tuple[object, object, str]:
        """Return both photos, which the browser keeps, and their similarity or what is wrong, as HTML.

        A photo that cannot be read is taken away; the other stays. Where there is none nothing changes,
        so that the answer to one photo cannot undo the choice of the other made meanwhile.
        """
        good = [photo if isinstance(photo, np.ndarray) else None for photo in (first, second)]
        try:
            words = _unreadable(first, second) or self._result(*good)
        except (LookalikeError, MemoryError) as error:
            words = html.sentence(as_sentence(error))
        return _kept(first), _kept(second), words

    def _result(self, first: RGB | None, second: RGB | None) -> str:
        if first is None or second is None:
            return html.sentence(text("page_needs_two"))
        finder = self.finders.served
        result = finder.compare(first, second)
        one, other = (encode(_largest_face(finder, photo)) for photo in (first, second))
        return html.comparison(one, other, result)


def _kept(photo: RGB | BadPhoto | None) -> object:
    if photo is None:
        return gr.skip()
    return None if isinstance(photo, BadPhoto) else shrink(photo)


def _unreadable(first: object, second: object) -> str:
    """Return why photos cannot be read, as HTML; "" if all can."""
    photos = {"compare_in_first": first, "compare_in_second": second}
    sentences = [text(key, sentence=it.sentence) for key, it in photos.items() if isinstance(it, BadPhoto)]
    return html.sentence(" ".join(sentences))


def static_sentence(key: str) -> str:
    """Return a label in a paragraph of its own, as HTML."""
    return f'<p class="words">{label(key)}</p>'


def _largest_face(finder: Lookalikes, photo: RGB) -> RGB:
    return portrait(photo, finder.detector.detect(photo)[0], width=photo.shape[1])


def _photo_input(key: str) -> PagePhoto:
    return PagePhoto(
        label=label(key),
        sources=["upload", "webcam", "clipboard"],
        placeholder=label("page_drop"),
        webcam_options=gr.WebcamOptions(mirror=False),
        buttons=[],
        height=300,
        min_width=280,
        elem_classes="takes-photos",
    )
