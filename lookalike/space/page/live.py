"""The live camera: the best match of each frame, stabilized by a running mean of embeddings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import numpy as np

from lookalike.images import RGB
from lookalike.models.embedder import Embeddings, unit_rows
from lookalike.space.drawing import html
from lookalike.space.finders import Finders
from lookalike.space.messages import errors_as_sentences
from lookalike.space.pictures import picture_for
from lookalike.space.texts import text

COUNT = 3  # names beside the camera; more cannot be read while they change
NEW_FRAME_WEIGHT = 0.2  # in the mean: at ten frames a second it follows within half a second
SAME_FACE_COSINE = 0.25  # to the mean; below it, another face has come in front of the camera
MAX_MISSED_FRAMES = 8  # without a face before it counts as gone: a blink, a turned head

Update = dict[str, Any]  # what gr.update returns


@dataclass(frozen=True, eq=False)
class Track:
    """The face in front of one visitor's camera.

    `mean` is the running mean (dim,) of its embeddings, not normalized; `missed` counts the latest frames
    without a face; `name` is the match whose picture is shown.
    """

    mean: Embeddings
    missed: int = 0
    name: str = ""


class LiveCallbacks:
    """The callback of the camera's stream, with what is served."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @errors_as_sentences
    def frame(self, photo: RGB | None, track: Track | None) -> tuple[Update, Update, Track | None]:
        """Return the picture and the text beside the camera after one more frame, and the new track."""
        if photo is None:
            return *no_face(), None
        finder = self.finders.served
        faces = finder.detector.detect(photo)[:1]
        if not faces:
            return _missed(track)
        (embedding,) = finder.embedder.embed(photo, faces)
        mean = running_mean(None if track is None else track.mean, embedding)
        found = finder.lookup(faces[0], unit_rows(mean[None])[0], count=COUNT)
        best = found.matches[0]
        if track is None or track.name != best.name:  # an unchanged picture is not sent again
            shown = picture_for(best, self.finders)
            picture = gr.update(value=html.live_picture(best, shown.jpeg, shown.credit))
        else:
            picture = gr.skip()
        return picture, gr.update(value=html.live_matches(found.matches)), Track(mean, name=best.name)


def no_face() -> tuple[Update, Update]:
    """Return the picture and the text beside the camera while it sees no face."""
    return gr.update(value=""), gr.update(value=html.sentence(text("live_no_face")))


def running_mean(mean: Embeddings | None, embedding: Embeddings) -> Embeddings:
    """Return the running mean (dim,) after one more unit embedding (dim,); another face starts it anew."""
    if mean is None or float(unit_rows(mean[None])[0] @ embedding) < SAME_FACE_COSINE:
        return embedding
    return np.asarray((1 - NEW_FRAME_WEIGHT) * mean + NEW_FRAME_WEIGHT * embedding, np.float32)


def _missed(track: Track | None) -> tuple[Update, Update, Track | None]:
    if track is None or track.missed >= MAX_MISSED_FRAMES:
        return *no_face(), None
    return gr.skip(), gr.skip(), replace(track, missed=track.missed + 1)
