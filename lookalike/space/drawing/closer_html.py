"""HTML of a closer look at a match: a slider between two faces, and a morph."""

from __future__ import annotations

import base64

from lookalike.finder import Match
from lookalike.space.drawing.html import data_url, match_name, word


def slider(own: bytes, theirs: bytes, match: Match) -> str:
    """Return the visitor's face over the match's, both JPEGs of one size; the slider shows more of one.

    reveal.js puts its value into the style.
    """
    name = match_name(match)
    return (
        '<div class="slider"><div class="stack">'
        f'<img src="{data_url(theirs)}" alt="{name}">'
        f'<img class="over" src="{data_url(own)}" alt="{word("answer_your_face")}">'
        f'<input type="range" min="0" max="100" value="50" aria-label="{word("slide_label", name=name)}">'
        "</div>"
        f"<p><span>{word('answer_you')}</span> <span>{name}</span></p></div>"
    )


def morph(moving: bytes, still: bytes, match: Match) -> str:
    """Return a GIF with a link that downloads it; `still`, a JPEG, is for those who want less motion."""
    gif = f"data:image/gif;base64,{base64.b64encode(moving).decode()}"
    picture = (
        f'<picture><source media="(prefers-reduced-motion: reduce)" srcset="{data_url(still)}">'
        f'<img src="{gif}" alt="{word("morph_picture", name=match_name(match))}"></picture>'
    )
    return kept(picture, "my-morph.gif", "button_download_morph")


def kept(picture: str, file: str, key: str) -> str:
    """Return a picture, as HTML, with a link that downloads it; reveal.js gives the link its address."""
    link = f'<a href="#results" class="save" download="{file}">{word(key)}</a>'
    return f'<figure class="kept">{picture}<figcaption>{link}</figcaption></figure>'
