"""The card: a README.md that says what a gallery holds, where it comes from, how to be taken out of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from lookalike.gallery.gallery import Gallery
from lookalike.gallery.settings import SETTINGS_FILE

CARD_FILE = "README.md"
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
)  # the Hub's words
KNOWN_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]*")  # the shape of the Hub's identifiers, such as cc-by-nc-4.0

_PAGE = """\
---
{front}
---

# Faces to look like

{names:,} names in {rows:,} rows, for finding which celebrity a photo looks like. Each row is {row},
as {dim} numbers of unit length that the model `{model}` makes of the face.

| | |
|---|---|
| source | {source} |
| licence | {licence} |
| model | {model}, weights SHA-256 `{weights_hash}` |
| detector | {detector} |
| alignment | {alignment} |
| revision | `{revision}` |

## What became of every record

| | records |
|---|---:|
{counts}
| **all** | **{total:,}** |

## Columns

| column | |
|---|---|
| `name` | whose face it is |
| `photo` | a thumbnail of the face, empty where none may be shown |
| `embedding` | {dim} float32 numbers of unit length |
| `confidence` | the detector's, 0 to 1; empty for a mean |
| `origin` | the source and its row or file; empty for a mean |
| `photos` | how many photos the row stands for |
| `category` | as in the source, if it had one |
| `age`, `gender` | when the photo was taken; columns only where the source tells |

`{model}/gallery.json` holds the settings that decide which model and alignment belong to these rows.

## Loading it

```python
import numpy as np
from datasets import load_dataset

rows = load_dataset("{place}", "{model}", split="train").with_format("numpy")
cosines = rows["embedding"][:] @ rows[0]["embedding"]
print([rows[int(row)]["name"] for row in np.argsort(-cosines)[:5]])
```

The page serves it with `python app.py --gallery {place}`.

## Use, and how to be taken out

The photos come from datasets that were published for research; the rows are for research and play. A likeness
says nothing about who somebody is: do not identify people with it. A name is taken out with
`python build_gallery.py {place} --remove "NAME"`, and stays out of later builds when it is added to the file
that they are given with `--exclude`.
"""


def write_card(folder: Path, gallery: Gallery) -> None:
    """Write the card of a gallery that was saved into `folder`; an older one is replaced in one step."""
    partial = folder / f".{CARD_FILE}.partial"
    partial.write_text(card(gallery, models_in(folder), place="PATH"), encoding="utf-8")
    os.replace(partial, folder / CARD_FILE)


def models_in(folder: Path) -> list[str]:
    """Return the models that a folder holds a table for."""
    return sorted(file.parent.name for file in folder.glob(f"[!.]*/{SETTINGS_FILE}"))


def card(gallery: Gallery, models: Sequence[str], *, place: str) -> str:
    """Return the card's Markdown, with the Hub's front matter, for a folder with these `models` that is
    found at `place`.
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
        place=place,
    )


def front_matter(gallery: Gallery, models: Sequence[str]) -> str:
    """Return the YAML that the Hub reads: licence, task, size, and one configuration for each of `models`."""
    licence = gallery.settings.licence
    lines = (
        [f"license: {licence}"]
        if KNOWN_LICENCE.fullmatch(licence)
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
    """Return text that Markdown and HTML show as it is, on one line, inside a table too."""
    plain = " ".join(text.split())
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|~$-])", r"\\\1", plain)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a YAML string


def _size(rows: int) -> str:
    return next((words for limit, words in SIZES if rows < limit), "n>1M")
