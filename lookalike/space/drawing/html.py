"""The page's own HTML: two faces side by side, bars, explanations, comparisons, the live tab.

Names come from galleries, which strangers may have made, so every name is escaped here.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from urllib.parse import quote_plus

from PIL import Image

from lookalike.finder import Comparison, Match
from lookalike.gallery.credit import Credit
from lookalike.space.drawing.facts import fact_line
from lookalike.space.drawing.fonts import shown_name
from lookalike.space.texts import text

MAYBE_SAME = 40  # percent: one pair of strangers in a hundred is as similar
LEAST_SIDE = 128  # pixels of a face beside another; in a smaller picture nobody is recognized
SEARCH = "https://duckduckgo.com/?iax=images&ia=images&q="  # a search that keeps no profile of the visitor


def escape(text: str) -> str:
    """Escape text for HTML and for gradio's templates, which interpret `${…}` and `{{…}}`."""
    return html.escape(text).replace("$", "&#36;").replace("{", "&#123;")


def data_url(jpeg: bytes) -> str:
    """Return a JPEG as a data: URL."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def sentence(text: str) -> str:
    """Return one sentence in a paragraph of its own."""
    return f'<p class="words">{escape(text)}</p>' if text else ""


def photo_credit(credit: Credit | None) -> str:
    """Return author, licence and source of a picture, with links; "" if there is nothing to say."""
    if credit is None:
        return ""
    licence = _link(credit.licence_url, credit.licence) if credit.licence else ""
    parts = [
        escape(shown_name(credit.author)),
        licence,
        _link(credit.source, text("credit_source")),
        word("credit_cropped"),
    ]
    return f'<small class="credit">{word("credit_photo", credit=", ".join(filter(None, parts)))}</small>'


def _link(url: str, text: str) -> str:
    """Return a link that opens a new tab, or the text alone if `url` is no address of the web."""
    if not url.startswith(("https://", "http://")):
        return escape(shown_name(text))
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(shown_name(text))}</a>'


def face_pair(own: bytes, match: Match, picture: bytes, credit: Credit | None = None) -> str:
    """Return the visitor's face beside a match, both JPEGs."""
    name = match_name(match)
    return (
        f"{_pair(own, picture)}"
        f'<figure><img src="{data_url(own)}" alt="{word("answer_your_face")}">'
        f"<figcaption>{word('answer_you')}</figcaption></figure>"
        f'<figure><img src="{data_url(picture)}" alt="{name}">'
        f"<figcaption>{name}{_about(match)}{_photos_link(match)}{photo_credit(credit)}</figcaption></figure>"
        f"{_verdict(match.similarity)}</div>"
    )


def _verdict(similarity: float) -> str:
    """Return the percentage, which reveal.css counts up for the eye alone."""
    percent = f"{similarity:.0f}"
    return (
        f'<p class="verdict"><strong class="count" style="--percent:{percent}">'
        f'<span class="unseen">{percent} %</span></strong> {word("answer_alike")}</p>'
    )


def _pair(*pictures: bytes) -> str:
    """Return the beginning of HTML with JPEGs side by side, at the width of the smaller one: both faces are
    then at one scale, and none is soft.
    """
    widths = []
    for picture in pictures:
        with suppress(OSError):
            widths.append(Image.open(io.BytesIO(picture)).width)
    return f'<div class="pair" style="--side:{max(min(widths, default=0), LEAST_SIDE)}px">'


def match_bars(matches: Sequence[Match], credits: Sequence[Credit | None] = ()) -> str:
    """Return the matches as a list that opens: rank, name, a bar with its percentage, a link to a web search,
    who it is, and the credit of the picture.
    """
    shown = [*credits, *[None] * (len(matches) - len(credits))]
    rows = "".join(map(_bar, matches, shown))
    return f'<details><summary>{word("answer_list")}</summary><ol class="bars">{rows}</ol></details>'


def _bar(match: Match, credit: Credit | None) -> str:
    name = match_name(match)
    return (
        f'<li><span class="name">{match.rank}. {name}</span>'
        f"{meter(match.similarity, word('answer_similarity_to', name=name))}"
        f"{_photos_link(match)}{_about(match)}{photo_credit(credit)}</li>"
    )


def _photos_link(match: Match) -> str:
    about = word("answer_photos_of", name=match_name(match))
    return (
        f'<a class="photos" href="{search_url(match.name)}" target="_blank" rel="noopener noreferrer">'
        f'{word("answer_photos")} ↗<span class="unseen"> {about}</span></a>'
    )


