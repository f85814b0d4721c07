"""The error tree: everything that can go wrong and that a user or an operator can fix.

    LookalikeError
    ├── ImageError            the bytes are not a photo that can be read, or it is too large
    ├── NoFaceError           a photo shows no face, but one is needed
    ├── UnknownModelError     no embedder or detector of that name
    ├── MissingFileError      a given file or folder does not exist
    ├── WeightsError          a model's weights are missing, damaged, or cannot be downloaded
    ├── SourceError           a source of celebrity photos cannot be read or is empty
    ├── HubError              the Hub rejects a gallery or cannot be reached
    ├── TrainingError         a training run has invalid settings or cannot continue
    ├── OutOfMemoryError      there is not enough memory for a request
    ├── EngineError           the machines that run a build cannot be reached or have failed
    ├── MissingExtraError     an optional package is needed but not installed
    ├── VersionError          an installed package lacks parts that this project needs
    ├── WikimediaError        Wikimedia does not answer, or asks to come back later
    └── GalleryError          a gallery cannot be read or trusted
        ├── MismatchError     gallery and model do not match
        └── UnreachableError  a gallery on the Hub cannot be downloaded

Every message is one sentence that says what to do. The page and the commands show it unchanged.
"""

from __future__ import annotations

import re

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # a terminal obeys some of them; not tab and newline


class LookalikeError(Exception):
    """Base class: a problem that the caller can fix.

    Its text may quote names from strangers' tables, so control characters in it are escaped.
    """

    def __str__(self) -> str:
        return CONTROLS.sub(lambda found: repr(found[0])[1:-1], super().__str__())


class ImageError(LookalikeError):
    """The bytes are not a photo that can be read, or the photo is too large."""


class NoFaceError(LookalikeError):
    """A photo shows no face, but one is needed."""


class UnknownModelError(LookalikeError):
    """There is no embedder or detector of that name."""


class MissingFileError(LookalikeError):
    """A given file or folder does not exist."""


class WeightsError(LookalikeError):
    """A model's weights are missing, damaged, or cannot be downloaded."""


class SourceError(LookalikeError):
    """A source of celebrity photos cannot be read or is empty."""


class HubError(LookalikeError):
    """The Hub rejects a gallery or cannot be reached."""


class TrainingError(LookalikeError):
    """A training run has invalid settings or cannot continue."""


class OutOfMemoryError(LookalikeError):
    """There is not enough memory for a request at the moment."""


class EngineError(LookalikeError):
    """The machines that run a build cannot be reached or have failed."""


class MissingExtraError(LookalikeError):
    """An optional package is needed but not installed."""


class VersionError(LookalikeError):
    """An installed package lacks parts that this project needs."""


class WikimediaError(LookalikeError):
    """Wikimedia does not answer, or asks to come back after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class GalleryError(LookalikeError):
    """A gallery cannot be read or trusted."""


class MismatchError(GalleryError):
    """A gallery was built with another model or alignment than the one that embeds the photo."""


class UnreachableError(GalleryError):
    """A gallery on the Hub cannot be downloaded: no network, no such dataset, or no permission."""
