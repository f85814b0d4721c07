"""The two endpoints for scripts: /find_lookalikes and /compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from lookalike.errors import ImageError, NoFaceError
from lookalike.finder import FoundFace, timed
from lookalike.gallery.choices import Choice
from lookalike.images import RGB
from lookalike.space.api import report
from lookalike.space.components import PhotoInput, PictureGallery
from lookalike.space.finders import Finders
from lookalike.space.messages import NO_PHOTO, errors_as_sentences, no_face, user_error
from lookalike.space.pictures import Picture, picture_for

DEFAULT_COUNT = 5  # matches
MAX_COUNT = 50  # matches; each is a picture to draw

FIND_DESCRIPTION = (
    "Find the celebrities who look most like a face. Send the photo as a data: URL. Returns the pictures of "
    "`count` matches (1 to 50) of face number `face` (0 is the largest), and a report on all faces of the "
    "photo. `model` is another model of the gallery. `category`, `gender` and `region` choose among the "
    "gallery's people, where it knows these facts; an unknown one is refused with a list of what there is. "
    "They change who is found, never a percentage."
)

Pictures = list[tuple[bytes, str]]  # a JPEG and its caption


class Endpoints:
    """The callbacks of the endpoints; the names of their arguments are part of the API."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    @errors_as_sentences
    def find_lookalikes(
        self,
        photo: RGB | None,
        count: int = DEFAULT_COUNT,
        face: int = 0,
        model: str | None = None,
        category: str | None = None,
        gender: str | None = None,
        region: str | None = None,
    ) -> tuple[Pictures, dict[str, Any]]:
        """Return pictures of the matches of one face, and a report on all faces.

        Gradio passes the descriptions of the arguments on to scripts and language models.

        Args:
            photo: The photo, as a data: URL such as data:image/jpeg;base64,… of at most 20 MB.
            count: The number of matches, 1 to 50.
            face: The face whose matches the pictures show; 0 is the largest.
            model: Another model that the gallery has a table for; leave it out for the default one.
            category: Only people of this category, such as sports, if the gallery has categories.
            gender: Only people of this gender, woman or man, if the gallery knows it.
            region: Only people of countries in this region, such as Europe, if the gallery knows countries.
        """
        if count is None or not 1 <= count <= MAX_COUNT:
            raise user_error(f"The argument count must be from 1 to {MAX_COUNT}.")
        gallery = self.finders.current
        choice = Choice(gender or None, category or None, region or None)
        finder = gallery.get(model, choice)
        if photo is None:
            raise ImageError(NO_PHOTO)
        answer = finder.answer(photo, count=int(count))
        if not answer.faces:
            raise NoFaceError(no_face(answer.image))
        if face is None or not 0 <= face < len(answer.faces):
            raise user_error(
                f"The number of faces in the photo is {len(answer.faces)}; "
                "the argument face counts them from 0, the largest first."
            )
        with timed(answer.seconds, "draw"):
            shown = pictures(answer.faces[int(face)], self.finders)
        credits = {int(face): [picture.credit for picture in shown]}
        result = report.report(answer, gallery, model=model, choice=choice, credits=credits)
        return captioned(answer.faces[int(face)], shown), result

    @errors_as_sentences
    def compare(self, first: RGB | None, second: RGB | None) -> dict[str, Any]:
        """Return how similar the largest faces of two photos are.

        Args:
            first: A photo, as a data: URL such as data:image/jpeg;base64,… of at most 20 MB.
            second: Another photo, also as a data: URL.
        """
        if first is None or second is None:
            raise ImageError("Two photos are needed; send both.")
        return report.comparison(self.finders.served.compare(first, second))


def pictures(found: FoundFace, finders: Finders) -> list[Picture]:
    """Return the picture of each match."""
    return [picture_for(match, finders) for match in found.matches]


def captioned(found: FoundFace, shown: Sequence[Picture]) -> Pictures:
    """Return the pictures of the matches with their captions."""
    captions = map(report.caption, found.matches)
    return [(picture.jpeg, caption) for picture, caption in zip(shown, captions, strict=True)]


def add_endpoints(finders: Finders, matches: PictureGallery, queue: dict[str, Any]) -> None:
    """Add the endpoints to the page. Their arguments are components that the page does not show.

    `matches` is the page's gallery, which gives the API its format of pictures; `queue` holds the options of
    the queue that all requests to a model share.
    """
    endpoints = Endpoints(finders)
    photo, first, second = (PhotoInput(label=label, visible=False) for label in ("photo", "first", "second"))
    numbers = {"count": DEFAULT_COUNT, "face": 0}
    count, face = (
        gr.Number(value, label=label, precision=0, visible=False) for label, value in numbers.items()
    )
    model, category, gender, region = (
        gr.Textbox(None, label=label, visible=False) for label in ("model", "category", "gender", "region")
    )
    answer, comparison = (gr.JSON(label=label, visible=False) for label in ("report", "comparison"))
    gr.on(
        [],
        endpoints.find_lookalikes,
        [photo, count, face, model, category, gender, region],
        [matches, answer],
        api_name="find_lookalikes",
        api_description=FIND_DESCRIPTION,
        **queue,
    )
    gr.on(
        [],
        endpoints.compare,
        [first, second],
        comparison,
        api_name="compare",
        api_description="Compare the largest faces of two photos. Returns the similarity (0 to 100), the "
        "score that it is made from, the cosine of the embeddings (-1 to 1), and whether they pass as the "
        "same person, which one pair of strangers in 1,000 does. Send each photo as a data: URL.",
        **queue,
    )
