"""What the callbacks of the Find tab return: the values of the components that an answer changes."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from lookalike.images import RGB
from lookalike.space.page.found import NOTHING_FOUND, Found
from lookalike.space.texts import text

Update = dict[str, Any]  # what gr.update returns


class FaceView(NamedTuple):
    """The outputs that show the matches of one face."""

    duel: str
    matches: Update
    bars: str
    beside: Update
    percentile: str
    place: int
    why: Update
    share: Update
    closer: Update
    blend: Update


class PhotoView(NamedTuple):
    """The outputs that a new photo changes, in the order in which the page lists them.

    `plain` is the photo without frames. The browser keeps it and sends it back with the next choice.
    """

    photo: RGB | Update | None
    plain: RGB | Update | None
    found: Found | Update | None
    chooser: Update
    notice: Update
    intro: Update
    results: Update
    friends: Update
    group: Update
    duel: str
    matches: Update
    bars: str
    beside: Update
    percentile: str
    place: int
    why: Update
    share: Update
    closer: Update
    blend: Update


def hidden() -> Update:
    """Return the update that empties and hides a component."""
    return gr.update(value="", visible=False)


def face_choices(count: int) -> Update:
    """Return the numbered chips of `count` faces, the first one chosen; one face needs none."""
    choices = [(text("chip_face", number=place + 1), place) for place in range(count)]
    return gr.update(choices=choices, value=0, visible=count > 1)


def answer_view(photo: Any, plain: Any, found: Found, chooser: Update, view: FaceView) -> PhotoView:
    """Return the page with the answer for one face."""
    off, on = gr.update(visible=False), gr.update(visible=True)
    friends = gr.update(visible=len(found.faces) > 1)
    return PhotoView(photo, plain, found, chooser, off, off, on, friends, hidden(), *view)


def empty_view(photo: RGB | None, notice: str) -> PhotoView:
    """Return the page with at most a photo and a sentence."""
    found = None if photo is None else NOTHING_FOUND
    return view_without_answer(photo, photo, found, gr.update(visible=False), notice)


def view_without_answer(photo: Any, plain: Any, found: Any, chooser: Update, notice: str) -> PhotoView:
    """Return the page without an answer; a sentence is shown unless it is ""."""
    sentence = gr.update(value=notice, visible=bool(notice))
    on, off = gr.update(visible=True), gr.update(visible=False)
    return PhotoView(photo, plain, found, chooser, sentence, on, off, off, hidden(), *_no_face())


def _no_face() -> FaceView:
    nothing = gr.update(value=[], selected_index=None)
    return FaceView("", nothing, "", hidden(), "", 0, hidden(), hidden(), gr.update(visible=False), hidden())
