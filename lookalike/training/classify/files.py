"""Files of the training room that are missing or damaged, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lookalike.errors import MissingFileError, TrainingError


@contextmanager
def reading(path: Path, *, missing: str, damaged: str) -> Iterator[None]:
    """Raise MissingFileError with the sentence `missing` where the file is not there when it is read inside,
    and TrainingError with what to do when it is `damaged` where its content is not what it should be.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise MissingFileError(missing) from error
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} cannot be read; {damaged}.") from error
