"""The private parts of gradio that the page relies on; nothing else touches any.

Gradio may change them in any release. `check_gradio` names at start what the installed version lacks;
tests/space/test_gradio_internals.py checks that each part still works as these files expect.
"""

from lookalike.space.gradio_internals.blocks import PrivateBlocks, current_page, page_of
from lookalike.space.gradio_internals.check import check_gradio
from lookalike.space.gradio_internals.components import (
    HTML,
    DerivedComponent,
    Dropdown,
    Gallery,
    Image,
    Selection,
    font_file,
    image_data,
    upload_root,
)

__all__ = [
    "HTML",
    "DerivedComponent",
    "Dropdown",
    "Gallery",
    "Image",
    "PrivateBlocks",
    "Selection",
    "check_gradio",
    "current_page",
    "font_file",
    "image_data",
    "page_of",
    "upload_root",
]
