"""What happens when somebody hands over a photo: the listeners of the page and the endpoints for scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

import gradio as gr

from lookalike.errors import ImageError, LookalikeError, NoFaceError
from lookalike.finder import FoundFace
from lookalike.images import RGB
from lookalike.space import report
from lookalike.space.drawing import draw_faces, picture_of, shrink
from lookalike.space.finders import Finders
from lookalike.space.photo import trouble

COUNT = 5  # matches on the page
MAX_COUNT = 50  # matches that a script may ask for: each is a picture to draw
NO_PHOTO = "There is no photo; choose one first."

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")
Update = dict[str, Any]  # what gr.update returns
Pictures = list[tuple[bytes, str]]  # a JPEG and its caption


@dataclass(frozen=True)
class Seen:
    """What the page remembers of a photo, which is no pixel: its width, and the faces with their matches."""

    width: int
    faces: tuple[FoundFace, ...]


class View(NamedTuple):
    """Everything that a new photo changes on the page, in the order of the listener's outputs.

    `plain` is the photo without frames; the browser keeps it and sends it back when another face is chosen.
    """

    photo: RGB | None
    plain: RGB | None
    seen: Seen | None
    chooser: Update
    notice: Update
    intro: Update
    results: Update
    matches: Pictures
    standing: str


def sentences(handler: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """Show the caller the sentence of every LookalikeError; anything else stays inside."""

    @wraps(handler)
    def wrapped(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        try:
            return handler(*args, **kwargs)
        except LookalikeError as error:
            raise trouble(str(error)) from None

    return wrapped


class Handlers:
    """The listeners, with the finders that answer them; the endpoints' argument names are a contract."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @sentences
    def find_lookalikes(
        self, photo: RGB | None, count: int = COUNT, face: int = 0, model: str | None = None
    ) -> tuple[Pictures, dict[str, Any]]:
        """Return the matches of one face as pictures, and a report on all faces."""
        if count is None or not 1 <= count <= MAX_COUNT:
            raise trouble(f"The argument count must be from 1 to {MAX_COUNT}.")
        finder = self.finders.get(model)
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
        return pictures(answer.faces[int(face)]), report.report(answer, finder, self.finders.gallery_id)

    @sentences
    def compare(self, first: RGB | None, second: RGB | None) -> dict[str, Any]:
        """Return how alike the largest faces of two photos are."""
        if first is None or second is None:
            raise ImageError("Two photos are needed; send both.")
        return report.comparison(self.finders.served.compare(first, second))

    @sentences
    def look(self, photo: RGB | None) -> View:
        """Show what was found in a new photo; without one, the page as it was at first."""
        if photo is None:
            return _blank(None, "")
        answer = self.finders.served.answer(photo, count=COUNT)
        plain = shrink(answer.image)
        if not answer.faces:
            return _blank(plain, report.NO_FACE)
        seen = Seen(answer.image.shape[1], answer.faces)
        drawn, matches, standing = self._chosen(plain, seen, 0)
        several = len(seen.faces) > 1
        return View(
            photo=drawn,
            plain=plain if several else None,
            seen=seen,
            chooser=gr.update(choices=_choices(len(seen.faces)), value=0, visible=several),
            notice=gr.update(visible=False),
            intro=gr.update(visible=False),
            results=gr.update(visible=True),
            matches=matches,
            standing=standing,
        )

    @sentences
    def choose(self, plain: RGB | None, seen: Seen | None, face: int | None) -> tuple[RGB, Pictures, str]:
        """Show the matches of another face of the same photo."""
        if plain is None or seen is None or face is None or not 0 <= face < len(seen.faces):
            raise ImageError("The photo is no longer here; choose it again.")
        return self._chosen(plain, seen, face)

    def _chosen(self, plain: RGB, seen: Seen, face: int) -> tuple[RGB, Pictures, str]:
        drawn = draw_faces(plain, [found.face for found in seen.faces], face, width=seen.width)
        found = seen.faces[face]
        names = len(self.finders.served.gallery.names)
        return drawn, pictures(found), report.standing_sentence(found, names)


def pictures(found: FoundFace) -> Pictures:
    """Return each match as a picture with its caption."""
    return [(picture_of(match.name, match.photo), report.caption(match)) for match in found.matches]


def _blank(photo: RGB | None, notice: str) -> View:
    return View(
        photo=photo,
        plain=None,
        seen=None,
        chooser=gr.update(visible=False),
        notice=gr.update(value=notice, visible=bool(notice)),
        intro=gr.update(visible=True),
        results=gr.update(visible=False),
        matches=[],
        standing="",
    )


def _choices(count: int) -> list[tuple[str, int]]:
    return [(f"Face {place + 1}", place) for place in range(count)]
