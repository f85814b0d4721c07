"""Two buttons below an answer: whether the match looks like the visitor."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr

from lookalike.space.finders import Finders
from lookalike.space.labels import label
from lookalike.space.messages import errors_as_sentences
from lookalike.space.page.found import Found
from lookalike.space.texts import text

log = logging.getLogger(__name__)

ASK_AGAIN = "() => [true, false].map(visible => ({__type__: 'update', visible}))"

Update = dict[str, Any]  # what gr.update returns


class FeedbackButtons:
    """The buttons, which must be made where they are shown; there are none without `finders.feedback`."""

    def __init__(self, finders: Finders) -> None:
        self._finders = finders
        if finders.feedback is not None:
            with gr.Row(elem_id="feedback") as self._row:
                self._yes = gr.Button(label("button_spot_on"), min_width=120, size="sm")
                self._no = gr.Button(label("button_not_me"), min_width=120, size="sm")
            self._thanks = gr.Markdown(visible=False, elem_id="thanks")

    def follow(self, answer: Any, found: Any, face: Any, place: Any) -> None:
        """Ask about each new `answer`, and count what is said about the match at `place`."""
        if self._finders.feedback is None:
            return
        shown, private = [self._row, self._thanks], {"api_visibility": "private"}
        answer.change(None, None, shown, js=ASK_AGAIN, api_visibility="private")
        callbacks = FeedbackCallbacks(self._finders)
        self._yes.click(callbacks.spot_on, [found, face, place], shown, **private)
        self._no.click(callbacks.not_me, [found, face, place], shown, **private)


class FeedbackCallbacks:
    """The callbacks of the buttons. A browser may send anything, so every argument is checked."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @errors_as_sentences
    def spot_on(self, found: Found | None, face: object, place: object) -> tuple[Update, Update]:
        """Count that the match looks like the visitor, and say thank you."""
        return self._count(found, face, place, spot_on=True)

    @errors_as_sentences
    def not_me(self, found: Found | None, face: object, place: object) -> tuple[Update, Update]:
        """Count that the match does not look like the visitor, and say thank you."""
        return self._count(found, face, place, spot_on=False)

    def _count(
        self, found: Found | None, face: object, place: object, *, spot_on: bool
    ) -> tuple[Update, Update]:
        feedback, faces = self.finders.feedback, () if found is None else found.faces
        if feedback is not None and found is not None and _is_place(face, faces):
            matches = faces[int(face)].matches  # type: ignore[call-overload]
            if _is_place(place, matches):
                model = self.finders.get(found.options.model).embedder.model.name
                try:
                    feedback.count(model, matches[int(place)].similarity, spot_on=spot_on)  # type: ignore[call-overload]
                except OSError as error:  # the visitor cannot do anything about it
                    log.warning("feedback could not be written: %s", error)
        return gr.update(visible=False), gr.update(value=text("feedback_thanks"), visible=True)


def _is_place(value: object, things: tuple[Any, ...]) -> bool:
    return isinstance(value, int | float) and 0 <= value < len(things)
