"""Decoding photos into upright RGB arrays."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageFile

from lookalike.errors import ImageError, MissingFileError
from lookalike.images import MAX_BYTES, MAX_PIXELS, read_image
from tests.support.drawing import draw_face

QUADRANTS = np.zeros((40, 60, 3), np.uint8)  # red, green / blue, white
QUADRANTS[:20, :30], QUADRANTS[:20, 30:], QUADRANTS[20:, :30], QUADRANTS[20:, 30:] = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 255),
)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def corners(image: np.ndarray) -> list[tuple[int, ...]]:
    """Top left, top right, bottom left, bottom right, as 0s and 1s."""
    height, width = image.shape[:2]
    spots = [(5, 5), (5, width - 6), (height - 6, 5), (height - 6, width - 6)]
    return [tuple(int(value > 127) for value in image[spot]) for spot in spots]


RED, GREEN, BLUE, WHITE = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)


def test_bytes_path_text_pil_and_array_give_the_same_pixels(tmp_path: Path):
    picture = Image.fromarray(QUADRANTS)
    file = tmp_path / "Fotó von mir.png"
    file.write_bytes(encoded(picture))
    for photo in (encoded(picture), file, str(file), picture, QUADRANTS):
        assert np.array_equal(read_image(photo), QUADRANTS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_upright_for_every_exif_orientation(orientation: int):
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    picture = Image.fromarray(QUADRANTS)
    stored = picture.transpose(undo[orientation]) if orientation > 1 else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert corners(read_image(encoded(stored, "JPEG", exif=exif, quality=95))) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_common_formats_are_read(kind: str):
    assert corners(read_image(encoded(Image.fromarray(QUADRANTS), kind))) == [RED, GREEN, BLUE, WHITE]


def test_grey_photos_get_three_equal_channels():
    grey = np.arange(240, dtype=np.uint8).reshape(12, 20)
    for photo in (grey, grey[:, :, None], encoded(Image.fromarray(grey))):
        assert np.array_equal(read_image(photo), np.repeat(grey[:, :, None], 3, axis=2))


def test_transparent_pixels_become_white():
    clear = np.zeros((4, 4, 4), np.uint8)
    clear[:, :2] = (200, 0, 0, 255)
    for photo in (
        clear,
        encoded(Image.fromarray(clear, "RGBA")),
        encoded(Image.fromarray(clear, "RGBA"), "WEBP", lossless=True),
    ):
        assert np.array_equal(read_image(photo)[0], [[200, 0, 0]] * 2 + [[255, 255, 255]] * 2)


def test_the_transparent_colour_of_a_palette_becomes_white():
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([10, 20, 30, 200, 100, 0])
    picture.putpixel((0, 0), 0)
    image = read_image(encoded(picture, transparency=0))
    assert image[0, 0].tolist() == [255, 255, 255] and image[1, 1].tolist() == [200, 100, 0]


def test_cmyk_and_lab_become_rgb():
    red = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert read_image(encoded(red, "JPEG", quality=95))[4, 4].tolist() == pytest.approx([255, 0, 0], abs=6)


def test_sixteen_bits_are_scaled_and_not_truncated():
    ramp = np.array([[0, 257, 32896, 65535]], np.uint16)
    expected = [[0, 1, 128, 255]]
    assert read_image(ramp)[:, :, 0].tolist() == expected
    assert read_image(encoded(Image.fromarray(ramp)))[:, :, 0].tolist() == expected


def test_floats_must_be_zero_to_one():
    assert read_image(np.array([[0.0, 0.5, 1.0]]))[0, :, 0].tolist() == [0, 128, 255]
    tiff = encoded(Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32)), "TIFF")
    assert read_image(tiff)[0, :, 0].tolist() == [0, 128, 255]
    for wrong in (np.array([[0.0, 200.0]]), np.array([[0.0, np.nan]])):
        with pytest.raises(ImageError, match="0 to 1"):
            read_image(wrong)


def test_the_first_frame_of_an_animation_is_read():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_image(moving)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("photo", "sentence"),
    [
        (b"", "empty"),
        (b"hello, I am a text", "not a photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a photo"),
        (encoded(Image.fromarray(QUADRANTS))[:100], "not a photo"),
        (b"\xff\xd8" + bytes(MAX_BYTES), "MB"),
        (np.zeros((3, 4, 5), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (np.zeros((4, 4), np.int64), "int64"),
    ],
)
def test_other_data_is_refused_with_a_clear_error(photo: bytes | np.ndarray, sentence: str):
    with pytest.raises(ImageError, match=sentence):
        read_image(photo)


def test_too_many_pixels_are_refused_before_they_are_decoded():
    side = int(MAX_PIXELS**0.5) + 1
    bomb = encoded(Image.new("1", (side, side)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(ImageError, match="megapixels"):
        read_image(bomb)


def test_a_bomb_that_pillow_refuses_gives_the_same_error():
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(ImageError, match="megapixels"):
        read_image(bomb)


def test_a_photo_with_broken_exif_is_read_unrotated():
    photo = encoded(Image.fromarray(QUADRANTS), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff", quality=95)
    assert corners(read_image(photo)) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("cut", ["two bytes", "one percent"])
def test_a_jpeg_that_lacks_its_last_bytes_is_read(cut: str, progressive: bool):
    whole = encoded(Image.fromarray(draw_face(3)), "JPEG", quality=95, progressive=progressive)
    image = read_image(whole[: -2 if cut == "two bytes" else -len(whole) // 100])
    assert np.abs(image[:-32].astype(int) - read_image(whole)[:-32]).mean() < 1
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_the_missing_rows_of_a_turned_jpeg_are_counted_before_it_is_turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = encoded(Image.fromarray(draw_face(3)), "JPEG", exif=exif)
    assert read_image(whole[: -len(whole) // 20]).shape == (480, 480, 3)
    with pytest.raises(ImageError, match="part of the photo is missing"):
        read_image(whole[: len(whole) * 3 // 4])


def test_the_error_names_a_missing_path():
    with pytest.raises(MissingFileError, match="no-such-photo"):
        read_image("no-such-photo.jpg")


@pytest.mark.parametrize("orientation", [1, 6])
def test_heic_from_a_phone_is_read_upright(orientation: int):
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = read_image(encoded(Image.fromarray(QUADRANTS), "HEIF", quality=95, exif=exif.tobytes()))
    rotated = {1: [RED, GREEN, BLUE, WHITE], 6: [BLUE, RED, WHITE, GREEN]}
    assert corners(image) == rotated[orientation]


def test_a_broken_heic_is_refused_with_a_clear_error():
    pillow_heif.register_heif_opener()
    whole = encoded(Image.fromarray(QUADRANTS), "HEIF")
    with pytest.raises(ImageError, match="not a photo that can be read"):
        read_image(whole[: len(whole) // 2])
