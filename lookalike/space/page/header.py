"""What a page says when it is opened: of the gallery that is served by then, not when the server started."""

from __future__ import annotations

import gradio as gr

from lookalike.space.api.endpoints import Update
from lookalike.space.finders import Finders
from lookalike.space.page.about import about

TITLE = "Celebrity look-alikes"


class Greeting:
    """The listener of a page that is opened."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    def greet(self) -> tuple[str, Update, str]:
        """Return the title, the notice, and the page's account of itself."""
        notice = gr.update(value=self.finders.notice, visible=bool(self.finders.notice))
        return title_of(self.finders), notice, about(self.finders)


def title_of(finders: Finders) -> str:
    """Return the title, Markdown."""
    return f"# {TITLE}\nWhich of {len(finders.served.gallery.names):,} famous faces is most like yours?"
