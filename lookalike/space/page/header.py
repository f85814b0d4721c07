"""The top of the page: its title, and a notice if the bundled gallery replaces another one."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lookalike.space.finders import ServedGallery
from lookalike.space.messages import for_visitor
from lookalike.space.texts import text


def add_header(gallery: ServedGallery) -> list[Any]:
    """Add the title and the notice, and return both."""
    title, notice = header_values(gallery)
    return [gr.Markdown(elem_id="title", **title), gr.Markdown(elem_id="fallback", **notice)]


def header_values(gallery: ServedGallery) -> list[dict[str, Any]]:
    """Return the properties of the title and of the notice."""
    names = len(gallery.finder.gallery.names)
    title = f"# {text('title_question')}\n{text('title_names', names=f'{names:,}')}"
    return [{"value": title}, {"value": for_visitor(gallery.notice), "visible": bool(gallery.notice)}]
