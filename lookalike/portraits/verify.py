"""Whether a picture shows a person: it has one good face, and our own model recognizes it.

So a namesake, a statue, a group and a picture of the person as a child are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ImageError
from lookalike.faces.face import RGB, Detector, Face
from lookalike.faces.quality import face_size, sharpness
from lookalike.faces.thumbnail import thumbnail
from lookalike.images import read_image
from lookalike.models.embedder import Embedder
from lookalike.portraits.portrait import Verdict

MIN_FACE_SIZE = 24.0  # pixels, see lookalike.faces.quality; the thumbnail is then about 100 pixels wide
MIN_SHARPNESS = 0.10  # as for photos of a gallery, see lookalike.building.gate
RIVAL_AREA = 1 / 3  # of the largest face's area, as there: a second face of this size is no background


@dataclass(frozen=True)
class Check:
    """What a picture shows; `thumbnail` is WebP if it is a picture of the person, else empty."""

    verdict: Verdict
    reason: str = ""
    thumbnail: bytes = field(default=b"", repr=False)


class Verifier:
    """Checks pictures with a detector and a model.

    `matches` says whether an embedding (dim,) of unit length shows the person of this name in the gallery.
    `decode` turns bytes into (H, W, 3) RGB uint8 and raises ImageError; the page decodes in other processes.
    """

    def __init__(
        self,
        *,
        detector: Detector,
        embedder: Embedder,
        matches: Callable[[NDArray[np.float32], str], bool],
        decode: Callable[[bytes], RGB] = read_image,
    ) -> None:
        self._detector, self._embedder, self._matches, self._decode = detector, embedder, matches, decode

    def check(self, name: str, picture: bytes) -> Check:
        """Return whether the bytes are a picture of the person, with a thumbnail if they are."""
        try:
            image = self._decode(picture)
        except ImageError:
            return Check(Verdict.UNSURE, "the picture cannot be read")
        if min(image.shape[:2]) < MIN_FACE_SIZE:
            return Check(Verdict.UNSURE, "the picture is too small")
        faces = self._detector.detect(image)
        if not faces:
            return Check(Verdict.NO_FACE)
        if flaw := _flaw(image, faces):
            return Check(Verdict.UNSURE, flaw)
        (embedding,) = self._embedder.embed(image, faces[:1])
        if not self._matches(embedding, name):
            return Check(Verdict.ANOTHER_PERSON, "the model does not recognize the person")
        return Check(Verdict.PICTURED, "", thumbnail(image, faces[0]))


def _flaw(image: RGB, faces: Sequence[Face]) -> str:
    """Return why the largest face cannot be used, "" if it can."""
    face, *others = faces
    if any(other.area > RIVAL_AREA * face.area for other in others):
        return "several faces"
    if face_size(face) < MIN_FACE_SIZE:
        return "the face is too small"
    return "the face is blurred" if sharpness(image, face) < MIN_SHARPNESS else ""
