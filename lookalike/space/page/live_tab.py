"""The layout of the Live tab: the camera, and beside it whom the visitor looks like."""

from __future__ import annotations

import gradio as gr

from lookalike.space.components import FaceHTML, PhotoInput
from lookalike.space.finders import Finders
from lookalike.space.labels import label, label_sentence
from lookalike.space.page.camera import SHOW_CAMERA, STOP_CAMERA
from lookalike.space.page.live import LiveCallbacks, no_face

STREAMS = 2  # cameras at a time, in a queue of their own; each takes a tenth of a core at ten frames a second
FRAME_SECONDS = 0.1  # between frames; at twice that the picture looks jerky
STREAM_SECONDS = 600  # of computing; then the camera must be started again, so that nobody keeps a place
TRACK_SECONDS = 60  # after the last frame, that the running mean is remembered


def add_live_tab(finders: Finders) -> PhotoInput:
    """Add the camera, its buttons (their scripts are in live.js) and the answer; return the camera."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_id="live-camera"):
            camera = _camera()
            gr.Button(label("button_start"), variant="primary", size="lg", elem_id="start")
            with gr.Row(elem_id="live-buttons"):
                gr.Button(label("button_snap"), variant="primary", elem_id="snap", min_width=120)
                stop = gr.Button(label("button_stop"), elem_id="stop", min_width=120)
        with gr.Column(scale=6, min_width=300):
            picture = FaceHTML("", elem_id="live-picture")
            best = FaceHTML(label_sentence("page_live_start"), elem_id="live")
    track = gr.State(None, time_to_live=TRACK_SECONDS)
    camera.stream(
        LiveCallbacks(finders).frame,
        [camera, track],
        [picture, best, track],
        stream_every=FRAME_SECONDS,
        time_limit=STREAM_SECONDS,
        concurrency_limit=STREAMS,
        concurrency_id="live",
        show_progress="hidden",
        api_visibility="private",
    )
    camera.clear(lambda: (*no_face(), None), None, [picture, best, track], api_visibility="private")
    stopped = stop.click(None, None, camera, js=STOP_CAMERA, api_visibility="private")
    stopped.then(None, None, camera, js=SHOW_CAMERA, api_visibility="private")
    return camera


def _camera() -> PhotoInput:
    return PhotoInput(
        label=label("label_camera"),
        sources=["webcam"],
        streaming=True,
        webcam_options=gr.WebcamOptions(mirror=False),  # a model sees a mirrored face as another one
        buttons=[],
        height=420,
        elem_id="camera",
        elem_classes="takes-photos",
    )
