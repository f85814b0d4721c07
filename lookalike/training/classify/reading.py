"""Turn missing and damaged files into errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lookalike.errors import MissingFileError, TrainingError


@contextmanager
def reading(path: Path, *, missing: str, damaged: str) -> Iterator[None]:
    """Translate the errors of reading and parsing `path` inside the block.

    Raises MissingFileError with the sentence `missing` when a file does not exist, and TrainingError that
    ends in `damaged`, which says what to do, when the content is invalid.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise MissingFileError(missing) from error
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} cannot be read; {damaged}.") from error
