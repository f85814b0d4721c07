"""Find the celebrities who look most like a face.

from lookalike import Lookalikes

finder = Lookalikes.load()
for found in finder.find("me.jpg"):
    print([(match.name, match.similarity) for match in found.matches])
"""

from __future__ import annotations

import os

os.environ.setdefault(
    "ORT_DISABLE_TELEMETRY", "1"
)  # else onnxruntime writes a device id under the home folder

from lookalike.errors import (
    GalleryError,
    HubError,
    ImageError,
    LookalikeError,
    MismatchError,
    MissingFileError,
    NoFaceError,
    SourceError,
    UnknownModelError,
    WeightsError,
)
from lookalike.faces.face import Face
from lookalike.finder import Comparison, FoundFace, Lookalikes, Match
from lookalike.gallery.gallery import Gallery
from lookalike.models.deepface_table import register_with_deepface

__all__ = [
    "Comparison",
    "Face",
    "FoundFace",
    "Gallery",
    "GalleryError",
    "HubError",
    "ImageError",
    "LookalikeError",
    "Lookalikes",
    "Match",
    "MismatchError",
    "MissingFileError",
    "NoFaceError",
    "SourceError",
    "UnknownModelError",
    "WeightsError",
    "register_with_deepface",
]