def model_columns(results: Mapping[str, Sequence[Match] | str]) -> str:
    """Return the results of several models side by side: each model's matches, or a sentence."""
    return f'<div class="beside">{"".join(_column(model, result) for model, result in results.items())}</div>'


def _column(model: str, result: Sequence[Match] | str) -> str:
    head = f"<figcaption>{escape(shown_name(model))}</figcaption>"
    if isinstance(result, str):
        return f"<figure>{head}<p>{escape(result)}</p></figure>"
    return f"<figure>{head}<ol>{''.join(map(_line, result))}</ol></figure>"


def _line(match: Match) -> str:
    name = match_name(match)
    bar = meter(match.similarity, word("answer_similarity_to", name=name))
    return f"<li><span>{match.rank}. {name}</span>{bar}</li>"


def meter(percent: float, label: str) -> str:
    """Return a bar from 0 to 100 that screen readers can read too; `label` is HTML."""
    return (
        f'<span class="meter" role="meter" aria-label="{label}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent:.0f}" aria-valuetext="{word("answer_percent", percent=f"{percent:.0f}")}">'
        f'<span style="width:{percent:.0f}%"></span></span><span class="percent">{percent:.0f} %</span>'
    )


def search_url(name: str) -> str:
    """Return the URL of a search for pictures of a person, escaped for an attribute."""
    return html.escape(SEARCH + quote_plus(shown_name(name), errors="replace"))


def explanation(heat_map: bytes, match: Match, parts: Sequence[str]) -> str:
    """Return the heat map, a JPEG, and the parts of the face that matter most, in words."""
    title = word("why_title", name=match_name(match), parts=escape(parts_in_words(parts)))
    return (
        f'<div class="why"><img src="{data_url(heat_map)}" alt="{word("why_picture")} {title}">'
        f"<p><strong>{title}</strong><br>{word('why_bright')}</p></div>"
    )


def parts_in_words(parts: Sequence[str]) -> str:
    """Return the parts of a face as text: "mostly the eyes and brows, then the nose"."""
    if not parts:
        return text("why_whole")
    return text("why_mostly", parts=text("why_then").join(map(_part, parts)))


def _part(part: str) -> str:
    """Return a part of the face, of `lookalike.models.explain.REGIONS`, in the visitor's language."""
    return text(f"part_{part.replace(' ', '_')}")


def verdict(result: Comparison) -> str:
    """Return what a comparison means, in words."""
    if result.same:
        return text("compare_same")
    if result.similarity >= MAYBE_SAME:
        return text("compare_maybe")
    return text("compare_different")


def comparison(first: bytes, second: bytes, result: Comparison) -> str:
    """Return two faces, JPEGs, and how similar they are."""
    return (
        f"{_pair(first, second)}"
        f'<figure><img src="{data_url(first)}" alt="{word("compare_first")}"></figure>'
        f'<figure><img src="{data_url(second)}" alt="{word("compare_second")}"></figure>'
        f"{_verdict(result.similarity)}</div>"
        f'<div class="bars">{meter(result.similarity, word("compare_similarity"))}</div>'
        f"{sentence(verdict(result))}"
    )


def live_picture(match: Match, picture: bytes, credit: Credit | None = None) -> str:
    """Return the picture, a JPEG, of the best match of the camera's current frame."""
    return f'<img src="{data_url(picture)}" alt="{match_name(match)}">{photo_credit(credit)}'


def live_matches(matches: Sequence[Match]) -> str:
    """Return the text beside the camera: the best match, then the others; at least one is needed."""
    best, *others = matches
    label = word("answer_similarity_to", name=match_name(best))
    then = " · ".join(f"<bdi>{match_name(match)} {match.similarity:.0f} %</bdi>" for match in others)
    return (
        f'<p class="best">{match_name(best)}</p>'
        f'<div class="bars">{meter(best.similarity, label)}</div>'
        + (f'<p class="behind">{word("live_then", others=then)}</p>' if then else "")
    )


def _about(match: Match) -> str:
    """Return who the match is, in small letters: the name in its own script, and the facts."""
    native = shown_name(str(match.about.get("native", "")))
    parts = [part for part in (native, fact_line(match.about)) if part]
    return f'<small class="who">{escape(" · ".join(parts))}</small>' if parts else ""


def match_name(match: Match) -> str:
    """Return the name as HTML."""
    return escape(shown_name(match.name) or text("answer_no_name"))


def word(key: str, **values: str) -> str:
    """Return a text as HTML; `values` are HTML already."""
    places = {name: f"\0{name}\0" for name in values}
    shown = escape(text(key, **places))
    for name, value in values.items():
        shown = shown.replace(places[name], value)
    return shown
