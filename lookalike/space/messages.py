"""Errors as sentences that visitors and scripts read."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import gradio as gr

from lookalike.errors import LookalikeError
from lookalike.faces.quality import no_face_advice
from lookalike.images import RGB
from lookalike.space.texts import LANGUAGE, text

NO_ADDRESSES = "Upload the photo itself; web addresses and files on the server are not read."
NO_MEMORY = "There is not enough memory right now; try a smaller photo, or try again in a minute."
NO_PHOTO = "There is no photo; choose one first."
OUTDATED_PAGE = "The page has changed since you opened it; reload it and choose the photo again."
PHOTO_GONE = "The photo is no longer here; choose it again."
UNREADABLE_REQUEST = "The request could not be read; send the arguments that the API description lists."

# What visitors read: the beginning of a sentence for scripts, and the key of the page's words
NO_FACE = "No face was found in the (?P<photo>first |second |)photo; "
VISITORS = {
    f"{NO_FACE}it is too dark": "error_no_face_dark",
    f"{NO_FACE}it is overexposed": "error_no_face_bright",
    f"{NO_FACE}if the face is small": "error_no_face_small",
    NO_FACE: "error_no_face",
    "This is not a photo that can be read": "error_unreadable_photo",
    "The photo is empty": "error_empty_photo",
    r"The photo has .* MB; use one of at most (?P<megabytes>\d+) MB": "error_photo_bytes",
    r"The photo is too large; at most (?P<megabytes>\d+) MB": "error_photo_bytes",
    r"The photo .*(at most|more than) (?P<megapixels>\d+) megapixels": "error_photo_pixels",
    "The file ends too early": "error_photo_incomplete",
    "The photo takes too long to read": "error_photo_slow",
    "There is not enough memory": "error_photo_memory",
    "There is no photo": "error_no_photo",
    "The photo is no longer here": "error_photo_gone",
    "The page has changed": "error_outdated_page",
    "There is no (category|gender|region|such model)|This gallery does not say": "error_outdated_page",
    "The (gallery|model) (?P<missing>.+) cannot be reached right now": "notice_fallback",
    "The request could not be read": "error_failed",
    "Something went wrong; reload": "error_failed",
    "Something went wrong while": "error_waiting",
    "Nobody in the gallery fits": "error_nobody_fits",
    "The model (?P<model>.+) is being loaded": "error_model_loading",
    "The model (?P<model>.+) could not be loaded": "error_model_failed",
    r"Queue is full. Max size is (?P<places>\d+)": "busy_queue",
    "Your address has as many requests": "busy_visitor",
    "Your address has as many answers": "busy_unread",
    "Too many large (photos|requests)|The request (is too large|took more)": "busy_bytes",
    r"Too many requests; wait (?P<seconds>\d+) seconds": "busy_rate",
    "Too many open pages": "busy_pages",
    "Too many requests at once": "busy_requests",
    r"Photos from your address took .* wait (?P<seconds>\d+) seconds": "busy_decoder",
}

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")


def no_face(image: RGB) -> str:
    """Return what visitors or scripts read if no face was found in an (H, W, 3) uint8 RGB photo."""
    return for_visitor(f"No face was found in the photo; {no_face_advice(image)}")


def for_visitor(sentence: str) -> str:
    """Return the page's words for an error, in the visitor's language; scripts get the sentence itself."""
    if not LANGUAGE.get():
        return sentence
    for pattern, key in VISITORS.items():
        if found := re.match(pattern, sentence):
            values = found.groupdict()
            photo = values.pop("photo", None)
            words = text(key, **values)
            return text(f"compare_in_{photo.strip()}", sentence=words) if photo else words
    return sentence


def user_error(sentence: str) -> gr.Error:
    """Return an error that shows the caller this sentence, a visitor in their language, and logs nothing.

    The page shows it as HTML, so that a tag in a gallery's name is escaped.
    """
    shown = for_visitor(sentence).replace("<", "&lt;")
    return gr.Error(shown, title=text("error_title"), print_exception=False)


def as_sentence(error: LookalikeError | MemoryError) -> str:
    """Return what a visitor or a script reads about an error."""
    return for_visitor(NO_MEMORY if isinstance(error, MemoryError) else str(error))


def errors_as_sentences(callback: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """Decorate a callback so that the caller sees the sentence of a LookalikeError, and no other details."""

    @wraps(callback)
    def wrapped(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        try:
            return callback(*args, **kwargs)
        except (LookalikeError, MemoryError) as error:
            raise user_error(as_sentence(error)) from None

    return wrapped
