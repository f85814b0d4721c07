"""What a visitor sees first: two drawn faces, the ways to give a photo, and faces to try it with.

photo.js has the scripts of the buttons. Each gives the photo to the Find tab, as an upload does.
"""

from __future__ import annotations

import gradio as gr

from lookalike.space.labels import label
from lookalike.space.page.examples import address_of, drawn_examples

PAIR = ("one", "three")


def add_first_screen() -> tuple[gr.Column, gr.HTML]:
    """Add the first screen, which is hidden once there is an answer; return it and its faces to try."""
    with gr.Column(scale=6, min_width=300, elem_id="intro") as screen:
        gr.HTML(_pair())
        with gr.Row(elem_id="ways"):
            gr.Button(label("button_selfie"), variant="primary", size="lg", elem_id="selfie", min_width=140)
            gr.Button(label("button_choose"), size="lg", elem_id="choose", min_width=140)
        gr.Markdown(label("page_promise"), elem_id="promise")
        faces = gr.HTML(drawn_examples())
        gr.Markdown(label("page_tip"), elem_classes="tip")
        gr.Markdown(label("page_ways"), elem_classes=["tip", "for-mouse"])
    return screen, faces


def _pair() -> str:
    """Return two drawn faces and a percentage between them, HTML."""
    first, second = (f'<img src="{address_of(name)}" alt="" width="400" height="400">' for name in PAIR)
    words = f'<span class="unseen">{label("page_pair")}</span>'
    return f'<div class="hero">{first}<strong aria-hidden="true">71 %</strong>{second}{words}</div>'
