"""The tabs Compare, About and API."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from lookalike.errors import LookalikeError
from lookalike.faces.turning import detect_upright
from lookalike.finder import Lookalikes
from lookalike.images import RGB
from lookalike.space.components import BadPhoto, FaceHTML, PagePhoto
from lookalike.space.drawing import html
from lookalike.space.drawing.cards import encode, shrink
from lookalike.space.drawing.own_face import portrait
from lookalike.space.finders import Finders, ServedGallery
from lookalike.space.labels import label, label_sentence
from lookalike.space.messages import as_sentence
from lookalike.space.middleware.address import url_of
from lookalike.space.page import about
from lookalike.space.page import api_guide as guides
from lookalike.space.page.scrolling import scroll_to
from lookalike.space.texts import text


def add_compare_tab(finders: Finders, queue: dict[str, Any]) -> None:
    """Add two photos and their similarity; `queue` holds the options of the queue for requests to a model."""
    with gr.Row():
        first, second = (_photo_input(label) for label in ("label_first_photo", "label_second_photo"))
    result = FaceHTML(label_sentence("page_needs_two"), elem_id="compared")
    compared = gr.on(
        [first.input, second.input],
        CompareCallbacks(finders).compare_photos,
        [first, second],
        [first, second, result],
        api_visibility="private",
        trigger_mode="always_last",
        **queue,
    )
    compared.success(js=scroll_to("#compared .pair"), api_visibility="private")


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
        return guides.api_guide(url_of(request.headers, page.root_path), finders.current)

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


def _largest_face(finder: Lookalikes, photo: RGB) -> RGB:
    upright, faces = detect_upright(finder.detector, photo)
    return portrait(upright, faces[0], width=upright.shape[1])


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
