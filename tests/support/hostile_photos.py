"""Odd, broken and hostile photos, each with its expected answer."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from PIL import Image

from tests.support.drawing import draw_face, draw_landscape
from tests.support.server import encoded

MADE = Callable[[], bytes]
FOUND = "answer: "
NO_PHOTO = "not a photo that can be read"
NO_FACE = "No face was found"
PIXELS = "megapixels"
SLOW = "takes too long to read"
EITHER = ""  # an answer or any error


@cache
def face() -> np.ndarray:
    return draw_face(seed=3)


def odd() -> Iterator[tuple[str, str, MADE, str]]:
    """Yield label, file name, a function that makes the bytes, and a part of the expected answer: fast
    ones.
    """
    plain = encoded(face())
    yield "a plain JPEG", "me.jpg", lambda: plain, FOUND
    yield "zero bytes", "me.jpg", lambda: b"", "is empty"
    yield "one byte", "me.jpg", lambda: b"\xff", NO_PHOTO
    yield "text", "me.jpg", lambda: b"hello", NO_PHOTO
    yield "half a JPEG", "me.jpg", lambda: plain[: len(plain) // 2], "part of the photo is missing"
    yield "a JPEG without its last 1 %", "me.jpg", lambda: plain[: len(plain) * 99 // 100], FOUND
    yield "truncated PNG", "me.png", lambda: encoded(face(), "PNG")[:-5000], NO_PHOTO
    yield "PNG called .jpg", "me.jpg", lambda: encoded(face(), "PNG"), FOUND
    yield "JPEG called .exe", "me.exe", lambda: plain, FOUND
    yield "JPEG and ZIP in one", "me.jpg", lambda: plain + b"PK\x05\x06" + bytes(18), FOUND
    yield "JPEG and HTML in one", "me.html", lambda: plain + b"<script>alert(1)</script>", FOUND
    yield "GIF and JavaScript in one", "me.gif", lambda: b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)", NO_PHOTO
    yield "SVG", "me.svg", lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', NO_PHOTO
    yield "PDF", "me.pdf", lambda: b"%PDF-1.7\n%%EOF", NO_PHOTO
    yield "PostScript", "me.eps", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", NO_PHOTO
    yield (
        "XML with an entity",
        "me.xml",
        lambda: b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
        NO_PHOTO,
    )
    yield "NumPy archive", "me.npy", lambda: b"\x93NUMPY\x01\0" + bytes(100), NO_PHOTO
    yield "1 x 1", "me.png", lambda: encoded(np.zeros((1, 1, 3), np.uint8), "PNG"), NO_FACE
    yield "1 x 30,000", "me.png", lambda: encoded(np.zeros((30_000, 1, 3), np.uint8), "PNG"), NO_FACE
    yield "30,000 x 1", "me.png", lambda: encoded(np.zeros((1, 30_000, 3), np.uint8), "PNG"), NO_FACE
    yield "CMYK", "me.jpg", lambda: saved(Image.fromarray(face()).convert("CMYK"), "JPEG"), FOUND
    yield (
        "16 bits grey",
        "me.png",
        lambda: saved(Image.fromarray(grey().astype(np.uint16) * 257), "PNG"),
        FOUND,
    )
    yield (
        "TIFF of floats",
        "me.tiff",
        lambda: saved(Image.fromarray((grey() / 255).astype(np.float32)), "TIFF"),
        FOUND,
    )
    yield (
        "TIFF of no numbers",
        "me.tiff",
        lambda: saved(Image.fromarray(grey() * np.float32("nan")), "TIFF"),
        "not finite",
    )
    yield "palette with transparency", "me.png", palette, FOUND
    yield "animated GIF", "me.gif", lambda: animated("GIF"), FOUND
    yield "animated WebP", "me.webp", lambda: animated("WEBP"), FOUND
    yield "animated PNG", "me.png", lambda: animated("PNG"), FOUND
    yield "AVIF", "me.avif", lambda: encoded(face(), "AVIF"), FOUND
    yield "HEIC", "me.heic", lambda: heic(face()), FOUND
    for orientation in range(1, 9):
        yield f"EXIF rotation {orientation}", "me.jpg", turned(orientation), FOUND
    yield (
        "EXIF that is broken",
        "me.jpg",
        lambda: encoded(face(), exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        FOUND,
    )
    yield "no face", "me.jpg", lambda: encoded(draw_landscape()), NO_FACE
    yield "half a face", "me.jpg", lambda: encoded(face()[:, :240]), EITHER
    yield "a drawing", "me.png", lambda: encoded(smiley(), "PNG"), EITHER
    yield "200 faces", "me.jpg", lambda: encoded(many_faces()), FOUND
    yield "144 megapixels in 18 KB", "me.png", lambda: saved(Image.new("1", (12_000, 12_000)), "PNG"), PIXELS
    yield "4,000 megapixels said in the head", "me.png", lambda: png(65_000, 65_000, data=b"x"), PIXELS
    yield "HEIC that says 900 megapixels", "me.heic", lambda: lying_heic(30_000, 30_000), PIXELS
    yield "HEIC that says 8 x 8", "me.heic", lambda: lying_heic(8, 8), EITHER
    yield "ICC profile of 500 MB in 0.5", "me.png", lambda: with_icc(500_000_000), NO_PHOTO
    yield "texts of 72 MB in 0.07", "me.png", lambda: with_texts(80), NO_PHOTO


def heavy() -> Iterator[tuple[str, str, MADE, str]]:
    """Yield the same of those that take seconds: until their time or memory is up, or honestly."""
    yield "TIFF 1 x 1 in a tile of 900 MB", "me.tiff", lambda: tiled(30_000), EITHER
    yield "49 megapixels", "me.jpg", lambda: large(), FOUND
    yield "49 megapixels, progressive", "me.jpg", lambda: large(progressive=True), FOUND
    yield (
        "49 megapixels of RGBA",
        "me.png",
        lambda: png(7000, 7000, colour=6, data=zeros(7000 * 4 + 1, 7000)),
        NO_FACE,
    )
    yield (
        "49 megapixels of 16-bit RGBA",
        "me.png",
        lambda: png(7000, 7000, colour=6, depth=16, data=zeros(7000 * 8 + 1, 7000)),
        EITHER,
    )
    yield (
        "48 megapixels of floats",
        "me.tiff",
        lambda: saved(Image.new("F", (3000, 16_000)), "TIFF", compression="tiff_deflate"),
        EITHER,
    )
    yield "progressive JPEG of 900 scans", "me.jpg", lambda: scans(900), SLOW
    yield (
        "three million PNG chunks",
        "me.png",
        lambda: png(8, 8, extra=chunk(b"prVt", b"") * 3_000_000),
        EITHER,
    )
    yield (
        "60,000 EXIF tags over each other",
        "me.png",
        lambda: png(8, 8, extra=chunk(b"eXIf", tags())),
        EITHER,
    )
    yield "a GIF's comment of 38 MB", "me.gif", lambda: commented(38_000_000), SLOW
    yield (
        "EXIF of 30 MB",
        "me.png",
        lambda: png(8, 8, extra=chunk(b"eXIf", b"II*\0\x08\0\0\0\xff\xff" + bytes(30_000_000))),
        NO_FACE,
    )
    yield "10,000 frames", "me.gif", lambda: frames(10_000), NO_FACE


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def grey() -> np.ndarray:
    return np.asarray(Image.fromarray(face()).convert("L"))


def palette() -> bytes:
    picture = Image.fromarray(face()).quantize(64)
    return saved(picture, "PNG", transparency=0)


def animated(kind: str) -> bytes:
    first, second = Image.fromarray(face()), Image.fromarray(draw_landscape()).resize((480, 480))
    return saved(first, kind, save_all=True, append_images=[second])


def frames(count: int) -> bytes:
    one = saved(Image.new("P", (8, 8)), "GIF")
    start = one.index(b"\x2c")
    return one[:start] + one[start:-1] * count + b"\x3b"


def heic(image: np.ndarray) -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return saved(Image.fromarray(image), "HEIF")


def lying_heic(width: int, height: int) -> bytes:
    whole, place = bytearray(heic(face())), 0
    while (place := whole.find(b"ispe", place)) >= 0:
        whole[place + 8 : place + 16] = struct.pack(">II", width, height)
        place += 4
    return bytes(whole)


def turned(orientation: int) -> MADE:
    undo = [None, 0, 3, 1, 5, 2, 6, 4][orientation - 1]  # of Image.Transpose

    def make() -> bytes:
        picture, exif = Image.fromarray(face()), Image.Exif()
        exif[0x0112] = orientation
        stored = picture if undo is None else picture.transpose(Image.Transpose(undo))
        return saved(stored, "JPEG", exif=exif, quality=95)

    return make


def smiley() -> np.ndarray:
    image = np.full((300, 300, 3), 255, np.uint8)
    y, x = np.mgrid[:300, :300]
    image[(x - 150) ** 2 + (y - 150) ** 2 < 120**2] = (250, 220, 60)
    for left in (110, 190):
        image[(x - left) ** 2 + (y - 120) ** 2 < 15**2] = 0
    image[(abs((x - 150) ** 2 + (y - 150) ** 2 - 70**2) < 700) & (y > 180)] = 0
    return image


def many_faces() -> np.ndarray:
    tiles = [draw_face(seed=seed, size=96) for seed in range(20)]
    return np.vstack([np.hstack([tiles[(row + column) % 20] for column in range(20)]) for row in range(10)])


def large(*, progressive: bool = False) -> bytes:
    return saved(Image.fromarray(face()).resize((7000, 7000)), "JPEG", quality=92, progressive=progressive)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def zeros(row: int, rows: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(row)) for _ in range(rows)) + packer.flush()


def png(
    width: int, height: int, *, colour: int = 2, depth: int = 8, extra: bytes = b"", data: bytes | None = None
) -> bytes:
    data = zeros(width * 3 + 1, height) if data is None else data
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def with_icc(size: int) -> bytes:
    return png(8, 8, extra=chunk(b"iCCP", b"k\0\0" + zeros(1_000_000, size // 1_000_000)))


def with_texts(count: int) -> bytes:
    return png(8, 8, extra=chunk(b"zTXt", b"k\0\0" + zeros(900_000, 1)) * count)


def tags() -> bytes:
    count = 60_000
    each = (struct.pack("<HHII", tag, 7, 500_000, 10 + 12 * count) for tag in range(count))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + b"".join(each) + bytes(600_000)


def commented(size: int) -> bytes:
    one = saved(Image.new("P", (8, 8)), "GIF")
    start = one.index(b"\x2c")
    return one[:start] + b"\x21\xfe" + (b"\xff" + b"x" * 255) * (size // 256) + b"\0" + one[start:]


def scans(count: int) -> bytes:
    whole = saved(Image.new("L", (7000, 7000), 128), "JPEG", progressive=True)
    last = whole.rfind(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + b"\xff\xd9"


def tiled(side: int) -> bytes:
    """A TIFF of one pixel whose tile is `side` pixels wide and high."""
    tile = zeros(side, side)
    entries = [
        (256, 4, 1),
        (257, 4, 1),
        (258, 3, 8),
        (259, 3, 8),
        (262, 3, 1),
        (277, 3, 1),
        (322, 4, side),
        (323, 4, side),
    ]
    place = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries += [(324, 4, place), (325, 4, len(tile))]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + table + bytes(4) + tile
