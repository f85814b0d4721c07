"""Answers in words and in JSON: captions, sentences, and the report that scripts get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from lookalike.finder import Answer, Comparison, FoundFace, Match
from lookalike.gallery.choices import EVERYONE, Choice
from lookalike.gallery.credit import Credit
from lookalike.space.drawing.fonts import shown_name
from lookalike.space.finders import ServedGallery
from lookalike.space.texts import text

PROBLEMS = {  # keys of the words for `FoundFace.hard_to_read`
    "too small": "problem_small",
    "too dark": "problem_dark",
    "overexposed": "problem_bright",
    "blurred": "problem_blurred",
}
RARE = 0.90  # percentile from which the page calls a match rare
LOW_PERCENTILE = 0.10  # below it, the page says that nobody in the gallery looks much like the visitor


def caption(match: Match) -> str:
    """Return rank, name and percentage: "1 · Ada Lovelace · 55 %"."""
    return f"{match.rank} · {shown_name(match.name) or text('answer_no_name')} · {match.similarity:.0f} %"


def face_sentence(found: FoundFace, names: int) -> str:
    """Say that the face is hard to read if it is; if not, return `percentile_sentence`."""
    if not found.hard_to_read:
        return percentile_sentence(found, names)
    return text("answer_hard_to_read", problem=text(PROBLEMS[found.hard_to_read]))


def percentile_sentence(found: FoundFace, names: int) -> str:
    """Compare the first match with those of other visitors of a gallery of `names`; empty if not known."""
    if found.standing is None:
        return ""
    if found.standing < LOW_PERCENTILE:
        return text("answer_no_close_match", names=f"{names:,}")
    percent = min(99, round(100 * found.standing))
    return text("answer_rare" if found.standing >= RARE else "answer_percentile", percent=percent)


Credits = Mapping[int, Sequence[Credit | None]]  # by the face's place: those of its matches' pictures


def report(
    answer: Answer,
    gallery: ServedGallery,
    *,
    model: str | None = None,
    choice: Choice = EVERYONE,
    credits: Credits = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the answer as JSON: boxes in pixels of the upright photo, similarity 0..100, cosine -1..1.

    `names` and `revision` are those of the whole table of `model`, even if only some people were searched.
    `credits` are those of the pictures that are returned with the report.
    """
    finder = gallery.get(model)
    table = finder.gallery
    source = {"id": gallery.gallery_id, "revision": table.revision, "names": len(table.names)}
    return {
        "model": finder.embedder.model.name,
        "gallery": source | {name: value for name, value in asdict(choice).items() if value is not None},
        "faces": [_face(found, credits.get(place, ())) for place, found in enumerate(answer.faces)],
        "seconds": answer.seconds,
    }


def comparison(result: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON."""
    return {
        "similarity": round(result.similarity, 1),
        "score": round(result.score, 4),
        "cosine": round(result.cosine, 4),
        "same": bool(result.same),
        "hard_to_read": bool(result.hard_to_read),
    }


def _face(found: FoundFace, credits: Sequence[Credit | None]) -> dict[str, Any]:
    credits = [*credits, *[None] * (len(found.matches) - len(credits))]
    return {
        "box": [round(float(value)) for value in found.face.box],
        "confidence": round(float(found.face.confidence), 3),
        "standing": None if found.standing is None else round(found.standing, 3),
        "hard_to_read": bool(found.hard_to_read),
        "matches": [
            {
                "rank": match.rank,
                "name": match.name,
                "about": dict(match.about),
                "similarity": round(match.similarity, 1),
                "score": round(match.score, 4),
                "cosine": round(match.cosine, 4),
                "origin": match.origin,
                "photos": match.photos,
                "photo": _photo(credit),
            }
            for match, credit in zip(found.matches, credits, strict=True)
        ],
    }


def _photo(credit: Credit | None) -> dict[str, str] | None:
    if credit is None:
        return None
    return {"credit": credit.author, "licence": credit.licence, "source": credit.source}
