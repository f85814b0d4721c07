"""What a visitor sees first: two drawn faces, the ways to give a photo, and faces to try it with.

photo.js has the scripts of the buttons. Each gives the photo to the Find tab, as an upload does.
"""

from __future__ import annotations

import gradio as gr

from lookalike.space.labels import label
from lookalike.space.middleware.pictures import PREFIX

PAIR = ("one", "three")
EXAMPLES = ("one", "two", "three")


def add_first_screen() -> gr.Column:
    """Add the first screen, which is hidden once there is an answer, and return it."""
    with gr.Column(scale=6, min_width=300, elem_id="intro") as screen:
        gr.HTML(_pair())
        with gr.Row(elem_id="ways"):
            gr.Button(label("button_selfie"), variant="primary", size="lg", elem_id="selfie", min_width=140)
            gr.Button(label("button_choose"), size="lg", elem_id="choose", min_width=140)
        gr.Markdown(label("page_promise"), elem_id="promise")
        gr.HTML(f'<p id="examples-head">{label("page_examples")}</p>{_examples()}')
        gr.Markdown(label("page_tip"), elem_classes="tip")
        gr.Markdown(label("page_ways"), elem_classes=["tip", "for-mouse"])
    return screen


def _pair() -> str:
    """Return two drawn faces and a percentage between them, HTML."""
    first, second = (f'<img src="{_address(name)}" alt="" width="400" height="400">' for name in PAIR)
    words = f'<span class="unseen">{label("page_pair")}</span>'
    return f'<div class="hero">{first}<strong aria-hidden="true">71 %</strong>{second}{words}</div>'


def _examples() -> str:
    """Return the faces to try it with, each a button that the line above it names, HTML."""
    buttons = "".join(
        f'<button type="button" class="example" aria-labelledby="examples-head example-{number}">'
        f'<img src="{_address(name)}" alt="" width="400" height="400">'
        f'<span id="example-{number}" class="unseen">{number}</span></button>'
        for number, name in enumerate(EXAMPLES, 1)
    )
    return f'<div class="examples">{buttons}</div>'


def _address(name: str) -> str:
    return f"{PREFIX.removeprefix('/')}{name}.jpg"  # below the page's own address, whatever a proxy adds
