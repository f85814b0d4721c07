"""Visitors' answers to "Does this look like you?", as counts by model and band of the percentage.

Nothing of the photo, the name or the visitor is kept: only how many said yes and how many said no.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

from lookalike.errors import LookalikeError
from lookalike.files import write_text

BAND = 10  # points of the percentage
ANSWERS = ("spot on", "not me")

Counts = dict[str, dict[str, dict[str, int]]]  # by model, by band ("60-70"), by answer


class Feedback:
    """The counts, in a JSON file that is replaced at every answer. Safe to use from several threads.

    A file that is already there is counted on. Raises LookalikeError if it holds anything else, and OSError
    if it cannot be read or its folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._counts = _read(path) if path.exists() else {}
        self._write()

    def count(self, model: str, similarity: float, *, spot_on: bool) -> None:
        """Count one answer about a match with this percentage, 0 to 100. Raises OSError."""
        low = min(int(max(similarity, 0.0)) // BAND * BAND, 100 - BAND)
        with self._lock:
            band = self._counts.setdefault(model, {}).setdefault(
                f"{low}-{low + BAND}", dict.fromkeys(ANSWERS, 0)
            )
            band[ANSWERS[0 if spot_on else 1]] += 1
            self._write()

    def _write(self) -> None:
        write_text(self._path, json.dumps(self._counts, indent=2, sort_keys=True) + "\n")


def _read(path: Path) -> Counts:
    wrong = LookalikeError(f"The file {path} holds no counts of feedback; name another file.")
    try:
        counts: Counts = json.loads(path.read_text("utf-8"))
        numbers = [band[answer] for bands in counts.values() for band in bands.values() for answer in ANSWERS]
    except (ValueError, AttributeError, KeyError, TypeError):
        raise wrong from None
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise wrong
    return counts
