"""How a component of gradio is derived here without leaving a file behind."""

from __future__ import annotations

from abc import ABCMeta
from typing import Any

import gradio as gr


class Unstubbed(type(gr.Image)):  # type: ignore[misc]  # gradio has no types here
    """Gradio's metaclass without its habit of writing a .pyi file beside every component's source."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> type:
        return ABCMeta.__new__(cls, name, bases, attributes)
