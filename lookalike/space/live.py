"""The live camera: the best match of each frame, steady because it is looked up with a running mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.embedders import Embeddings, unit_rows
from lookalike.images import RGB
from lookalike.space import sheets
from lookalike.space.finders import Finders
from lookalike.space.handlers import sentences

COUNT = 3  # names beside the camera: more cannot be read while they change
NEWEST = 0.2  # weight of a new frame: at ten frames a second the mean follows within half a second
SAME = 0.25  # cosine to the mean below which another face has come before the camera
PATIENCE = 8  # frames without a face that are passed over: a blink, a turned head
LOOKING = "Look into the camera."


@dataclass(frozen=True, eq=False)
class Track:
    """The face before one visitor's camera: the running mean of its embeddings (dim,), not normalized, and
    how many frames in a row showed none.
    """

    mean: Embeddings
    missed: int = 0
    shown: str = ""


class Live:
    """The stream's listener."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @sentences
    def frame(self, photo: RGB | None, track: Track | None) -> tuple[str, Track | None]:
        """Return what stands beside the camera after one more frame, and what to remember for the next."""
        if photo is None:
            return sheets.live((), LOOKING), None
        finder = self.finders.served
        faces = finder.detector.detect(photo)[:1]
        if not faces:
            return _without_face(track)
        (probe,) = finder.embedder.embed(photo, faces)
        mean = smoothed(None if track is None else track.mean, probe)
        found = finder.lookup(faces[0], unit_rows(mean[None])[0], count=COUNT)
        shown = sheets.live(found.matches)
        return shown, Track(mean, shown=shown)


def smoothed(mean: Embeddings | None, probe: Embeddings) -> Embeddings:
    """Return the running mean (dim,) after one more unit embedding (dim,); another face starts it anew."""
    if mean is None or float(unit_rows(mean[None])[0] @ probe) < SAME:
        return probe
    return np.asarray((1 - NEWEST) * mean + NEWEST * probe, np.float32)


def _without_face(track: Track | None) -> tuple[str, Track | None]:
    if track is None or track.missed >= PATIENCE:
        return sheets.live((), LOOKING), None
    return track.shown, Track(track.mean, track.missed + 1, track.shown)
