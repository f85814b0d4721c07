"""The texts of the tabs About and Scripts; their figures come from the model's card."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lookalike.files import BUNDLED
from lookalike.gallery.choices import Choices
from lookalike.gallery.gallery import BUNDLED_GALLERY
from lookalike.space.drawing.fonts import shown_name
from lookalike.space.finders import ServedGallery
from lookalike.space.texts import text

NO_CHOICES = Choices()
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
        gallery=_gallery_link(gallery.gallery_id),
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


def api_guide(url: str, models: Sequence[str] = (), choices: Choices = NO_CHOICES) -> str:
    """Return how to call the endpoints of the page at `url`, Markdown."""
    rows = ARGUMENTS
    there = {"category": choices.categories, "gender": choices.genders, "region": choices.regions}
    for name, values in there.items():
        if values:
            rows += f"- `{name}=None`: everybody, or only {_listed(values)}\n"
    text = API_GUIDE.replace("ARGUMENTS", rows).replace("MODELS", _listed(models))
    return text.replace("ADDRESS", url.rstrip("/"))


def _listed(names: Sequence[str]) -> str:
    """Return names as code, Markdown; backticks in them would end it early."""
    return ", ".join(f"`{re.sub('`', ' ', shown_name(name))}`" for name in names)


def public_url(scheme: str | None, host: str | None, root_path: str = "") -> str:
    """Return the page's URL from a request's headers; a host that is not a plain name is ignored.

    `root_path` is GRADIO_ROOT_PATH: the prefix behind a proxy, or the whole URL.
    """
    if root_path.startswith(("http://", "https://")):
        return root_path.rstrip("/")
    if host is None or not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", host):
        scheme, host = "http", "127.0.0.1:7860"
    return f"{'https' if scheme == 'https' else 'http'}://{host}{root_path.rstrip('/')}"


ARGUMENTS = """- `photo`: a file; as JSON `{"url": "data:image/jpeg;base64,…"}`
- `count=5`: the number of matches, 1 to 50
- `face=0`: the face whose matches the pictures show; 0 is the largest
- `model=None`: the default model, or one of MODELS
"""
API_GUIDE = """## From Python
```python
from gradio_client import Client, handle_file

client = Client("ADDRESS")
pictures, report = client.predict(
    photo=handle_file("me.jpg"), count=5, api_name="/find_lookalikes"
)
print(report["faces"][0]["matches"][0])
print(client.predict(
    first=handle_file("a.jpg"), second=handle_file("b.jpg"), api_name="/compare"
))
```
## With curl
```bash
page="ADDRESS/gradio_api/call"
photo() { printf '{"url": "data:image/jpeg;base64,%s"}' "$(base64 -w0 "$1")"; }
ask() {
  event=$(curl -s "$page/v2/$1" -H "Content-Type: application/json" -d @- | cut -d'"' -f4)
  curl -sN "$page/$1/$event"
}
echo "{\\"photo\\": $(photo me.jpg), \\"count\\": 5}" | ask find_lookalikes
echo "{\\"first\\": $(photo a.jpg), \\"second\\": $(photo b.jpg)}" | ask compare
```
## Arguments and results
`/find_lookalikes` takes

ARGUMENTS
and returns the pictures, each with a caption, and a report:
```json
{"model": "compact",
 "gallery": {"id": "bundled", "revision": "…", "names": 1080},
 "faces": [{"box": [210, 95, 118, 161], "confidence": 0.998, "standing": 0.83,
            "matches": [{"rank": 1, "name": "Ada Lovelace",
                         "about": {"field": "science & letters", "country": "United Kingdom", "born": 1815},
                         "similarity": 55.1, "score": 4.1, "cosine": 0.34,
                         "origin": null, "photos": 4, "photo": null}]}],
 "seconds": {"detect": 0.006, "embed": 0.003, "search": 0.001, "draw": 0.002}}
```
`box` is left, top, width and height in pixels of the upright photo. `standing` is the percentile of the first
match, 0 to 1: the share of strangers whose first match in this gallery is less similar; null if you choose
among the people. `about` has the known facts. `score` is what the percentage is made from. `origin` says
where the gallery's photo comes from, and `photos` how many photos its row stands for. `photo` has `credit`,
`licence` and `source` if the returned picture comes from Wikimedia Commons.

`/compare` takes `first` and `second` and compares the largest faces of both:
```json
{"similarity": 90.2, "score": 7.9, "cosine": 0.71, "same": true}
```
If something is wrong with your request, you get one clear sentence.
"""


def _gallery_link(gallery_id: str) -> str:
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
