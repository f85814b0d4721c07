"""Texts of the page that gradio translates in the browser: on tabs, buttons and inputs."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lookalike.space.texts import LANGUAGES, STATIC, table, texts_of

# What gradio calls a language, where it is not our name. Its own buttons and hints are in that language too.
GRADIO_LANGUAGES = {"pt": "pt-BR", "zh": "zh-CN"}


def label(key: str) -> Any:
    """Return a text for a component that is made at start; its key begins with one of `STATIC`."""
    if not key.startswith(STATIC) or key not in table("en"):
        raise KeyError(key)
    return gr.I18n()(key)


def label_sentence(key: str) -> str:
    """Return a label in a paragraph of its own, as HTML."""
    return f'<p class="words">{label(key)}</p>'


def translations() -> gr.I18n:
    """Return the labels in every language, for `launch`."""
    names = {code: GRADIO_LANGUAGES.get(code, code) for code in LANGUAGES}
    return gr.I18n(**{name: texts_of(code, *STATIC) for code, name in names.items()})
