"""Which files and which bytes are photos."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

PHOTO_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp"),
    *(".tif", ".tiff", ".avif", ".heic", ".heif"),
)
STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*")
BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")  # of AVIF and HEIC
START_BYTES = 16


def is_photo_file(file: Path) -> bool:
    """Return whether a file is a photo: by its suffix, or else (1.jpg_large, no suffix) by its content."""
    if not file.is_file():
        return False
    return file.suffix.lower() in PHOTO_SUFFIXES or starts_like_a_photo(_start(file))


def starts_like_a_photo(data: bytes) -> bool:
    """Return whether bytes start like JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF or HEIC."""
    if data.startswith(STARTS) or (data[:2] == b"BM" and data[6:10] == bytes(4)):
        return True
    return (data[:4] == b"RIFF" and data[8:12] == b"WEBP") or (data[4:8] == b"ftyp" and data[8:12] in BRANDS)


def photo_in_text(text: str) -> bytes:
    """Return the photo that a text holds in base64, with or without "data:image/…;base64," before it.

    It is empty where the text is something else.
    """
    encoded = "".join((text.partition(",")[2] if text.startswith("data:") else text).split())
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if starts_like_a_photo(data) else b""


def _start(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(START_BYTES)
    except OSError:  # no permission, or deleted since it was listed
        return b""
