"""Decoding: bytes, a path, a PIL image or an array becomes an upright RGB array."""

from __future__ import annotations

import io
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lookalike.errors import ImageError, MissingFileError

RGB = NDArray[np.uint8]  # (H, W, 3)
Photo = bytes | str | Path | Image.Image | NDArray[np.generic]

MAX_PIXELS = 50_000_000  # allows photos of 48-megapixel phones, which take 150 MB when decoded
MAX_BYTES = 40_000_000  # a JPEG of 48 megapixels has about 20 MB
# Not PDF, EPS or SVG, which can contain programs. MPO, which some phones write, is read as JPEG.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
HEIC = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")  # the brands in files from phones
JPEG_END = b"\xff\xd9"  # the marker that ends a JPEG
MISSING = (128, 128, 128)  # what the decoder puts where a JPEG's data ends too early
MAX_MISSING = 0.1  # of the rows; browsers show such a photo too
BACKGROUND = (255, 255, 255)  # behind transparent pixels: the colour of the page


def read_image(photo: Photo) -> RGB:
    """Return `photo` as an (H, W, 3) uint8 RGB array, rotated by its EXIF orientation.

    Of an animation it is the first frame. `photo` is the bytes of an image file, a path (a string is a path,
    never a URL), a PIL image, or an array: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16 (full
    range) or float (0..1). A JPEG may lack up to a tenth of its rows, which become grey. Raises ImageError if
    it cannot be read or has more than MAX_PIXELS pixels, MissingFileError if the path does not exist.
    """
    if isinstance(photo, np.ndarray):
        return _from_array(photo)
    if isinstance(photo, Image.Image):
        return _from_pil(photo)
    return _from_bytes(photo if isinstance(photo, bytes) else _read(Path(photo)))


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise MissingFileError(f"There is no photo at {path}.")
    return path.read_bytes()


def _from_bytes(data: bytes) -> RGB:
    if not data:
        raise ImageError("The photo is empty; choose another file.")
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"The photo has {len(data) / 1e6:.0f} MB; use one of at most {MAX_BYTES / 1e6:.0f} MB."
        )
    if data[4:8] == b"ftyp" and data[8:12] in HEIC:
        register_heic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about size and odd metadata; we check the size below
            return _decode(data)
    except ImageError:
        raise
    except MemoryError as error:  # e.g. if the process has a memory limit
        raise ImageError("There is not enough memory to read the photo; make it smaller.") from error
    except Image.DecompressionBombError as error:  # raised while opening, far above MAX_PIXELS
        raise ImageError(
            f"The photo is too large; use one of at most {MAX_PIXELS / 1e6:.0f} megapixels."
        ) from error
    except Exception as error:  # Pillow raises many types for broken files, e.g. SyntaxError and struct.error
        raise ImageError("This is not a photo that can be read; use a JPEG, PNG or WebP file.") from error


def _decode(data: bytes) -> RGB:
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        try:
            return _from_pil(picture)
        except OSError:  # Pillow's error for a file that ends too early
            if picture.format not in ("JPEG", "MPO"):
                raise
    # Pillow's own setting for such files, LOAD_TRUNCATED_IMAGES, holds for the whole process.
    with Image.open(io.BytesIO(data + JPEG_END), formats=FORMATS) as picture:
        present = (np.asarray(picture.convert("RGB")) != MISSING).any(axis=(1, 2))
        missing = int(present[::-1].argmax()) if present.any() else len(present)
        if missing > MAX_MISSING * len(present):
            raise ImageError("The file ends too early and part of the photo is missing; send it again.")
        return _from_pil(picture)


@cache
def register_heic() -> None:
    """Let Pillow read HEIC. It takes a tenth of a second, so it happens at the first HEIC."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def _from_pil(picture: Image.Image) -> RGB:
    _check_size(picture.width, picture.height)
    picture = _upright(picture)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _from_array(_full_range(picture))
    if picture.mode == "P" or "transparency" in picture.info or picture.mode in ("LA", "La", "PA", "RGBa"):
        picture = picture.convert("RGBA")
    if picture.mode == "RGBA":
        background = Image.new("RGBA", picture.size, (*BACKGROUND, 255))
        picture = Image.alpha_composite(background, picture)
    return np.asarray(picture.convert("RGB"), np.uint8)


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # broken metadata of many kinds; the pixels may still be fine
        return picture


def _full_range(picture: Image.Image) -> NDArray[np.generic]:
    """Return a 16-bit, 32-bit or float grayscale picture as uint16 or as float 0..1."""
    values = np.asarray(picture, np.float64)
    if not np.isfinite(values).all():
        raise ImageError("The photo contains values that are not finite; save it again as JPEG or PNG.")
    if picture.mode == "F":
        maximum = 1.0 if values.max(initial=0) <= 1 else 255.0 if values.max() <= 255 else 65535.0
        return np.clip(values / maximum, 0, 1)
    return np.clip(values, 0, 65535).astype(np.uint16)


def _from_array(array: NDArray[np.generic]) -> RGB:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))) or 0 in array.shape:
        raise ImageError(
            f"An array of shape {array.shape} is not a photo; give (H, W), (H, W, 3) or (H, W, 4)."
        )
    _check_size(array.shape[1], array.shape[0])
    pixels = _to_uint8(array)
    if pixels.ndim == 2:
        return np.repeat(pixels[:, :, None], 3, axis=2)
    if pixels.shape[2] == 4:
        return _from_pil(Image.fromarray(pixels, "RGBA"))
    return np.ascontiguousarray(pixels)


def _to_uint8(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return np.asarray(array, np.uint8)
    if array.dtype == np.bool_:
        return np.asarray(array, np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return np.asarray(np.asarray(array, np.uint16) >> 8, np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        values = np.asarray(array, np.float32)
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
            raise ImageError("A photo in floating point must hold values from 0 to 1.")
        return np.asarray(values * 255 + 0.5, np.uint8)
    raise ImageError(f"An array of {array.dtype} is not a photo; give uint8, uint16 or float 0..1.")


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"The photo has {width * height / 1e6:.0f} megapixels; "
            f"use one of at most {MAX_PIXELS / 1e6:.0f} megapixels."
        )
