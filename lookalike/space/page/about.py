"""What the page says about itself; figures come from the model's card, which is made with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lookalike.files import BUNDLED
from lookalike.gallery.gallery import BUNDLED_GALLERY
from lookalike.space.api.report import MEANING
from lookalike.space.drawing.fonts import shown_name
from lookalike.space.finders import Finders

HOW = """## How it works
A detector finds each face and its eyes, nose and mouth, and the face is turned upright and cut out. A
small neural network turns it into a row of numbers, so that faces that look alike get rows that point
the same way. The row is compared with those of every name in the gallery, and the nearest are shown.
"""
PRIVACY = """## What happens to your photo
It is read, deleted, and forgotten with the answer: no photo, no face and no row of numbers is written
down or sent anywhere else. Camera frames are treated the same. A search for a name starts only when you
click on its link.
"""
REMOVAL = """## Not in here, please
Whoever is in a gallery and does not want to be is taken out by whoever runs this page: the name goes
into a text file, and the gallery is built again with `python build_gallery.py SOURCE --output FOLDER
--exclude FILE`. For the gallery that comes with the project that file is
`lookalike/bundled/exclude.txt`.
"""
LIMITS = (
    "Similarity is not identification: do not use it to tell who somebody is, to let anybody in, or to judge "
    "people. The cards below say whose photos taught it, and for whom it was never measured."
)

RIGHT = ("same or not", "nearest is right")  # columns of the card's table
GROUPS = ("all", "source", "photo")  # its rows that are kinds of people and photos, not of damage
ACCURACY = (
    "## How often it is right, by group\n"
    "“Same or not” says how often two photos were rightly taken for one person or for two; “nearest is "
    "right”, how often the photo nearest to another was of the same person. It learned from none of these "
    "people. By sex, age or origin it was not measured.\n\n"
)


def about(finders: Finders) -> str:
    """Return the page's account of itself, Markdown."""
    served = finders.served
    parts = [HOW, f"## What the percentage means\n{MEANING}\n", accuracy(model_card()), PRIVACY, REMOVAL]
    parts.append(
        f"## Cards\nServed here: the model **{served.embedder.model.name}** and the gallery "
        f"{_gallery_link(finders.gallery_id)} (revision `{served.gallery.revision}`). {LIMITS}"
    )
    return "\n".join(part for part in parts if part)


def accuracy(card: str) -> str:
    """Return how often the model is right by source and kind of photo, from the table in its card, Markdown.

    Empty where the card has no such table.
    """
    table = _table(card, ["group", "photos", *RIGHT])
    if not table:
        return ""
    columns = [table[0].index(title) for title in ("photos", *RIGHT)]
    rows = [row for row in table if row[0] in GROUPS and len(row) == len(table[0])]
    lines = [[f"{row[0]}: {row[1]}", *(row[column] for column in columns)] for row in rows]
    head = [["group", "photos", *RIGHT], ["---"] * (len(RIGHT) + 2)]
    return ACCURACY + "\n".join(f"| {' | '.join(line)} |" for line in [*head, *lines]) + "\n"


def _table(card: str, titles: list[str]) -> list[list[str]]:
    """Return the rows, head first, of the card's table that has these columns; empty where it has none."""
    found: list[list[str]] = []
    for line in card.splitlines():
        row = [cell.strip() for cell in line.strip("| ").split("|")]
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


def calls(address: str, models: Sequence[str] = (), categories: Sequence[str] = ()) -> str:
    """Return the calls that scripts make, and what comes back, Markdown."""
    rows = ARGUMENTS
    if categories:
        rows += f"- `category=None`: everybody, or only {_listed(categories)}\n"
    text = CALLS.replace("ARGUMENTS", rows).replace("MODELS", _listed(models))
    return text.replace("ADDRESS", address.rstrip("/"))


def _listed(names: Sequence[str]) -> str:
    """Return names as code, Markdown; they come from a gallery, which is somebody else's file."""
    return ", ".join(f"`{re.sub('`', ' ', shown_name(name))}`" for name in names)


def public_address(scheme: str | None, host: str | None) -> str:
    """Return the page's own address from a request's headers; whatever is no plain host name is left out."""
    if host is None or not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", host):
        return "http://127.0.0.1:7860"
    return f"{'https' if scheme == 'https' else 'http'}://{host}"


ARGUMENTS = """- `photo`: a file; as JSON `{"url": "data:image/jpeg;base64,…"}`
- `count=5`: how many matches, 1 to 50
- `face=0`: whose matches the pictures show, the largest face first
- `model=None`: the page's own, or another: MODELS
"""
CALLS = """## From Python
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
## What goes in and out
`/find_lookalikes` takes

ARGUMENTS
and returns the pictures, each with a caption, and a report:
```json
{"model": "compact",
 "gallery": {"id": "bundled", "revision": "…", "names": 1080},
 "faces": [{"box": [210, 95, 118, 161], "confidence": 0.998, "standing": 0.83,
            "matches": [{"rank": 1, "name": "Ada Lovelace", "similarity": 55.1,
                         "cosine": 0.34, "origin": null}]}],
 "seconds": {"detect": 0.006, "embed": 0.003, "search": 0.001, "draw": 0.002}}
```
The box is left, top, width and height in pixels of the upright photo; `standing`, 0 to 1, says how many first
matches are less alike; `origin`, where the gallery's photo is from.

`/compare` takes `first` and `second` and returns, of the largest face of each:
```json
{"similarity": 90.2, "cosine": 0.71, "same": true}
```
What you can mend arrives as one sentence.
"""


def _gallery_link(gallery_id: str) -> str:
    if re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w.-]+)?", gallery_id):
        name = gallery_id.partition("@")[0]
        return f"[{gallery_id}](https://huggingface.co/datasets/{name})"
    return f"`{gallery_id}`"


def _card(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:  # a card is no reason not to serve
        return ""
    return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
