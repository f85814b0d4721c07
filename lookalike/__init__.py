"""Find the celebrities who look most like a face.

from lookalike import Lookalikes

finder = Lookalikes.load()
for found in finder.find("me.jpg"):
    print([(match.name, match.similarity) for match in found.matches])
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

__version__ = "0.2.0"

# Without this, onnxruntime writes a device id into the home folder when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_MODULES = {  # the module of each public name; it is imported when the name is first used (PEP 562)
    "Comparison": "finder",
    "Face": "faces.face",
    "FoundFace": "finder",
    "Gallery": "gallery.gallery",
    "GalleryError": "errors",
    "HubError": "errors",
    "ImageError": "errors",
    "LookalikeError": "errors",
    "Lookalikes": "finder",
    "Match": "finder",
    "MismatchError": "errors",
    "MissingFileError": "errors",
    "NoFaceError": "errors",
    "SourceError": "errors",
    "UnknownModelError": "errors",
    "WeightsError": "errors",
    "register_with_deepface": "models.deepface_table",
}

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


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'lookalike' has no attribute '{name}'")
    return getattr(importlib.import_module(f"lookalike.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
