"""HTML of the pictures to share: a choice of two formats, and the ways to pass one on. sharing.js does it."""

from __future__ import annotations

from lookalike.space.drawing.html import data_url, escape, word

FORMATS = {"square": "share_square", "story": "share_story"}  # and their words


def share_panel(square: bytes, story: bytes, message: str) -> str:
    """Return both pictures, JPEGs; `message` goes with them into a messenger that takes text."""
    pictures = zip(FORMATS, (square, story), strict=True)
    return (
        f'<div class="share" data-message="{escape(message)}">'
        f'<fieldset><legend class="unseen">{word("share_format")}</legend>{_choices()}</fieldset>'
        + "".join(_picture(name, jpeg) for name, jpeg in pictures)
        + f'<div class="share-ways"><button type="button" id="send">{word("share_send")}</button>'
        f'<button type="button" id="copy">{word("share_copy")}</button>'
        f'<button type="button" id="save">{word("button_download")}</button></div>'
        '<p role="status"></p></div>'
    )


def _choices() -> str:
    return "".join(
        f'<label><input type="radio" name="share-format" value="{name}"{" checked" * (name == "square")}> '
        f"{word(key)}</label>"
        for name, key in FORMATS.items()
    )


def _picture(name: str, jpeg: bytes) -> str:
    return f'<img class="{name}" src="{data_url(jpeg)}" alt="{word("share_picture")}">'
