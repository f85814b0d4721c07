"""Everything that can go wrong and that somebody can mend.

    LookalikeError
    ├── ImageError            the bytes are not a photo that can be read, or it is too large
    ├── NoFaceError           a photo shows no face where one is needed
    ├── UnknownModelError     no embedder or detector of that name
    ├── MissingFileError      a file or folder that was named is not there
    ├── WeightsError          a model's weights are missing, cannot be fetched, or are not the expected ones
    ├── SourceError           a source of celebrity photos cannot be read, or holds none
    ├── HubError              the Hub does not take a gallery, or cannot be reached
    ├── TrainingError         a training run cannot go on as it is asked to
    ├── OutOfMemoryError      there is not enough memory for what was asked
    ├── EngineError           the machines that a build was given to cannot be reached, or gave up
    ├── MissingExtraError     an optional package that was asked for is not installed
    └── GalleryError          a gallery cannot be read or trusted
        ├── MismatchError     gallery and model do not belong together
        └── UnreachableError  a gallery on the Hub cannot be fetched

Every message is one sentence that says what to do. The page and the commands show it; nothing in between
rewrites it.
"""

from __future__ import annotations


class LookalikeError(Exception):
    """Any trouble that the caller can mend."""


class ImageError(LookalikeError):
    """The bytes are not a photo that can be read, or the photo is too large."""


class NoFaceError(LookalikeError):
    """A photo shows no face where one is needed."""


class UnknownModelError(LookalikeError):
    """There is no embedder or detector of that name."""


class MissingFileError(LookalikeError):
    """A file or folder that was named is not there."""


class WeightsError(LookalikeError):
    """A model's weights are missing, cannot be fetched, or are not the expected ones."""


class SourceError(LookalikeError):
    """A source of celebrity photos cannot be read, or holds none."""


class HubError(LookalikeError):
    """The Hub does not take a gallery, or cannot be reached."""


class TrainingError(LookalikeError):
    """A training run cannot go on as it is asked to."""


class OutOfMemoryError(LookalikeError):
    """There is not enough memory for what was asked; it may pass."""


class EngineError(LookalikeError):
    """The machines that a build was given to cannot be reached, or gave up."""


class MissingExtraError(LookalikeError):
    """An optional package that was asked for is not installed."""


class GalleryError(LookalikeError):
    """A gallery cannot be read or trusted."""


class MismatchError(GalleryError):
    """A gallery was made with another model or alignment than the one that embeds the photo."""


class UnreachableError(GalleryError):
    """A gallery on the Hub cannot be fetched: no network, no such dataset, or no right to read it."""
