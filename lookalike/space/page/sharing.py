"""The pictures to share: a button that draws them, and the panel that shows them."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lookalike.finder import Match
from lookalike.images import RGB, read_image
from lookalike.space.components import FaceHTML
from lookalike.space.drawing.cards import encode
from lookalike.space.drawing.fonts import drawable, drawable_text, shown_name
from lookalike.space.drawing.own_face import credit_line, portrait
from lookalike.space.drawing.share_html import share_panel
from lookalike.space.drawing.share_picture import SQUARE, STORY, Words, share_picture
from lookalike.space.finders import Finders
from lookalike.space.gradio_internals import current_page
from lookalike.space.messages import errors_as_sentences
from lookalike.space.middleware.address import url_of
from lookalike.space.page.checks import checked_face, checked_match
from lookalike.space.page.found import Found
from lookalike.space.page.scrolling import scroll_to
from lookalike.space.page.views import Update
from lookalike.space.pictures import picture_for
from lookalike.space.texts import text


class SharingCallbacks:
    """The callback of the button. A browser may send anything, so every argument is checked."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @errors_as_sentences
    def share(
        self,
        plain: RGB | None,
        found: Found | None,
        face: int | None,
        place: int | None,
        request: gr.Request | None = None,
    ) -> Update:
        """Draw the pictures, with the page's address. They travel as data: URLs and are not stored."""
        plain, found, face = checked_face(plain, found, face)
        match = checked_match(found, face, place)
        own = portrait(plain, found.faces[face].face, width=found.width)
        theirs = picture_for(match, self.finders)
        url = url_of(request.headers if request else {}, getattr(current_page(), "root_path", "") or "")
        words = _words(match, url, credit_line(theirs.credit) if theirs.credit else "")
        square, story = (
            encode(share_picture(own, read_image(theirs.jpeg), words, layout)) for layout in (SQUARE, STORY)
        )
        claim = text("share_claim", percent=f"{match.similarity:.0f}", name=shown_name(match.name))
        panel = share_panel(square, story, f"{claim} {text('share_ask')} {url}")
        return gr.update(value=panel, visible=True)


def follow_share(
    button: gr.Button, panel: FaceHTML, finders: Finders, chosen: list[Any], options: dict[str, Any]
) -> None:
    """Answer the button; `chosen` is what the callback takes: photo, found, face and place."""
    drawn = button.click(SharingCallbacks(finders).share, chosen, panel, **options)
    drawn.success(js=scroll_to("#share"), api_visibility="private")


def _words(match: Match, url: str, credit: str) -> Words:
    name = drawable(match.name) or drawable_text("share_somebody")
    claim = drawable_text("share_claim", percent=f"{match.similarity:.0f}", name=name)
    return Words(claim, drawable_text("share_ask"), url, credit)
