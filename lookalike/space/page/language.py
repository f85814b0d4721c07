"""The choice of the language, below everything else."""

from __future__ import annotations

import gradio as gr

from lookalike.space.labels import label
from lookalike.space.texts import LANGUAGES

# The choice is part of the address, so that nothing is stored and a link keeps it.
OPEN_IN = """lang => {
  const url = new URL(location.href);
  url.searchParams.set('lang', lang);
  location.assign(url);
}"""
SHOW = "() => { document.title = pageTexts.script_title; return pageLanguage; }"


def add_language_choice(page: gr.Blocks) -> None:
    """Add the choice, which opens the page again; it shows the language that the browser asked for."""
    choice = gr.Dropdown(
        [(name, code) for code, name in LANGUAGES.items()],
        label=label("label_language"),
        filterable=False,
        elem_id="language",
    )
    choice.input(None, choice, None, js=OPEN_IN, api_visibility="private")
    page.load(None, None, choice, js=SHOW, api_visibility="private")
