"""What a build does with photos: judge and crop them one by one, embed their faces in batches.

A detector is given one photo at a time: MTCNN takes no less time a patch over the patches of several
photos than over those of one (R-Net 0.024 ms of 30, 0.032 of 64; O-Net 0.17 ms of 2, 0.24 of 64).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lookalike.building.gate import Reason, judge
from lookalike.building.ledger import Entry
from lookalike.building.thumbnails import thumbnail
from lookalike.faces.face import RGB, Detector
from lookalike.models.embedder import Embedder, Model, crop_face
from lookalike.sources.opening import Record


@dataclass(frozen=True, eq=False)
class Accepted:
    """A photo that passed the gate: the face's crop for the model, (height, width, 3) uint8 RGB, its quality
    and the detector's confidence, 0..1, and the encoded thumbnail, None where none is wanted.
    """

    crop: RGB
    quality: float
    confidence: float
    photo: bytes | None


def look(record: Record, detector: Detector, model: Model, *, thumbnails: bool) -> Accepted | Reason:
    """Return a record's face, ready for the model, or why it has no place in a gallery."""
    judged = judge(record.image, detector, box=record.box)
    if isinstance(judged, str):
        return judged
    image, face = judged.image, judged.face
    photo = thumbnail(image, face) if thumbnails else None
    return Accepted(crop_face(model, image, face), judged.quality, face.confidence, photo)


def embed(photos: Sequence[tuple[bytes, Accepted | Reason]], embedder: Embedder) -> list[Entry]:
    """Return the ledger's entries of photos by their digests, the accepted faces embedded in one go."""
    accepted = [(digest, face) for digest, face in photos if isinstance(face, Accepted)]
    entries = [Entry(digest, reason) for digest, reason in photos if not isinstance(reason, Accepted)]
    rows = embedder.embed_crops([face.crop for _, face in accepted])
    return entries + [
        Entry(digest, None, face.quality, face.confidence, row, face.photo)
        for (digest, face), row in zip(accepted, rows, strict=True)
    ]
