"""A closer look at a match: a slider between the two faces, and a morph from one to the other."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lookalike.finder import Match
from lookalike.images import RGB, read_image
from lookalike.space.components import FaceHTML
from lookalike.space.drawing import closer_html
from lookalike.space.drawing.animation import halfway, morph_gif
from lookalike.space.drawing.cards import encode
from lookalike.space.drawing.fonts import drawable, drawable_text
from lookalike.space.drawing.morph import LevelFace, level_pair
from lookalike.space.drawing.own_face import credit_line
from lookalike.space.finders import Finders
from lookalike.space.labels import label
from lookalike.space.messages import errors_as_sentences, user_error
from lookalike.space.page.checks import checked_face, checked_match
from lookalike.space.page.found import Found, shown_face
from lookalike.space.page.scrolling import scroll_to
from lookalike.space.page.views import Update
from lookalike.space.pictures import Picture, picture_for
from lookalike.space.texts import text


class CloserButtons:
    """The two buttons, in `row`, and `panel`, where they show what they made."""

    def __init__(self, finders: Finders) -> None:
        self._finders = finders
        with gr.Row(visible=False, elem_id="closer") as self.row:
            self._slide = gr.Button(label("button_slide"), elem_id="slide", min_width=120)
            self._morph = gr.Button(label("button_morph"), elem_id="morph", min_width=120)
        self.panel = FaceHTML(visible=False, elem_id="blend")

    def follow(self, chosen: list[Any], options: dict[str, Any]) -> None:
        """Answer the buttons; `chosen` is what the callbacks take: photo, found, face and place."""
        callbacks = CloserCallbacks(self._finders)
        for button, callback in ((self._slide, callbacks.slide), (self._morph, callbacks.morph)):
            shown = button.click(callback, chosen, self.panel, **options)
            shown.success(js=scroll_to("#blend"), api_visibility="private")


class CloserCallbacks:
    """The callbacks of the buttons. A browser may send anything, so every argument is checked."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @errors_as_sentences
    def slide(self, plain: RGB | None, found: Found | None, face: int | None, place: int | None) -> Update:
        """Lay one face over the other, with a slider."""
        match, _, (own, theirs) = self._pair(plain, found, face, place)
        shown = closer_html.slider(encode(own.image), encode(theirs.image), match)
        return gr.update(value=shown, visible=True)

    @errors_as_sentences
    def morph(self, plain: RGB | None, found: Found | None, face: int | None, place: int | None) -> Update:
        """Turn one face into the other. The file travels as a data: URL and is not stored."""
        match, picture, pair = self._pair(plain, found, face, place)
        name = drawable(match.name) or drawable_text("share_somebody")
        credit = credit_line(picture.credit) if picture.credit else ""
        moving = morph_gif(*pair, f"{match.similarity:.0f} % {name}", credit)
        shown = closer_html.morph(moving, encode(halfway(*pair)), match)
        return gr.update(value=shown, visible=True)

    def _pair(
        self, plain: RGB | None, found: Found | None, face: object, place: object
    ) -> tuple[Match, Picture, tuple[LevelFace, LevelFace]]:
        plain, found, face = checked_face(plain, found, face)
        match = checked_match(found, face, place)
        picture = picture_for(match, self.finders)
        theirs = read_image(picture.jpeg)
        faces = [] if picture.is_card else self.finders.served.detector.detect(theirs)
        if not faces:
            raise user_error(text("error_no_blend"))
        own = shown_face(found.faces[face].face, found, plain)
        return match, picture, level_pair((plain, own), (theirs, faces[0]))
