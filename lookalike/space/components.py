"""The page's own components: a photo input, a gallery of pictures, HTML with faces, a dropdown, chips."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from lookalike.errors import ImageError, LookalikeError
from lookalike.images import MAX_BYTES, RGB
from lookalike.space import gradio_internals
from lookalike.space.drawing.cards import encode
from lookalike.space.drawing.html import data_url
from lookalike.space.messages import NO_ADDRESSES, OUTDATED_PAGE, PHOTO_GONE, as_sentence, user_error
from lookalike.space.middleware.decoders import DECODERS

BASE64_BYTES = MAX_BYTES * 4 // 3 + 100  # of a data: URL with MAX_BYTES of data
PREVIEW_SECONDS = 3.0  # that the browser has to fetch the preview of an upload before it is deleted
TOO_LARGE = f"The photo is too large; at most {MAX_BYTES / 1e6:.0f} MB can be read."


@dataclass(frozen=True)
class BadPhoto:
    """A photo that cannot be read, and the sentence that says why."""

    sentence: str


# Gradio's page refuses a file whose type the browser does not know, such as one ending in .HEIC or one
# without an ending. Such a file gets a type here. The server looks at the content.
ACCEPT_UNTYPED_FILES = """<script>
{
  const {get, ...rest} = Object.getOwnPropertyDescriptor(Blob.prototype, "type");
  Object.defineProperty(Blob.prototype, "type", {...rest, get() {
    return get.call(this) || (this instanceof File ? "image/unknown" : "");
  }});
}
</script>"""


class PhotoInput(gradio_internals.Image):
    """An image whose callback gets an upright (H, W, 3) uint8 RGB array.

    It accepts an upload or a data: URL. gr.Image would also open server files and fetch web addresses.
    It shows photos as data: URLs, so that no file of a face stays on the server.
    """

    shows_face = True
    preview_seconds = 0.0  # between reading an upload and deleting it
    decoders = DECODERS
    raises = True  # gr.Error for a photo that cannot be read; else the callback gets a BadPhoto

    def preprocess(self, payload: Any) -> RGB | BadPhoto | None:
        """Return the photo and delete the upload."""
        if payload is None or not (payload.url or payload.path):
            return None
        try:
            return self.decoders.read(_bytes_of(payload, self.preview_seconds))
        except LookalikeError as error:
            if not self.raises:
                return BadPhoto(as_sentence(error))
            raise user_error(str(error)) from None

    def postprocess(self, value: RGB | None) -> Any:
        """Return an (H, W, 3) uint8 RGB array as a data: URL."""
        return None if value is None else gradio_internals.image_data(url=data_url(encode(value)))

    def example_payload(self) -> dict[str, Any]:
        """Return the example of the API description: a file, because gradio's own is a web address."""
        meta = {"_type": "gradio.FileData"}
        return {"path": "me.jpg", "url": "me.jpg", "orig_name": "me.jpg", "meta": meta}


class PagePhoto(PhotoInput):
    """The photo input of the page: its callback gets a BadPhoto for a photo that cannot be read.

    These are attributes of the class because gradio makes a component anew when its properties change.
    """

    preview_seconds = PREVIEW_SECONDS
    raises = False

    def get_block_name(self) -> str:
        """Return the name of the component that the browser draws."""
        return "image"


class PictureGallery(gradio_internals.Gallery):
    """A gallery that takes JPEGs with captions.

    gr.Gallery writes each picture again for every answer, under a name made from its content. A browser that
    is fetching the same picture then gets half a file.
    """

    def postprocess(self, value: Sequence[tuple[bytes, str]] | None) -> Any:
        """Store the pictures in gradio's folder, which is cleaned regularly, and return their paths."""
        folder = gradio_internals.upload_root()
        return self.gallery_data([(_stored(jpeg, folder), caption) for jpeg, caption in value or ()])


class FaceHTML(gradio_internals.HTML):
    """HTML with pictures of a face as data: URLs; the server forgets it as soon as it is sent."""

    shows_face = True


class Choice(gradio_internals.Dropdown):
    """A dropdown of names; its callback checks the choice against the gallery that is served by then.

    gr.Dropdown would check it against the choices of the day when the page was built.
    """

    def preprocess(self, payload: Any) -> str | None:
        """Return the chosen name; raise gr.Error for anything but a string."""
        if payload is None or isinstance(payload, str):
            return payload
        raise user_error(OUTDATED_PAGE)


class Chips(gr.Radio, metaclass=gradio_internals.DerivedComponent):  # type: ignore[misc]
    """Radio buttons that look like chips; the callback checks the choice, as for `Choice`."""

    def preprocess(self, payload: Any) -> str | None:
        """Return the chosen value; raise gr.Error for anything but a string."""
        if payload is None or isinstance(payload, str):
            return payload
        raise user_error(OUTDATED_PAGE)


def _stored(jpeg: bytes, folder: Path) -> Path:
    """Return a file with these bytes; an existing one gets a new time stamp, so that it is not cleaned up."""
    path = folder / hashlib.sha256(jpeg).hexdigest() / "picture.jpg"
    try:
        os.utime(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{secrets.token_hex(4)}")
        partial.write_bytes(jpeg)
        partial.replace(path)  # nobody gets half of it; no fsync, for it is deleted within a minute
    return path


def _bytes_of(payload: Any, preview_seconds: float) -> bytes:
    if payload.url and payload.url.startswith("data:"):
        return _from_data_url(payload.url)
    if not payload.path:
        raise ImageError(NO_ADDRESSES)
    return _take_upload(payload.path, preview_seconds)


def _from_data_url(url: str) -> bytes:
    if len(url) > BASE64_BYTES:
        raise ImageError(TOO_LARGE)
    head, _, data = url.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError("not base64")
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError("The photo's data: URL cannot be read; send it as base64.") from error


def _take_upload(name: str, preview_seconds: float) -> bytes:
    """Return the bytes of an uploaded file and delete it; raise ImageError for any other file."""
    try:
        path = Path(name).resolve()
        if not path.is_relative_to(gradio_internals.upload_root().resolve()):
            raise ImageError(NO_ADDRESSES)
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(TOO_LARGE)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise ImageError(PHOTO_GONE) from error
    finally:
        if page := gradio_internals.current_page():
            page.upload_file_set.done(name, delay=preview_seconds)
