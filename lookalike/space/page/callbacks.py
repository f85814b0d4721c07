"""What a visitor does with one photo: look, choose a face or a match, ask why, share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from lookalike.errors import ImageError, LookalikeError
from lookalike.finder import FoundFace, Match
from lookalike.images import RGB, read_image
from lookalike.models.explain import heat_map, parts_that_count
from lookalike.space.api import report
from lookalike.space.api.endpoints import COUNT, Pictures, Update, pictures, sentences
from lookalike.space.drawing import html as sheets
from lookalike.space.drawing.cards import draw_faces, encode, picture_of, shrink
from lookalike.space.drawing.fonts import drawable
from lookalike.space.drawing.own_face import heat_portrait, moved, portrait, share_picture
from lookalike.space.finders import Finders
from lookalike.space.page.photo import trouble

MOST = 20  # matches on the page: more is a list, not a game
ALL = "*"  # instead of a model's name: the served one, and beside it what the others say
GONE = "The photo is no longer here; choose it again."


@dataclass(frozen=True)
class Seen:
    """What the page remembers of a photo, which is no pixel: its width, and the faces with their matches;
    and in which table they were looked up, and whether the other models are asked too.
    """

    width: int
    faces: tuple[FoundFace, ...]
    model: str | None
    category: str | None
    beside: bool


class Picked(gr.SelectData):  # type: ignore[misc]  # gradio has no types here
    """Which match was clicked on; gradio's own fails, with a traceback, where a browser sends none."""

    def __init__(self, target: object, data: object) -> None:
        gr.EventData.__init__(self, target, data)
        self.index = data.get("index") if isinstance(data, dict) else None


class Chosen(NamedTuple):
    """What shows the matches of one face."""

    duel: str
    matches: Pictures
    bars: str
    beside: Update
    standing: str
    place: int
    why: Update
    share: Update


class View(NamedTuple):
    """Everything that a new photo changes on the page, in the order of the listener's outputs.

    `plain` is the photo without frames; the browser keeps it and sends it back when something is chosen.
    """

    photo: RGB | None
    plain: RGB | None
    seen: Seen | None
    chooser: Update
    notice: Update
    intro: Update
    results: Update
    duel: str
    matches: Update
    bars: str
    beside: Update
    standing: str
    place: int
    why: Update
    share: Update


