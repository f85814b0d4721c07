"""The people of a group photo: who resembles whom, and a picture of everyone's match."""

from __future__ import annotations

from typing import Any

import cv2
import gradio as gr
import numpy as np

from lookalike.errors import ImageError
from lookalike.finder import FoundFace
from lookalike.images import RGB, read_image
from lookalike.space.components import FaceHTML
from lookalike.space.drawing import friends_html
from lookalike.space.drawing.cards import encode
from lookalike.space.drawing.collage import Couple, collage
from lookalike.space.drawing.fonts import drawable, drawable_text
from lookalike.space.drawing.own_face import credit_line, portrait
from lookalike.space.finders import Finders
from lookalike.space.labels import label
from lookalike.space.messages import PHOTO_GONE, errors_as_sentences
from lookalike.space.page.checks import checked_photo
from lookalike.space.page.found import Found
from lookalike.space.page.scrolling import scroll_to
from lookalike.space.page.views import Update
from lookalike.space.pictures import picture_for

MAX_FRIENDS = 8  # the largest faces; a wider table does not fit a phone
HEAD_SIDE = 96  # pixels of a face in the table: sharp at half the size


class FriendsButtons:
    """The two buttons, in `row`, and `panel`, where they show what they made."""

    def __init__(self, finders: Finders) -> None:
        self._finders = finders
        with gr.Row(visible=False, elem_id="friends") as self.row:
            self._whom = gr.Button(label("button_whom"), elem_id="whom", min_width=120)
            self._everyone = gr.Button(label("button_everyone"), elem_id="everyone", min_width=120)
        self.panel = FaceHTML(visible=False, elem_id="group")

    def follow(self, photo: list[Any], options: dict[str, Any]) -> None:
        """Answer the buttons; `photo` is what the callbacks take: the photo and its faces."""
        callbacks = FriendsCallbacks(self._finders)
        for button, callback in ((self._whom, callbacks.whom), (self._everyone, callbacks.everyone)):
            shown = button.click(callback, photo, self.panel, **options)
            shown.success(js=scroll_to("#group"), api_visibility="private")


class FriendsCallbacks:
    """The callbacks of the buttons. A browser may send anything, so every argument is checked."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @errors_as_sentences
    def whom(self, plain: RGB | None, found: Found | None) -> Update:
        """Show how alike each two people are, as Compare would say."""
        plain, found = _checked_friends(plain, found)
        finder = self.finders.get(found.options.model)
        probes = found.probes.get(finder.embedder.model.name, ())[:MAX_FRIENDS]
        if not probes:  # another model is served by now
            raise ImageError(PHOTO_GONE)
        percents = [[finder.compare_probes(one, other).similarity for other in probes] for one in probes]
        faces = [_head(plain, found, face) for face in found.faces[:MAX_FRIENDS]]
        table = friends_html.resemblances(faces, np.array(percents))
        return gr.update(value=table, visible=True)

    @errors_as_sentences
    def everyone(self, plain: RGB | None, found: Found | None) -> Update:
        """Draw everyone beside their first match. The picture travels as a data: URL and is not stored."""
        plain, found = _checked_friends(plain, found)
        couples = [self._couple(plain, found, face) for face in found.faces[:MAX_FRIENDS]]
        picture = encode(collage(couples, drawable_text("title")))
        return gr.update(value=friends_html.collage(picture), visible=True)

    def _couple(self, plain: RGB, found: Found, face: FoundFace) -> Couple:
        match = face.matches[0]
        picture = picture_for(match, self.finders)
        return Couple(
            portrait(plain, face.face, width=found.width),
            read_image(picture.jpeg),
            drawable(match.name) or drawable_text("share_somebody"),
            f"{match.similarity:.0f} %",
            credit_line(picture.credit) if picture.credit else "",
        )


def _checked_friends(plain: RGB | None, found: Found | None) -> tuple[RGB, Found]:
    plain, found = checked_photo(plain, found)
    if len(found.faces) < 2:
        raise ImageError(PHOTO_GONE)
    return plain, found


def _head(plain: RGB, found: Found, face: FoundFace) -> bytes:
    whole = portrait(plain, face.face, width=found.width)
    return encode(
        np.asarray(cv2.resize(whole, (HEAD_SIDE, HEAD_SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    )
