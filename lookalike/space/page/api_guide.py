"""The guide to the API: how to call the endpoints from Python, with curl and from JavaScript.

It is in English, as the answers are. tests/space/test_api_guide.py runs every call.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.faces.face import Face
from lookalike.finder import Answer, Comparison
from lookalike.space.api.report import comparison, report
from lookalike.space.drawing.fonts import shown_name
from lookalike.space.finders import ServedGallery
from lookalike.space.page.about import gallery_link

GUIDE = Path(__file__).with_suffix(".md")


def api_guide(url: str, gallery: ServedGallery) -> str:
    """Return how to call the endpoints of the page at `url`, Markdown, with numbers of this gallery."""
    found, compared = samples(gallery)
    filled = {
        "ADDRESS": url.rstrip("/"),
        "CHOICES": _choices(gallery),
        "MODELS": _listed(gallery.models),
        "REPORT": json.dumps(found, indent=2, ensure_ascii=False),
        "COMPARISON": json.dumps(compared),
        "CARDS": cards(gallery, os.environ.get("SPACE_ID", "")),
    }
    return re.sub("|".join(filled), lambda place: filled[place[0]], GUIDE.read_text("utf-8"))


def samples(gallery: ServedGallery) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the report and the comparison for the gallery's first person, compared with the others.

    The numbers are those that a photo with this very embedding gets; the box is made up.
    """
    finder = gallery.finder
    probe = finder.gallery.embeddings[0]
    face = Face((210, 95, 118, 161), np.zeros((5, 2), np.float32), 0.998)
    own, *others = finder.lookup(face, probe, count=2).matches
    best = replace(others[0] if others else own, rank=1)
    standing = finder.gallery.standing(best.score, probe)
    found = replace(finder.lookup(face, probe, count=1), matches=(best,), standing=standing)
    seconds = {"detect": 0.006, "embed": 0.003, "search": 0.001, "draw": 0.002}
    answer = Answer(np.zeros((1, 1, 3), np.uint8), (found,), seconds)
    same = best.score >= finder.scale.same
    compared = Comparison(best.similarity, best.score, best.cosine, same)
    return report(answer, gallery), comparison(compared)


def cards(gallery: ServedGallery, space: str) -> str:
    """Return which model and gallery are served, Markdown; `space` is the Space's id, "" elsewhere."""
    model, served = f"`{gallery.models[0]}`", gallery_link(gallery.gallery_id)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", space):
        files = f"https://huggingface.co/spaces/{space}/blob/main/lookalike/bundled"
        model = f"[{gallery.models[0]}]({files}/compact.md)" if model == "`compact`" else model
        served = f"[bundled]({files}/gallery/README.md)" if gallery.gallery_id == "bundled" else served
    return f"Model: {model}. Gallery: {served}. The tab About has the cards of the bundled ones."


def _choices(gallery: ServedGallery) -> str:
    there = gallery.choices
    lists = {"category": there.categories, "gender": there.genders, "region": there.regions}
    rows = [
        f"- `{name}=None`: everybody, or only {_listed(values)}" for name, values in lists.items() if values
    ]
    return "".join(f"{row}\n" for row in rows)


def _listed(names: Sequence[str]) -> str:
    """Return names as code, Markdown; backticks in them would end it early."""
    return ", ".join(f"`{re.sub('`', ' ', shown_name(name))}`" for name in names)
