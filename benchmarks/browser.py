"""The finder in Chromium beside Python's: the same answers, and how long each takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.browser_site import answers
from lookalike.evaluation.markdown import markdown, percent
from lookalike.finder import Answer, Lookalikes

RGB = NDArray[np.uint8]
MEMORY = """async ([text, count]) => {
  const photo = await decode(text);
  for (let i = 0; i < count; i++) await finder.answer(photo);
  return performance.memory.totalJSHeapSize / 1e6;
}"""


@dataclass(frozen=True)
class Difference:
    """How far two answers to one photo are apart: pixels between the edges of boxes and between landmarks,
    points of the first match's percentage, and whether the first names are the same.

    `ahead` is by how many points Python's first match is ahead of its second.
    """

    faces: int
    same_faces: bool
    same_name: bool = False
    box: float = 0.0
    landmarks: float = 0.0
    points: float = 0.0
    ahead: float = 0.0


def compare(tab: Any, finder: Lookalikes, photos: Sequence[RGB]) -> list[Difference]:
    """Return the difference of the largest face of each (H, W, 3) photo in which Python finds one."""
    found = []
    for photo in photos:
        ours = finder.answer(photo)
        if ours.faces:
            found.append(_difference(ours, answers(tab, [photo])[0]))
    return found


def _difference(ours: Answer, theirs: dict[str, Any]) -> Difference:
    count = len(ours.faces)
    if len(theirs["faces"]) != count:
        return Difference(count, same_faces=False)
    one, other = ours.faces[0], theirs["faces"][0]
    match, runner_up = one.matches[:2]
    return Difference(
        count,
        same_faces=True,
        same_name=match.name == other["matches"][0]["name"],
        box=_farthest(one.face.box, other["face"]["box"]),
        landmarks=_farthest(one.face.landmarks, other["face"]["landmarks"]),
        points=abs(match.similarity - other["matches"][0]["similarity"]),
        ahead=match.similarity - runner_up.similarity,
    )


def _farthest(one: Any, other: Any) -> float:
    return float(np.abs(np.asarray(one) - np.asarray(other)).max())


def equality_table(differences: Sequence[Difference]) -> str:
    """Return the table of how far the answers are apart."""
    there = [each for each in differences if each.same_faces]
    rows = [
        ["the same number of faces", percent(len(there) / len(differences)), ""],
        ["the same first name", percent(np.mean([each.same_name for each in there]).item()), ""],
    ]
    for name, unit in (("box", "px"), ("landmarks", "px"), ("points", "points of the percentage")):
        values = np.array([getattr(each, name) for each in there])
        middle, most, worst = np.quantile(values, [0.5, 0.98, 1])
        rows.append([f"{name}, {unit}", f"{middle:.2f}", f"{most:.2f} / {worst:.2f}"])
    return markdown([f"of {len(differences)} faces", "all, or median", "98th percentile / largest"], rows)
