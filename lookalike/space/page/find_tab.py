"""The layout of the Find tab: the photo and its options on the left, the answer on the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr

from lookalike.space.api.endpoints import DEFAULT_COUNT
from lookalike.space.components import (
    Chips,
    Choice,
    FaceHTML,
    PagePhoto,
    PhotoInput,
    PictureGallery,
)
from lookalike.space.drawing.facts import fact
from lookalike.space.drawing.fonts import shown_name
from lookalike.space.finders import Finders, ServedGallery
from lookalike.space.labels import label
from lookalike.space.page.feedback import FeedbackButtons
from lookalike.space.page.find_callbacks import FindCallbacks
from lookalike.space.page.first_screen import add_first_screen
from lookalike.space.page.found import ALL_MODELS, MAX_SHOWN
from lookalike.space.page.friends import FriendsButtons
from lookalike.space.page.reveal import CloserButtons
from lookalike.space.page.scrolling import scroll_to
from lookalike.space.page.sharing import follow_share
from lookalike.space.texts import text

REMEMBER_SECONDS = 1800  # that the server knows where the faces of a photo are; then it must be chosen again

SHOW_RESULT, SHOW_START = scroll_to("#duel"), scroll_to("#title")
# If the request failed, as when too many wait, gradio shows why; the earlier answer must not stay.
NO_RESULT = "() => { endWaiting(); return [true, false].map(visible => ({__type__: 'update', visible})); }"
# Taking a photo away is answered too, maybe while the next one is on its way.
END_WAITING = "(plain, notice) => { if (plain || notice) endWaiting(); }"
WAITING = '<p role="status"></p><progress max="1"></progress>'  # upload.js fills it


class FindTab(NamedTuple):
    """The components of the tab that other parts of the page need."""

    matches: PictureGallery
    choices: list[Any]  # that follow the gallery: see `option_values`
    examples: gr.HTML


def add_find_tab(finders: Finders, queue: dict[str, Any]) -> FindTab:
    """Add the photo and its answer; `queue` holds the options of the queue for requests to a model."""
    with gr.Row(equal_height=False):
        intro, faces = add_first_screen()
        with gr.Column(scale=5, min_width=300, elem_id="find-photo"):
            photo, chooser, notice = _photo_side()
            options = _options(finders.current)
        with gr.Column(visible=False, scale=6, min_width=300) as results:
            parts = _results_side(finders)
            feedback = FeedbackButtons(finders)
    plain, place = PhotoInput(visible=False), gr.State(0)
    found = gr.State(None, time_to_live=REMEMBER_SECONDS)
    callbacks = FindCallbacks(finders)
    face_view = [parts.duel, parts.matches, parts.bars, parts.beside, parts.percentile]
    face_view += [place, parts.why, parts.share, parts.closer.row, parts.closer.panel]
    photo_view = [photo, plain, found, chooser, notice, intro, results]
    photo_view += [parts.friends.row, parts.friends.panel, *face_view]
    chosen = [plain, found, chooser, place]
    private = {"api_visibility": "private", **queue}
    searching = {"show_progress_on": parts.matches, "trigger_mode": "always_last", **private}

    answered = photo.input(callbacks.find, [photo, *options], photo_view, **searching)
    answered.then(None, [plain, notice], None, js=END_WAITING, api_visibility="private")
    answered.success(js=SHOW_RESULT, api_visibility="private")
    changed = [getattr(option, "release", option.input) for option in options]
    searched = gr.on(changed, callbacks.find_again, [*chosen[:3], *options], photo_view, **searching)
    for search in (answered, searched):
        search.failure(None, None, [intro, results], js=NO_RESULT, api_visibility="private")
    chooser.input(callbacks.choose_face, chosen[:3], [photo, *face_view], **private)
    tapped = photo.select(callbacks.tap_face, chosen[:3], [chooser, photo, *face_view], **private)
    tapped.success(js=SHOW_RESULT, api_visibility="private")
    parts.friends.follow(chosen[:2], private)
    one_match = [parts.duel, *face_view[4:]]
    another = parts.matches.select(callbacks.choose_match, chosen[:3], one_match, **private)
    another.success(js=SHOW_RESULT, api_visibility="private")
    parts.closer.follow(chosen, private)
    parts.again.click(callbacks.again, None, photo_view, js=SHOW_START, api_visibility="private")
    parts.explain.click(callbacks.explain, chosen, parts.why, **private)
    feedback.follow(parts.duel, found, chooser, place)
    follow_share(parts.draw, parts.share, finders, chosen, private)
    return FindTab(parts.matches, options[1:], faces)


def option_values(gallery: ServedGallery) -> list[dict[str, Any]]:
    """Return the properties of the components that follow a gallery: model, category, gender, region."""
    models = [*((shown_name(name), name) for name in gallery.models), (text("chip_all_models"), ALL_MODELS)]
    there = gallery.choices
    genders = sorted(there.genders, reverse=True)  # women first
    return [
        {"choices": models, "value": gallery.models[0], "visible": len(gallery.models) > 1},
        _chips("field", text("chip_all_fields"), there.categories),
        _chips("gender", text("chip_everyone"), genders),
        _chips("region", text("chip_everywhere"), there.regions),
    ]


def _chips(kind: str, everybody: str, values: Sequence[str]) -> dict[str, Any]:
    chips = [(everybody, ""), *((fact(kind, value), value) for value in values)]
    return {"choices": chips, "value": "", "visible": bool(values)}


def _options(gallery: ServedGallery) -> list[Any]:
    models, categories, genders, regions = option_values(gallery)
    gender = Chips(label=label("label_who"), elem_id="gender", elem_classes="chips", **genders)
    category = Chips(label=label("label_field"), elem_id="category", elem_classes="chips", **categories)
    region = Chips(label=label("label_from"), elem_id="region", elem_classes="chips", **regions)
    with gr.Accordion(label("label_options"), open=False):
        count = gr.Slider(1, MAX_SHOWN, DEFAULT_COUNT, step=1, label=label("label_count"), elem_id="count")
        model = Choice(label=label("label_model"), elem_id="model", **models)
    return [count, model, category, gender, region]


def _photo_side() -> tuple[PagePhoto, gr.Radio, gr.Markdown]:
    photo = PagePhoto(
        label=label("label_photo"),
        sources=["upload", "webcam", "clipboard"],
        placeholder=label("page_drop"),
        webcam_options=gr.WebcamOptions(mirror=False),  # a model sees a mirrored face as another one
        buttons=[],
        height=420,
        elem_id="photo",
        elem_classes="takes-photos",
    )
    gr.HTML(WAITING, elem_id="waiting")
    chooser = gr.Radio([], label=label("label_faces"), visible=False, elem_id="chooser")
    return photo, chooser, gr.Markdown(visible=False, elem_id="notice")


class _Results(NamedTuple):
    """The components that show an answer."""

    duel: FaceHTML
    matches: PictureGallery
    bars: gr.HTML
    beside: gr.HTML
    percentile: gr.Markdown
    explain: gr.Button
    draw: gr.Button
    why: FaceHTML
    share: FaceHTML
    closer: CloserButtons
    friends: FriendsButtons
    again: gr.Button


def _results_side(finders: Finders) -> _Results:
    duel = FaceHTML(elem_id="duel")
    percentile = gr.Markdown(elem_id="percentile")
    closer = CloserButtons(finders)
    with gr.Row():
        explain = gr.Button(label("button_why"), elem_id="ask", min_width=120)
        draw = gr.Button(label("button_share"), elem_id="draw", min_width=120)
    why, share = FaceHTML(visible=False, elem_id="why"), FaceHTML(visible=False, elem_id="share")
    matches = PictureGallery(
        label=label("label_matches"),
        show_label=False,
        columns=5,
        object_fit="scale-down",  # a small picture is not enlarged
        height="auto",
        buttons=[],
        interactive=False,
        allow_preview=False,
        preview=True,  # frames the first picture of new ones
        elem_id="matches",
    )
    bars, beside = gr.HTML(elem_id="bars"), gr.HTML(visible=False, elem_id="beside")
    friends = FriendsButtons(finders)
    again = gr.Button(label("button_again"), elem_id="again")
    gr.Markdown(label("page_meaning"), elem_id="meaning")
    return _Results(
        duel, matches, bars, beside, percentile, explain, draw, why, share, closer, friends, again
    )
