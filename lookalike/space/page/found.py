"""What the server remembers of a visitor's photo, and how another choice looks its faces up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lookalike.faces.face import Face
from lookalike.finder import FoundFace, Probe
from lookalike.gallery.choices import EVERYONE, Choice
from lookalike.images import RGB
from lookalike.space.drawing.own_face import scaled
from lookalike.space.finders import ServedGallery
from lookalike.space.messages import user_error
from lookalike.space.texts import text

MAX_SHOWN = 20  # matches on the page; a longer list is tiring to read
ALL_MODELS = "*"  # instead of a model's name: the default model, and the others' results beside it


@dataclass(frozen=True)
class Options:
    """The options of a search; `model` None is the default one."""

    count: int
    model: str | None = None
    all_models: bool = False
    choice: Choice = EVERYONE

    @classmethod
    def of(
        cls,
        count: object,
        model: str | None = None,
        category: str | None = None,
        gender: str | None = None,
        region: str | None = None,
    ) -> Options:
        """Return the options that a browser sent; raise gr.Error for an impossible count."""
        if not isinstance(count, int | float) or not 1 <= count <= MAX_SHOWN:
            raise user_error(text("error_count", most=MAX_SHOWN))
        choice = Choice(gender or None, category or None, region or None)
        return cls(int(count), None if model == ALL_MODELS else model, model == ALL_MODELS, choice)


@dataclass(frozen=True)
class Found:
    """What the server remembers of a photo; no pixel is kept.

    `width` is that of the original in pixels, `faces` have their matches, `names` is the size of the whole
    table. `probes` has the faces' embeddings by model: each is computed once, so that another choice of
    people or of their number cannot change a percentage.
    """

    width: int
    faces: tuple[FoundFace, ...]
    names: int
    options: Options
    probes: Mapping[str, tuple[Probe, ...]] = field(default_factory=dict)


NOTHING_FOUND = Found(0, (), 0, Options(1))


def find_faces(image: RGB, options: Options, gallery: ServedGallery) -> tuple[RGB, Found]:
    """Return the photo, turned upright, and its faces with their matches. Raises LookalikeError."""
    finder = gallery.get(options.model, options.choice)
    answer = finder.answer(image, count=options.count)
    probes = {finder.embedder.model.name: tuple(face.embedding for face in answer.faces)}
    names = len(gallery.get(options.model).gallery.names)
    return answer.image, Found(answer.image.shape[1], answer.faces, names, options, probes)


def look_up(found: Found, plain: RGB, options: Options, gallery: ServedGallery) -> Found:
    """Return the matches of the same faces with other options. Raises LookalikeError.

    `plain` is the photo as it is shown; only the first look-up with another model needs it.
    """
    finder = gallery.get(options.model, options.choice)
    model = finder.embedder.model.name
    probes = found.probes.get(model) or tuple(
        finder.embedder.embed(plain, [shown_face(face.face, found, plain) for face in found.faces])
    )
    faces = tuple(
        replace(finder.lookup(face.face, probe, count=options.count), hard_to_read=face.hard_to_read)
        for face, probe in zip(found.faces, probes, strict=True)
    )
    names = len(gallery.get(options.model).gallery.names)
    known = {**found.probes, model: probes}
    return replace(found, faces=faces, names=names, options=options, probes=known)


def shown_face(face: Face, found: Found, plain: RGB) -> Face:
    """Return a face of the original photo in pixels of the photo as it is shown."""
    return scaled(face, plain.shape[1] / found.width)


def face_at(found: Found, plain: RGB, point: object) -> int | None:
    """Return the number of the face at a point (x, y) of the photo as it is shown, in its pixels.

    A finger is not exact: a face counts up to half its width around its box, and the nearest one wins. None
    if there is no such face, or if `point`, which comes from a browser, is not valid.
    """
    if not (isinstance(point, list) and len(point) == 2 and all(map(_is_pixel, point))):
        return None
    distances = {}
    for place, each in enumerate(found.faces):
        x, y, width, height = shown_face(each.face, found, plain).box
        right = (point[0] - x) / max(width, 1) - 0.5  # shares of the box, from its middle
        down = (point[1] - y) / max(height, 1) - 0.5
        distances[place] = max(abs(right), abs(down))
    nearest = min(distances, key=distances.__getitem__, default=None)
    return nearest if nearest is not None and distances[nearest] <= 1 else None


def _is_pixel(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1e6
