"""Errors as sentences that visitors and scripts read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import gradio as gr

from lookalike.errors import LookalikeError
from lookalike.faces.quality import no_face_advice
from lookalike.images import RGB

NO_ADDRESSES = "Upload the photo itself; web addresses and files on the server are not read."
NO_MEMORY = "There is not enough memory right now; try a smaller photo, or try again in a minute."
NO_PHOTO = "There is no photo; choose one first."
OUTDATED_PAGE = "The page has changed since you opened it; reload it and choose the photo again."
PHOTO_GONE = "The photo is no longer here; choose it again."
UNREADABLE_REQUEST = "The request could not be read; send the arguments that the API description lists."

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")


def no_face(image: RGB) -> str:
    """Return what visitors read if no face was found in an (H, W, 3) uint8 RGB photo."""
    return f"No face was found in the photo; {no_face_advice(image)}"


def user_error(sentence: str) -> gr.Error:
    """Return an error that shows the caller this sentence and logs nothing.

    The page shows it as HTML, so that a tag in a gallery's name is escaped.
    """
    return gr.Error(sentence.replace("<", "&lt;"), title="That did not work", print_exception=False)


def as_sentence(error: LookalikeError | MemoryError) -> str:
    """Return what a visitor reads about an error."""
    return NO_MEMORY if isinstance(error, MemoryError) else str(error)


def errors_as_sentences(callback: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """Decorate a callback so that the caller sees the sentence of a LookalikeError, and no other details."""

    @wraps(callback)
    def wrapped(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        try:
            return callback(*args, **kwargs)
        except (LookalikeError, MemoryError) as error:
            raise user_error(as_sentence(error)) from None

    return wrapped
