"""The live camera: the best match of each frame, steady because it is looked up with a running mean."""

from __future__ import annotations

from dataclasses import dataclass, replace

import gradio as gr
import numpy as np

from lookalike.images import RGB
from lookalike.models.embedder import Embeddings, unit_rows
from lookalike.space.api.endpoints import Update, sentences
from lookalike.space.drawing import html as sheets
from lookalike.space.drawing.cards import picture_of
from lookalike.space.finders import Finders

COUNT = 3  # names beside the camera: more cannot be read while they change
NEWEST = 0.2  # weight of a new frame: at ten frames a second the mean follows within half a second
SAME = 0.25  # cosine to the mean below which another face has come before the camera
PATIENCE = 8  # frames without a face that are passed over: a blink, a turned head
LOOKING = "Look into the camera."


@dataclass(frozen=True, eq=False)
class Track:
    """The face before one visitor's camera: the running mean of its embeddings (dim,), not normalized, and
    how many frames in a row showed none; and whose picture is shown.
    """

    mean: Embeddings
    missed: int = 0
    name: str = ""


class Live:
    """The stream's listener."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @sentences
    def frame(self, photo: RGB | None, track: Track | None) -> tuple[Update, Update, Track | None]:
        """Return the picture and the words beside the camera after one more frame, and what to remember for
        the next.
        """
        if photo is None:
            return *nobody(), None
        finder = self.finders.served
        faces = finder.detector.detect(photo)[:1]
        if not faces:
            return _without_face(track)
        (probe,) = finder.embedder.embed(photo, faces)
        mean = smoothed(None if track is None else track.mean, probe)
        found = finder.lookup(faces[0], unit_rows(mean[None])[0], count=COUNT)
        best = found.matches[0]
        if track is None or track.name != best.name:  # a picture that stays is not sent again
            picture = gr.update(value=sheets.live_picture(best, picture_of(best.name, best.photo)))
        else:
            picture = gr.skip()
        return picture, gr.update(value=sheets.live(found.matches)), Track(mean, name=best.name)


def nobody() -> tuple[Update, Update]:
    """Return what stands beside the camera while no face is before it."""
    return gr.update(value=""), gr.update(value=sheets.live((), LOOKING))


def smoothed(mean: Embeddings | None, probe: Embeddings) -> Embeddings:
    """Return the running mean (dim,) after one more unit embedding (dim,); another face starts it anew."""
    if mean is None or float(unit_rows(mean[None])[0] @ probe) < SAME:
        return probe
    return np.asarray((1 - NEWEST) * mean + NEWEST * probe, np.float32)


def _without_face(track: Track | None) -> tuple[Update, Update, Track | None]:
    if track is None or track.missed >= PATIENCE:
        return *nobody(), None
    return gr.skip(), gr.skip(), replace(track, missed=track.missed + 1)