class Visit:
    """The page's own listeners. A browser may send anything with them, so all of it is checked."""

    def __init__(self, finders: Finders, title: str) -> None:
        self.finders, self.title = finders, title

    @sentences
    def look(
        self, photo: RGB | None, count: float | None = COUNT, model: str | None = None, category: str = ""
    ) -> View:
        """Show what was found in a new photo; without one, the page as it was at first."""
        if photo is None:
            return _blank(None, "")
        if count is None or not 1 <= count <= MOST:
            raise trouble(f"Between 1 and {MOST} matches can be shown.")
        beside, model = model == ALL, None if model == ALL else model
        answer = self.finders.get(model, category).answer(photo, count=int(count))
        plain = shrink(answer.image)
        if not answer.faces:
            return _blank(plain, report.NO_FACE)
        seen = Seen(answer.image.shape[1], answer.faces, model, category, beside)
        chosen = self._chosen(plain, seen, 0)
        several = len(seen.faces) > 1
        return View(
            _framed(plain, seen, 0),
            plain,
            seen,
            gr.update(choices=_choices(len(seen.faces)), value=0, visible=several),
            gr.update(visible=False),
            gr.update(visible=False),
            gr.update(visible=True),
            chosen.duel,
            gr.update(value=chosen.matches, selected_index=None),
            *chosen[2:],
        )

    def again(self, plain: RGB | None, *options: Any) -> View | Update:
        """Look at the photo with other options; before there is one nothing changes, so that this answer may
        come after that to a photo given in the meantime.
        """
        return gr.skip() if plain is None else self.look(plain, *options)

    @sentences
    def choose(self, plain: RGB | None, seen: Seen | None, face: int | None) -> tuple[object, ...]:
        """Show the matches of another face of the same photo."""
        plain, seen, face = _still_there(plain, seen, face)
        return (_framed(plain, seen, face), *self._chosen(plain, seen, face))

    @sentences
    def pick(
        self, plain: RGB | None, seen: Seen | None, face: int | None, event: Picked
    ) -> tuple[str, int, Update, Update]:
        """Put another match beside the visitor's face."""
        plain, seen, face = _still_there(plain, seen, face)
        match = _match(seen, face, event.index)
        return _duel(plain, seen, face, match), match.rank - 1, _empty(), _empty()

    @sentences
    def why(self, plain: RGB | None, seen: Seen | None, face: int | None, place: int | None) -> Update:
        """Show which parts of the face carry the likeness to the chosen match."""
        plain, seen, face = _still_there(plain, seen, face)
        match, finder = _match(seen, face, place), self.finders.get(seen.model, seen.category)
        there = moved(seen.faces[face].face, plain.shape[1] / seen.width)
        heat = heat_map(plain, there, finder.embedder, finder.gallery.rows_of(match.name))
        picture = encode(heat_portrait(plain, there, heat))
        return gr.update(value=sheets.why(picture, match, parts_that_count(heat)), visible=True)

    @sentences
    def share(self, plain: RGB | None, seen: Seen | None, face: int | None, place: int | None) -> Update:
        """Draw a picture to download; it travels as data and is kept nowhere."""
        plain, seen, face = _still_there(plain, seen, face)
        match = _match(seen, face, place)
        own = portrait(plain, seen.faces[face].face, width=seen.width)
        theirs = read_image(picture_of(match.name, match.photo))
        name = drawable(match.name) or "a look-alike"
        drawn = share_picture(own, theirs, name, f"{match.similarity:.0f} %", self.title)
        return gr.update(value=sheets.shared(encode(drawn)), visible=True)

    def _chosen(self, plain: RGB, seen: Seen, face: int) -> Chosen:
        found = seen.faces[face]
        finder = self.finders.get(seen.model, seen.category)
        return Chosen(
            _duel(plain, seen, face, found.matches[0]),
            pictures(found),
            sheets.bars(found.matches),
            self._beside(plain, seen, face) if seen.beside else _empty(),
            report.standing_sentence(found, len(finder.gallery.names)),
            0,
            _empty(),
            _empty(),
        )

    def _beside(self, plain: RGB, seen: Seen, face: int) -> Update:
        """Return what every model says of a face; one that cannot be used says why."""
        there = moved(seen.faces[face].face, plain.shape[1] / seen.width)
        served, *others = self.finders.models
        said: dict[str, Sequence[Match] | str] = {served: seen.faces[face].matches}
        for model in others:
            try:
                finder = self.finders.get(model, seen.category)
                (probe,) = finder.embedder.embed(plain, [there])
                said[model] = finder.lookup(there, probe, count=len(seen.faces[face].matches)).matches
            except LookalikeError as error:
                said[model] = str(error)
        return gr.update(value=sheets.beside(said), visible=True)


def _duel(plain: RGB, seen: Seen, face: int, match: Match) -> str:
    own = portrait(plain, seen.faces[face].face, width=seen.width)
    return sheets.pair(encode(own), match, picture_of(match.name, match.photo))


def _framed(plain: RGB, seen: Seen, face: int) -> RGB:
    return draw_faces(plain, [found.face for found in seen.faces], face, width=seen.width)


def _still_there(plain: RGB | None, seen: Seen | None, face: object) -> tuple[RGB, Seen, int]:
    known = isinstance(face, int | float) and seen is not None and 0 <= face < len(seen.faces)
    if plain is None or seen is None or not known:
        raise ImageError(GONE)
    return plain, seen, int(face)  # type: ignore[call-overload]


def _match(seen: Seen, face: int, place: object) -> Match:
    matches = seen.faces[face].matches
    if not isinstance(place, int | float) or not 0 <= place < len(matches):
        raise trouble("There is no such match; choose one of those that are shown.")
    return matches[int(place)]


def _empty() -> Update:
    return gr.update(value="", visible=False)


def _blank(photo: RGB | None, notice: str) -> View:
    return View(
        photo,
        photo,
        None,
        gr.update(visible=False),
        gr.update(value=notice, visible=bool(notice)),
        gr.update(visible=True),
        gr.update(visible=False),
        "",
        gr.update(value=[]),
        "",
        _empty(),
        "",
        0,
        _empty(),
        _empty(),
    )


def _choices(count: int) -> list[tuple[str, int]]:
    return [(f"Face {place + 1}", place) for place in range(count)]
