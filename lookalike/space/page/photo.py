"""The photo that a visitor or a script hands over: read by us, never fetched, never kept.

Gradio's own image decodes whatever it is given before our code sees it, opens any path that a script names
without its `meta` field, and fetches addresses. This one takes an upload or a data: URL, and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder

from lookalike.errors import ImageError, LookalikeError
from lookalike.images import MAX_BYTES, RGB
from lookalike.space.drawing.cards import encode
from lookalike.space.drawing.html import Sheet
from lookalike.space.middleware.decoders import DECODERS
from lookalike.space.middleware.uploads import Uploads
from lookalike.space.page.unstubbed import Unstubbed

log = logging.getLogger(__name__)

BASE64_BYTES = MAX_BYTES * 4 // 3 + 100  # what MAX_BYTES become in a data: URL, and its head
NO_ADDRESSES = "Send the photo itself, as an upload; addresses and files of the server are not read."
PLACEHOLDER = "Drop a photo here\nor click to choose one"
STALE = "This no longer fits the page; load it again and choose the photo anew."
UNREADABLE_REQUEST = "The request could not be read; send what the page's API description lists."


def trouble(sentence: str) -> gr.Error:
    """Return the error that shows the caller this sentence, and nothing in the log."""
    return gr.Error(sentence, title="That did not work", print_exception=False)


class PhotoInput(gr.Image, metaclass=Unstubbed):  # type: ignore[misc]
    """An image whose handler gets an upright (H, W, 3) uint8 RGB array.

    What it shows travels as data, so that no file of a face lies on the server.
    """

    is_template = True  # tells gradio that the browser draws this as the class above
    linger = 0.0  # seconds from reading an upload to deleting it
    decoders = DECODERS

    def preprocess(self, payload: ImageData | None) -> RGB | None:
        """Return the photo, and delete the upload; raise gr.Error with a sentence when it cannot be read."""
        if payload is None or not (payload.url or payload.path):
            return None
        try:
            return self.decoders.read(_bytes_of(payload, self.linger))
        except LookalikeError as error:
            raise trouble(str(error)) from None

    def postprocess(self, value: RGB | None) -> ImageData | None:
        """Return an (H, W, 3) uint8 RGB array as a data: URL."""
        if value is None:
            return None
        return ImageData(url=f"data:image/jpeg;base64,{base64.b64encode(encode(value)).decode()}")

    def example_payload(self) -> dict[str, Any]:
        """Return what the API description shows: a file, for gradio's own example is an address."""
        return {
            "path": "me.jpg",
            "url": "me.jpg",
            "orig_name": "me.jpg",
            "meta": {"_type": "gradio.FileData"},
        }

    async def async_move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        """Refuse an address, which gradio would fetch here."""
        if "://" in str(url_or_file_path or ""):
            raise trouble(NO_ADDRESSES)
        return await super().async_move_resource_to_block_cache(url_or_file_path)


class PrivateBlocks(gr.Blocks):  # type: ignore[misc]
    """A page that answers a malformed request with a sentence, deletes uploads, and remembers no photo."""

    def __init__(self, *, title: str, delete_cache: tuple[int, int]) -> None:
        super().__init__(title=title, delete_cache=delete_cache, analytics_enabled=False)
        self.upload_file_set = Uploads()
        self.temp_file_sets = [self.upload_file_set]

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        """Read a request's inputs, the last of which may be left out; gradio's own complaints would reach a
        script without their reason.
        """
        inputs = [*inputs, *(block.value for block in block_fn.inputs[len(inputs) :])]
        try:
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except gr.Error as error:
            if not error.print_exception:
                raise
            raise trouble(STALE) from None  # gradio's own, which repeats in the log what was sent
        except Exception as error:  # only the caller's data is read here, and it may be anything
            log.info("unreadable request: %s", type(error).__name__)  # its words may be the caller's
            raise trouble(UNREADABLE_REQUEST) from None
        finally:
            _forget(block_fn.inputs, state)

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Write an answer's outputs."""
        try:
            return await super().postprocess_data(block_fn, predictions, state)
        finally:
            _forget(block_fn.outputs, state)


def _forget(blocks: Sequence[Any], state: Any) -> None:
    """Drop the photos from what gradio remembers of a session, which it would keep in memory for hours."""
    for block in blocks:
        if state is not None and isinstance(block, PhotoInput | Sheet):
            state._update_value_in_config(block._id, None)


def _bytes_of(payload: ImageData, linger: float) -> bytes:
    if payload.url and payload.url.startswith("data:"):
        return _from_data_url(payload.url)
    if not payload.path:
        raise ImageError(NO_ADDRESSES)
    return _take_upload(payload.path, linger)


def _from_data_url(url: str) -> bytes:
    if len(url) > BASE64_BYTES:
        raise ImageError(f"The photo is too large; at most {MAX_BYTES / 1e6:.0f} MB can be read.")
    head, _, data = url.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError("not base64")
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError("The photo's data: URL cannot be read; send it as base64.") from error


def _take_upload(name: str, linger: float) -> bytes:
    """Return the bytes of an uploaded file, which is then deleted; raise ImageError for any other file."""
    try:
        path = Path(name).resolve()
        if not path.is_relative_to(Path(get_upload_folder()).resolve()):
            raise ImageError(NO_ADDRESSES)
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(f"The photo is too large; at most {MAX_BYTES / 1e6:.0f} MB can be read.")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise ImageError("The photo is no longer here; choose it again.") from error
    finally:
        if isinstance(page := LocalContext.blocks.get(None), PrivateBlocks):
            page.upload_file_set.done(name, linger=linger)
