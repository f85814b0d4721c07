"""What an answer says in words and numbers: captions, sentences, and the report that scripts get."""

from __future__ import annotations

from typing import Any

from lookalike.finder import Answer, Comparison, FoundFace, Lookalikes, Match
from lookalike.space.drawing.fonts import shown_name

FEW = 0.10  # under this share of first matches the page says that nobody here looks much like the visitor
LINGER = 3.0  # seconds that the browser has to fetch its preview of an upload before that is deleted

NO_FACE = "No face was found; try a photo that shows the face from the front, in good light."
MEANING = (
    "The percentage says how rare such likeness is: of all pairs of strangers, one in ten is at least 20 % "
    "alike, one in a hundred 40 %, one in a thousand 60 %. Two photos of one person are typically 90 % alike."
)


def caption(match: Match) -> str:
    """Return rank, name and percentage: "1 · Ada Lovelace · 55 %"."""
    return f"{match.rank} · {shown_name(match.name) or 'no name'} · {match.similarity:.0f} %"


def standing_sentence(found: FoundFace, names: int) -> str:
    """Say how the first match compares with those of others in a gallery of `names`; empty if unknown."""
    if found.standing is None:
        return ""
    if found.standing < FEW:
        return f"No close look-alike was found among these {names:,} names; here are the nearest anyway."
    return f"Your first match is closer than {min(99, round(100 * found.standing))} % of first matches here."


def report(answer: Answer, finder: Lookalikes, gallery_id: str, category: str | None) -> dict[str, Any]:
    """Return the answer as JSON: boxes in pixels of the upright photo, similarity 0..100, cosine -1..1.

    The gallery is the whole one of `finder`; a category that alone was searched is named beside it.
    """
    gallery = finder.gallery
    whole = {"id": gallery_id, "revision": gallery.revision, "names": len(gallery.names)}
    return {
        "model": finder.embedder.model.name,
        "gallery": whole | ({"category": category} if category else {}),
        "faces": [_face(found) for found in answer.faces],
        "seconds": answer.seconds,
    }


def comparison(result: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON."""
    return {
        "similarity": round(result.similarity, 1),
        "cosine": round(result.cosine, 4),
        "same": bool(result.same),
    }


def _face(found: FoundFace) -> dict[str, Any]:
    return {
        "box": [round(float(value)) for value in found.face.box],
        "confidence": round(float(found.face.confidence), 3),
        "standing": None if found.standing is None else round(found.standing, 3),
        "matches": [
            {
                "rank": match.rank,
                "name": match.name,
                "similarity": round(match.similarity, 1),
                "cosine": round(match.cosine, 4),
                "origin": match.origin,
            }
            for match in found.matches
        ],
    }
