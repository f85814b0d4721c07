"""The sentence about a gallery that is being built, which follows the build while the page is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from lookalike.space.finders import Finders

TICK_SECONDS = 5.0  # between looks at the build


class BuildNotice:
    """A sentence below the title. Create it in the layout, where it should appear."""

    def __init__(self, finders: Finders) -> None:
        self._finders = finders
        if finders.building is not None:
            self._notice = gr.Markdown(visible=False, elem_id="building")
            self._timer = gr.Timer(TICK_SECONDS)
            self._shown = gr.State(None)

    def follow(
        self, page: gr.Blocks, components: Sequence[Any], properties: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """Keep the sentence up to date, and the components when another gallery is served.

        `properties` returns the components' properties for the gallery that is served by then.
        """
        if self._finders.building is None:
            return

        def tick(shown: str | None) -> list[Any]:
            served = self._finders.current.finder.gallery.revision
            stays = shown in (None, served)
            updates = [gr.skip()] * len(components) if stays else [gr.update(**each) for each in properties()]
            return [*self._state(), served, *updates]

        own = [self._notice, self._timer, self._shown]
        private = {"api_visibility": "private", "show_progress": "hidden"}
        page.load(lambda: tick(None)[:3], None, own, **private)
        self._timer.tick(tick, [self._shown], [*own, *components], **private)

    def _state(self) -> list[Any]:
        """Return the updates of the sentence and of the timer, which stops when there is nothing to say."""
        sentence = self._finders.building() if self._finders.building else ""
        return [gr.update(value=sentence, visible=bool(sentence)), gr.Timer(active=bool(sentence))]
