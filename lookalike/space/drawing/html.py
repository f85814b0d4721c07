"""What the page writes in HTML of its own: the pair of faces, the bars, the comparison, the live line.

Names come from galleries, which are somebody else's files, so every name is escaped here.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from urllib.parse import quote_plus

import gradio as gr

from lookalike.finder import Comparison, Match
from lookalike.space.drawing.fonts import shown_name
from lookalike.space.page.unstubbed import Unstubbed

SEARCH = "https://duckduckgo.com/?iax=images&ia=images&q="  # a search that keeps no profile of the visitor


class Sheet(gr.HTML, metaclass=Unstubbed):  # type: ignore[misc]
    """HTML that may show a face: it travels as data, and the server forgets it as soon as it is sent."""

    is_template = True  # tells gradio that the browser draws this as the class above


def escaped(text: str) -> str:
    """Return text that stays text in HTML, and in gradio's templates too, which read `${…}` and `{{…}}`."""
    return html.escape(text).replace("$", "&#36;").replace("{", "&#123;")


def data_url(jpeg: bytes) -> str:
    """Return a JPEG as an address that holds it."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def pair(own: bytes, match: Match, picture: bytes) -> str:
    """Return the visitor's face beside a match, both JPEGs."""
    name = _name(match)
    return (
        '<div class="pair">'
        f'<figure><img src="{data_url(own)}" alt="Your face"><figcaption>You</figcaption></figure>'
        f'<figure><img src="{data_url(picture)}" alt="{name}">'
        f"<figcaption>{name}</figcaption></figure>"
        f'<p class="verdict"><strong>{match.similarity:.0f} %</strong> alike</p></div>'
    )


def bars(matches: Sequence[Match]) -> str:
    """Return the matches as a list: rank, name, a bar with its percentage, a link that searches for the
    name.
    """
    return f'<ol class="bars">{"".join(map(_bar, matches))}</ol>'


def _bar(match: Match) -> str:
    name = _name(match)
    return (
        f'<li><span class="name">{match.rank}. {name}</span>{meter(match.similarity, f"Likeness to {name}")}'
        f'<a href="{search_address(match.name)}" target="_blank" rel="noopener noreferrer" '
        f'aria-label="Who is it? Search the web for {name} (opens a new tab)">Who is it?</a></li>'
    )


def beside(said: Mapping[str, Sequence[Match] | str]) -> str:
    """Return what several models say of one face, side by side: each with its matches, or a sentence."""
    return f'<div class="beside">{"".join(_column(model, what) for model, what in said.items())}</div>'


def _column(model: str, what: Sequence[Match] | str) -> str:
    head = f"<figcaption>{escaped(shown_name(model))}</figcaption>"
    if isinstance(what, str):
        return f"<figure>{head}<p>{escaped(what)}</p></figure>"
    return f"<figure>{head}<ol>{''.join(map(_line, what))}</ol></figure>"


def _line(match: Match) -> str:
    name = _name(match)
    return f"<li><span>{match.rank}. {name}</span>{meter(match.similarity, f'Likeness to {name}')}</li>"


def meter(percent: float, label: str) -> str:
    """Return a bar from 0 to 100 that says its value to a screen reader too; `label` is HTML."""
    return (
        f'<span class="meter" role="meter" aria-label="{label}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent:.0f}" aria-valuetext="{percent:.0f} percent">'
        f'<span style="width:{percent:.0f}%"></span></span><span class="percent">{percent:.0f} %</span>'
    )


def search_address(name: str) -> str:
    """Return where the pictures of a person are searched for, ready to stand in an attribute."""
    return html.escape(SEARCH + quote_plus(shown_name(name), errors="replace"))


def why(picture: bytes, match: Match, parts: Sequence[str]) -> str:
    """Return the heat map, a JPEG, and what it says in words."""
    name = _name(match)
    sentence = f"What makes you like {name}: {why_words(parts)}."
    return (
        f'<div class="why"><img src="{data_url(picture)}" alt="Your face with a heat map. {sentence}">'
        f"<p><strong>{sentence}</strong><br>The warmer a place, the more likeness is lost when it is hidden: "
        "each patch of your face was blurred in turn and the face compared again.</p></div>"
    )


def why_words(parts: Sequence[str]) -> str:
    """Say which parts carry a likeness: "mostly the eyes and brows, then the nose"."""
    if not parts:
        return "no single part, but the face as a whole"
    return f"mostly the {', then the '.join(parts)}"


def shared(picture: bytes) -> str:
    """Return the picture to share, a JPEG, with a link that downloads it."""
    address = data_url(picture)
    return (
        f'<div class="share"><img src="{address}" alt="Your picture to share">'
        f'<a id="share-link" href="{address}" download="my-look-alike.jpg">Download the picture</a></div>'
    )


def compared(first: bytes, second: bytes, result: Comparison) -> str:
    """Return two faces, JPEGs, and how alike they are."""
    words = "They pass as the same person." if result.same else "They do not pass as the same person."
    return (
        '<div class="pair">'
        f'<figure><img src="{data_url(first)}" alt="The first face"></figure>'
        f'<figure><img src="{data_url(second)}" alt="The second face"></figure>'
        f'<p class="verdict"><strong>{result.similarity:.0f} %</strong> alike</p></div>'
        f'<div class="bars">{meter(result.similarity, "Likeness of the two faces")}</div>'
        f'<p class="words">{words}</p>'
    )


def live_picture(match: Match, picture: bytes) -> str:
    """Return the picture, a JPEG, of the best match before the camera."""
    return f'<img src="{data_url(picture)}" alt="{_name(match)}">'


def live(matches: Sequence[Match], words: str = "") -> str:
    """Return what is said beside the camera: the best match and those behind it, or `words`."""
    if not matches:
        return f'<p class="words">{words}</p>'
    best, *others = matches
    behind = " · ".join(f"{_name(match)} {match.similarity:.0f} %" for match in others)
    return (
        f'<p class="best">{_name(best)}</p>'
        f'<div class="bars">{meter(best.similarity, f"Likeness to {_name(best)}")}</div>'
        f'<p class="behind">Then {behind}</p>'
    )


def _name(match: Match) -> str:
    return escaped(shown_name(match.name) or "no name")
