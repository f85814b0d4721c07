"""The dataset card: a README.md with what a gallery holds, where it comes from and how to remove a name."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lookalike.files import write_text
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.storage import models_in

CARD_FILE = "README.md"
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
)  # the Hub's categories
LICENCE_ID = re.compile(
    r"[a-z0-9][a-z0-9.-]*"
)  # the form of the Hub's licence identifiers, such as cc-by-nc-4.0

FILE_PAGE = re.compile(r"https://commons\.wikimedia\.org/wiki/File:[\w.%~-]+", re.ASCII)
PEOPLE = """\
## Who is in it

| | names |
|---|---|
"""
COUNTED = 20  # values of a fact; the others are counted together
CREDITS = """\
## Credits of the photos

The photos are cropped.

| photo of | author | licence | source |
|---|---|---|---|
"""
_PAGE = """\
---
{front}
---

# Celebrity faces for finding look-alikes

{names:,} names in {rows:,} rows, for finding which celebrity a photo looks like. Each row is {row}, as an
embedding of {dim} numbers by the model `{model}`.

| | |
|---|---|
| source | {source} |
| licence | {licence} |
| model | {model}, weights SHA-256 `{weights_hash}` |
| detector | {detector} |
| alignment | {alignment} |
| revision | `{revision}` |

## What became of the source's records

| | records |
|---|---:|
{counts}
| **all** | **{total:,}** |

{people}## Columns

| column | |
|---|---|
| `name` | the celebrity's name |
| `photo` | a thumbnail of the face; empty where none may be shown |
| `embedding` | {dim} float32 numbers of unit length |
| `confidence` | the detector's confidence, 0 to 1; empty for a mean |
| `origin` | the source and its row or file; empty for a mean |
| `photos` | the number of photos that the row stands for |
| `category` | the source's category; empty where it has none |
| `credit`, `licence`, `source` | author, licence and page of a photo from Wikimedia Commons, if any |
| `age` | in years when the photo was taken; a column only where the source has it |
| `native`, `field`, `gender`, `country`, `born`, `known_for` | about the person; columns only where known |
| `cohort_mean`, `cohort_spread` | the row's cosines to the nearest strangers, which normalize scores |

`{model}/gallery.json` holds the settings: which model and alignment these rows belong to.

{credits}## Loading

```python
import numpy as np
from datasets import load_dataset

rows = load_dataset("{place}", "{model}", split="train").with_format("numpy")
cosines = rows["embedding"][:] @ rows[0]["embedding"]
print([rows[int(row)]["name"] for row in np.argsort(-cosines)[:5]])
```

`python app.py --gallery {place}` serves it as a page.

## Use, and how to remove a name

The photos come from datasets that were published for research; use the rows for research and play. A likeness
does not tell who somebody is: do not identify people with it. Remove a name with
`python build_gallery.py {place} --remove "NAME"`. To keep it out of later builds, add it to the file that you
give with `--exclude`.
"""


def write_card(folder: Path, gallery: Gallery) -> None:
    """Write the card of a gallery that was saved into `folder`. Raises OSError."""
    write_text(folder / CARD_FILE, card(gallery, models_in(folder), place="PATH"))


def card(gallery: Gallery, models: Sequence[str], *, place: str) -> str:
    """Return the card as Markdown with the Hub's front matter.

    `models` are all models of the dataset, and `place` is its id on the Hub or its path.
    """
    settings = gallery.settings
    return _PAGE.format(
        front=front_matter(gallery, models),
        names=len(gallery.names),
        rows=len(gallery),
        row="the mean of a name's photos" if gallery.origin(0) is None else "one photo",
        dim=settings.dim,
        model=settings.model,
        source=escape(settings.source),
        licence=escape(settings.licence),
        weights_hash=settings.weights_hash,
        detector=escape(settings.detector),
        alignment=escape(settings.alignment),
        revision=gallery.revision,
        counts="\n".join(f"| {what} | {number:,} |" for what, number in settings.records.items()),
        total=sum(settings.records.values()),
        people=_people(gallery),
        credits=_credits(gallery),
        place=place,
    )


def _people(gallery: Gallery) -> str:
    """Return the section that counts the names by field, gender and country, "" if none of these is known."""
    first = {name: row for row, name in reversed(list(enumerate(gallery.table["name"].to_pylist())))}
    facts = [gallery.about(row) for row in first.values()]
    lines = []
    for fact in ("field", "gender", "country"):
        counts = Counter(str(about[fact]) for about in facts if fact in about)
        shown = [f"{escape(value)} {count:,}" for value, count in counts.most_common(COUNTED)]
        others = sum(counts.values()) - sum(count for _, count in counts.most_common(COUNTED))
        if shown:
            lines.append(f"| {fact} | {', '.join(shown)}{f', others {others:,}' if others else ''} |")
    return f"{PEOPLE}{chr(10).join(lines)}\n\n" if lines else ""


def _credits(gallery: Gallery) -> str:
    """Return the section with the credit of every photo that has one, "" if none has."""
    owners = zip(gallery.table["name"].to_pylist(), range(len(gallery)), strict=True)
    credits = [(name, credit) for name, row in owners if (credit := gallery.credit(row))]
    lines = [
        f"| {escape(name)} | {escape(credit.author)} | {escape(credit.licence)} | {_link(credit.source)} |"
        for name, credit in credits
    ]
    return f"{CREDITS}{chr(10).join(lines)}\n\n" if lines else ""


def _link(address: str) -> str:
    """Return the address of a file page as a link, any other text as text."""
    return f"<{address}>" if FILE_PAGE.fullmatch(address) else escape(address)


def front_matter(gallery: Gallery, models: Sequence[str]) -> str:
    """Return the YAML that the Hub reads: licence, task, size, and a configuration for each model."""
    licence = gallery.settings.licence
    lines = (
        [f"license: {licence}"]
        if LICENCE_ID.fullmatch(licence)
        else ["license: other", f"license_name: {_quote(licence)}"]
    )
    lines += [
        "task_categories:",
        "- image-feature-extraction",
        "tags:",
        "- face",
        "- look-alike",
        "- embeddings",
    ]
    lines += ["size_categories:", f"- {_size(len(gallery))}", "configs:"]
    for model in models:
        lines += [f"- config_name: {_quote(model)}", f"  data_files: {_quote(model + '/*.parquet')}"]
        lines += ["  default: true"] if model == gallery.settings.model else []
    return "\n".join(lines)


def escape(text: str) -> str:
    """Return the text on one line, escaped so that Markdown (also in a table) and HTML show it literally."""
    plain = " ".join(text.split())
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|~$-])", r"\\\1", plain)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a YAML string


def _size(rows: int) -> str:
    return next((words for limit, words in SIZES if rows < limit), "n>1M")
