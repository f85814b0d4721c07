"""The gallery of matches on the page, safe for many visitors at a time."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from gradio.components.gallery import GalleryData, GalleryImage
from gradio.data_classes import ImageData

from lookalike.space.page.unstubbed import Unstubbed


class PictureGallery(gr.Gallery, metaclass=Unstubbed):  # type: ignore[misc]
    """A gallery that takes JPEGs with captions.

    Gradio's own writes a picture anew for every answer, under a name made of its content: whoever is just
    fetching the same picture then gets half a file.
    """

    is_template = True  # tells gradio that the browser draws this as the class above

    def postprocess(self, value: Sequence[tuple[bytes, str]] | None) -> GalleryData:
        """Return the pictures as files in gradio's cache, which deletes them after a while."""
        return GalleryData(
            root=[
                GalleryImage(
                    image=ImageData(path=str(_stored(jpeg, Path(self.GRADIO_CACHE)))), caption=caption
                )
                for jpeg, caption in value or ()
            ]
        )


def _stored(jpeg: bytes, folder: Path) -> Path:
    """Return a file with these bytes; one that is there already is only marked as used just now."""
    path = folder / hashlib.sha256(jpeg).hexdigest() / "picture.jpg"
    try:
        os.utime(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(jpeg)
        Path(partial).replace(path)  # so that nobody sees half of it
    return path
