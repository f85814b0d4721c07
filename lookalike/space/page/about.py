"""The text of the tab About; its figures come from the model's card."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lookalike.files import BUNDLED
from lookalike.gallery.gallery import BUNDLED_GALLERY
from lookalike.space.finders import ServedGallery
from lookalike.space.texts import text

# Columns of the model card's table, and the names that older cards have for them
ACCURACY_COLUMNS = {"verification": "same or not", "top-1 accuracy": "nearest is right"}
GROUPS = ("all", "source", "photo")  # rows about kinds of people and photos; others are about image damage
STRANGERS_COLUMNS = ("strangers within", "40 % or more, score", "60 % or more, score")


def about(gallery: ServedGallery) -> str:
    """Return the text of the About tab, Markdown."""
    finder = gallery.finder
    card = model_card()
    served = text(
        "about_cards",
        model=finder.embedder.model.name,
        gallery=gallery_link(gallery.gallery_id),
        revision=finder.gallery.revision,
    )
    parts = [text("about_how"), f"{text('about_meaning')}\n\n{strangers(card)}", accuracy(card)]
    parts += [text("about_privacy"), text("about_removal"), f"{served} {text('about_limits')}"]
    return "\n\n".join(filter(None, parts))


def accuracy(card: str) -> str:
    """Return the model's accuracy by source and kind of photo, from the table in its card, as Markdown.

    Empty if the card has no such table.
    """
    for titles in (list(ACCURACY_COLUMNS), list(ACCURACY_COLUMNS.values())):
        if table := _table(card, ["photos", *titles]):
            break
    else:
        return ""
    columns = [table[0].index(title) for title in ("photos", *titles)]
    rows = [row for row in table if row[0] in GROUPS and len(row) == len(table[0])]
    lines = [[f"{row[0]}: {row[1]}", *(row[column] for column in columns)] for row in rows]
    titles = [text(f"about_{name}") for name in ("group", "photos", "verification", "top1")]
    return f"{text('about_accuracy')}\n\n{_markdown(titles, lines)}"


def strangers(card: str) -> str:
    """Return how often strangers of one group reach 40 and 60 %, from the table in the model's card.

    Empty if the card has no such table.
    """
    table = _table(card, STRANGERS_COLUMNS)
    if not table:
        return ""
    columns = [table[0].index(title) for title in STRANGERS_COLUMNS]
    lines = [[row[column] for column in columns] for row in table[2:] if len(row) == len(table[0])]
    titles = [text(f"about_{name}") for name in ("group", "40", "60")]
    return f"{text('about_strangers')}\n\n{_markdown(titles, lines)}"


def _markdown(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _table(card: str, titles: Sequence[str]) -> list[list[str]]:
    """Return the rows, header first, of the card's table with these columns; empty if there is none."""
    found: list[list[str]] = []
    for line in card.splitlines():
        row = [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
        if found and not line.startswith("|"):
            break
        if found or set(titles) <= set(row):
            found.append(row)
    return found


def model_card() -> str:
    """Return the bundled model's card without its front matter, Markdown."""
    return _card(BUNDLED / "compact.md")


def gallery_card() -> str:
    """Return the bundled gallery's card without its front matter, Markdown."""
    return _card(BUNDLED_GALLERY / "README.md")


def gallery_link(gallery_id: str) -> str:
    """Return a gallery's name, Markdown, with a link to its card if it is on the Hub."""
    if re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w.-]+)?", gallery_id):
        name = gallery_id.partition("@")[0]
        return f"[{gallery_id}](https://huggingface.co/datasets/{name})"
    return f"`{gallery_id}`"


def _card(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:  # the page works without a card
        return ""
    return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
