"""The switch *Private: on this device*, which shows the static site in place of the tabs.

The site does all the work in the browser. private.js shows it, and keeps this page from taking a photo
meanwhile.
"""

from __future__ import annotations

import gradio as gr

from lookalike.space.labels import label


def add_private_switch() -> None:
    """Add the switch and the place for the site."""
    switch = gr.Checkbox(False, label=label("label_private"), container=False, elem_id="private-switch")
    gr.HTML('<div id="private-frame"></div>', elem_id="private-page")
    switch.change(None, switch, None, js="on => showPrivate(on)", api_visibility="private")
