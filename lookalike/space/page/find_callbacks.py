"""The callbacks of the Find tab: search a photo, choose a face or a match, explain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from lookalike.errors import LookalikeError
from lookalike.finder import Match
from lookalike.images import RGB
from lookalike.models.explain import heat_map, main_parts
from lookalike.space.api.endpoints import DEFAULT_COUNT, captioned, pictures
from lookalike.space.api.report import face_sentence
from lookalike.space.components import BadPhoto
from lookalike.space.drawing import html
from lookalike.space.drawing.cards import draw_faces, encode, shrink
from lookalike.space.drawing.own_face import heat_portrait, portrait
from lookalike.space.finders import Finders, ServedGallery
from lookalike.space.gradio_internals import Selection
from lookalike.space.messages import as_sentence, errors_as_sentences, no_face
from lookalike.space.page.checks import checked_face, checked_match
from lookalike.space.page.found import Found, Options, face_at, find_faces, look_up, shown_face
from lookalike.space.page.views import (
    FaceView,
    PhotoView,
    Update,
    answer_view,
    empty_view,
    face_choices,
    hidden,
    view_without_answer,
)
from lookalike.space.pictures import Picture, picture_for


class FindCallbacks:
    """The callbacks, with what is served. A browser may send anything, so every argument is checked."""

    def __init__(self, finders: Finders) -> None:
        self.finders = finders

    def find(
        self,
        photo: RGB | BadPhoto | None,
        count: float | None = DEFAULT_COUNT,
        model: str | None = None,
        category: str | None = None,
        gender: str | None = None,
        region: str | None = None,
    ) -> PhotoView:
        """Show the matches of a new photo; without one, the page as it was at first.

        If something is wrong with the photo, nothing of an earlier answer stays, and a sentence says why.
        """
        if photo is None:  # the photo stays as it is: one may have been pasted meanwhile
            return view_without_answer(gr.skip(), None, None, gr.update(visible=False), "")
        if isinstance(photo, BadPhoto):
            return empty_view(None, photo.sentence)
        options, gallery = Options.of(count, model, category, gender, region), self.finders.current
        plain = shrink(photo)
        try:
            upright, found = find_faces(photo, options, gallery)
            plain = shrink(upright)
            if not found.faces:
                return empty_view(plain, no_face(upright))
            view = self._face_view(plain, found, 0, gallery)
        except (LookalikeError, MemoryError) as error:
            return empty_view(plain, as_sentence(error))
        return answer_view(_framed(plain, found, 0), plain, found, face_choices(len(found.faces)), view)

    def find_again(
        self, plain: RGB | None, found: Found | None, face: int | None, *options: Any
    ) -> PhotoView | Update:
        """Look the same faces up with other options; the chosen face stays chosen.

        Before there is a photo nothing changes, so that a late callback cannot undo a newer answer.
        """
        if plain is None:
            return gr.skip()
        if found is not None and not found.faces:
            return self.find(plain, *options)
        chosen = Options.of(*options)
        try:
            plain, found, face = checked_face(plain, found, face)
            found = look_up(found, plain, chosen, self.finders.current)
            view = self._face_view(plain, found, face, self.finders.current)
        except (LookalikeError, MemoryError) as error:
            return view_without_answer(gr.skip(), gr.skip(), gr.skip(), gr.skip(), as_sentence(error))
        return answer_view(gr.skip(), gr.skip(), found, gr.skip(), view)

    @errors_as_sentences
    def choose_face(self, plain: RGB | None, found: Found | None, face: int | None) -> tuple[object, ...]:
        """Show the matches of another face of the same photo."""
        plain, found, face = checked_face(plain, found, face)
        return (_framed(plain, found, face), *self._face_view(plain, found, face, self.finders.current))

    @errors_as_sentences
    def tap_face(
        self, plain: RGB | None, found: Found | None, face: int | None, event: Selection
    ) -> tuple[object, ...] | Update:
        """Choose the face that was tapped in the photo; beside the faces nothing changes."""
        plain, found, face = checked_face(plain, found, face)
        tapped = face_at(found, plain, event.index)
        if tapped is None or tapped == face:
            return gr.skip()
        return (tapped, *self.choose_face(plain, found, tapped))

    @errors_as_sentences
    def choose_match(
        self, plain: RGB | None, found: Found | None, face: int | None, event: Selection
    ) -> tuple[str, str, int, Update, Update, Update, Update]:
        """Show another match beside the visitor's face. The percentile belongs to the first one alone."""
        plain, found, face = checked_face(plain, found, face)
        match = checked_match(found, face, event.index)
        picture = picture_for(match, self.finders)
        percentile = face_sentence(found.faces[face], found.names) if match.rank == 1 else ""
        duel = _duel(plain, found, face, match, picture)
        return duel, percentile, match.rank - 1, hidden(), hidden(), _closer(picture), hidden()

    @errors_as_sentences
    def explain(self, plain: RGB | None, found: Found | None, face: int | None, place: int | None) -> Update:
        """Show which parts of the face make it similar to the chosen match."""
        plain, found, face = checked_face(plain, found, face)
        match, finder = checked_match(found, face, place), self.finders.get(found.options.model)
        box = shown_face(found.faces[face].face, found, plain)
        heat = heat_map(plain, box, finder.embedder, finder.gallery.rows_of(match.name))
        picture = encode(heat_portrait(plain, box, heat))
        return gr.update(value=html.explanation(picture, match, main_parts(heat)), visible=True)

    def _face_view(self, plain: RGB, found: Found, face: int, gallery: ServedGallery) -> FaceView:
        matches, shown = found.faces[face].matches, pictures(found.faces[face], self.finders)
        return FaceView(
            _duel(plain, found, face, matches[0], shown[0]),
            gr.update(value=captioned(found.faces[face], shown), selected_index=0),
            html.match_bars(matches, [picture.credit for picture in shown]),
            _all_models(plain, found, face, gallery) if found.options.all_models else hidden(),
            face_sentence(found.faces[face], found.names),
            0,
            hidden(),
            hidden(),
            _closer(shown[0]),
            hidden(),
        )

    def again(self) -> PhotoView:
        """Return the page as it was at first, without a photo."""
        return empty_view(None, "")


def _all_models(plain: RGB, found: Found, face: int, gallery: ServedGallery) -> Update:
    """Return the results of every model for one face; one that cannot be used says why."""
    gallery.start_loading()
    box = shown_face(found.faces[face].face, found, plain)
    default, *others = gallery.models
    results: dict[str, Sequence[Match] | str] = {default: found.faces[face].matches}
    for model in others:
        try:
            finder = gallery.get(model, found.options.choice)
            (probe,) = finder.embedder.embed(plain, [box])
            results[model] = finder.lookup(box, probe, count=len(found.faces[face].matches)).matches
        except LookalikeError as error:
            results[model] = as_sentence(error)
    return gr.update(value=html.model_columns(results), visible=True)


def _duel(plain: RGB, found: Found, face: int, match: Match, picture: Picture) -> str:
    own = portrait(plain, found.faces[face].face, width=found.width)
    return html.face_pair(encode(own), match, picture.jpeg, picture.credit)


def _closer(picture: Picture) -> Update:
    """Show the buttons that look closer at a picture; a card has no face."""
    return gr.update(visible=not picture.is_card)


def _framed(plain: RGB, found: Found, face: int) -> RGB:
    return draw_faces(plain, [each.face for each in found.faces], face, width=found.width)
