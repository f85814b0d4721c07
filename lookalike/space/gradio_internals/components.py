"""Gradio's components and files, as far as the page uses parts of them that gradio does not document."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from lookalike.space.messages import NO_ADDRESSES, user_error


class DerivedComponent(type(gr.Image)):  # type: ignore[misc]  # gradio has no types here
    """Gradio's metaclass, which writes no .pyi file here; the browser draws a subclass as its parent."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> type:
        return ABCMeta.__new__(cls, name, bases, {**attributes, "is_template": True})


class HTML(gr.HTML, metaclass=DerivedComponent):  # type: ignore[misc]
    """The component gr.HTML, for subclasses."""


class Dropdown(gr.Dropdown, metaclass=DerivedComponent):  # type: ignore[misc]
    """The component gr.Dropdown, for subclasses."""


class Gallery(gr.Gallery, metaclass=DerivedComponent):  # type: ignore[misc]
    """The component gr.Gallery, for subclasses."""

    def gallery_data(self, files: Sequence[tuple[Path, str]]) -> Any:
        """Return what `postprocess` must return for picture files with captions."""
        data = gr.components.gallery
        images = [data.GalleryImage(image=image_data(path=str(path)), caption=text) for path, text in files]
        return data.GalleryData(root=images)


class Image(gr.Image, metaclass=DerivedComponent):  # type: ignore[misc]
    """The component gr.Image, for subclasses; it refuses web addresses, which gr.Image would fetch."""

    async def async_move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        """Raise gr.Error for a web address; leave files to gradio."""
        if "://" in str(url_or_file_path or ""):
            raise user_error(NO_ADDRESSES)
        return await super().async_move_resource_to_block_cache(url_or_file_path)


class Selection(gr.SelectData):  # type: ignore[misc]
    """The item that was clicked: `index`, or None. gr.SelectData raises KeyError if a request has none."""

    def __init__(self, target: object, data: object) -> None:
        gr.events.EventData.__init__(self, target, data)
        self.index = data.get("index") if isinstance(data, dict) else None


def image_data(*, path: str | None = None, url: str | None = None) -> Any:
    """Return the value of an image component: a file of gradio's cache, or a data: URL."""
    return gr.data_classes.ImageData(path=path, url=url)


def upload_root() -> Path:
    """Return the folder where gradio stores uploads and pictures."""
    return Path(gr.utils.get_upload_folder())


def font_file(*, bold: bool) -> Path:
    """Return the file of the font that gradio ships; it may be missing in another version."""
    folder = Path(gr.__file__).parent / "templates" / "frontend" / "static" / "fonts" / "IBMPlexSans"
    return folder / f"IBMPlexSans-{'Bold' if bold else 'Regular'}.woff2"
