"""The endpoints for scripts, and what they share with the page's own listeners."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from lookalike.errors import ImageError, LookalikeError, NoFaceError
from lookalike.finder import FoundFace, timed
from lookalike.images import RGB
from lookalike.space.api import report
from lookalike.space.drawing.cards import picture_of
from lookalike.space.finders import Finders
from lookalike.space.page.photo import trouble

COUNT = 5  # matches on the page
MAX_COUNT = 50  # matches that a script may ask for: each is a picture to draw
NO_MEMORY = "There is not enough memory at the moment; try a smaller photo, or again in a while."
NO_PHOTO = "There is no photo; choose one first."

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")
Update = dict[str, Any]  # what gr.update returns
Pictures = list[tuple[bytes, str]]  # a JPEG and its caption


def sentences(handler: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """Show the caller the sentence of every LookalikeError; anything else stays inside."""

    @wraps(handler)
    def wrapped(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        try:
            return handler(*args, **kwargs)
        except LookalikeError as error:
            raise trouble(str(error)) from None
        except MemoryError:
            raise trouble(NO_MEMORY) from None

    return wrapped


class Handlers:
    """The endpoints, with the finders that answer them; the endpoints' argument names are a contract."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @sentences
    def find_lookalikes(
        self,
        photo: RGB | None,
        count: int = COUNT,
        face: int = 0,
        model: str | None = None,
        category: str | None = None,
    ) -> tuple[Pictures, dict[str, Any]]:
        """Return the matches of one face as pictures, and a report on all faces; if wanted, among the names
        of one category alone.
        """
        if count is None or not 1 <= count <= MAX_COUNT:
            raise trouble(f"The argument count must be from 1 to {MAX_COUNT}.")
        finder = self.finders.get(model, category)
        if photo is None:
            raise ImageError(NO_PHOTO)
        answer = finder.answer(photo, count=int(count))
        if not answer.faces:
            raise NoFaceError(report.NO_FACE)
        if face is None or not 0 <= face < len(answer.faces):
            raise trouble(
                f"The number of faces in the photo is {len(answer.faces)}; "
                "the argument face counts them from 0, the largest first."
            )
        with timed(answer.seconds, "draw"):
            drawn = pictures(answer.faces[int(face)])
        return drawn, report.report(answer, self.finders.get(model), self.finders.gallery_id, category)

    @sentences
    def compare(self, first: RGB | None, second: RGB | None) -> dict[str, Any]:
        """Return how alike the largest faces of two photos are."""
        if first is None or second is None:
            raise ImageError("Two photos are needed; send both.")
        return report.comparison(self.finders.served.compare(first, second))


def pictures(found: FoundFace) -> Pictures:
    """Return each match as a picture with its caption."""
    return [(picture_of(match.name, match.photo), report.caption(match)) for match in found.matches]
