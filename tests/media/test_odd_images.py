"""Images of the real world: transparency, broken EXIF, 12 and 16 bits, negative values, formats that stay closed."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import hostile_writers
from isthmus.media import UnreadableError, read_image, read_rgba

RAMP = np.linspace(0, 1, 64).reshape(8, 8)


def pixels(image: Image.Image, form: str, **options: object) -> np.ndarray:
    """The image written and read again."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return np.asarray(read_image(stream.getvalue()))


def logo(corner: int) -> np.ndarray:
    """A black square at a corner of a transparent, black ground: only the alpha differs between corners."""
    image = np.zeros((16, 16, 4), np.uint8)
    image[corner : corner + 4, corner : corner + 4, 3] = 255
    return image


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "TGA"])
def test_what_is_transparent_shows_white(tmp_path: Path, form: str) -> None:
    for corner in (2, 9):
        path = tmp_path / f"{corner}.{form.lower()}"
        Image.fromarray(logo(corner)).save(path, form, **({"lossless": True} if form == "WEBP" else {}))
        expected = np.full((16, 16, 3), 255, np.uint8)
        expected[corner : corner + 4, corner : corner + 4] = 0
        assert np.array_equal(np.asarray(read_image(path)), expected)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "TGA"])
def test_transparency_can_be_kept(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"logo.{form.lower()}"
    Image.fromarray(logo(2)).save(path, form, **({"lossless": True} if form == "WEBP" else {}))
    assert np.array_equal(np.asarray(read_rgba(path)), logo(2))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "CMYK", "I;16", "F"])
def test_what_has_no_transparency_is_opaque_and_otherwise_as_read_without(mode: str) -> None:
    image = Image.fromarray((255 * RAMP).astype(np.uint8))
    image = image.convert("I").convert(mode) if mode == "I;16" else image.convert(mode)
    stream = io.BytesIO()
    image.save(stream, "TIFF")
    found = np.asarray(read_rgba(stream.getvalue()))
    assert (found[..., 3] == 255).all()
    assert np.array_equal(found[..., :3], np.asarray(read_image(stream.getvalue())))


def test_an_alpha_that_is_not_used_is_opaque() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.dstack([np.full((4, 4, 3), 90, np.uint8), np.zeros((4, 4), np.uint8)])).save(stream, "BMP")
    assert (np.asarray(read_rgba(stream.getvalue())) == (90, 90, 90, 255)).all()


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    value, alpha = np.array([[0, 100, 200, 255]], np.uint8), np.array([[128, 64, 200, 0]], np.uint8)
    expected = value * (alpha / 255) + 255 * (1 - alpha / 255)
    found = pixels(Image.merge("LA", [Image.fromarray(value), Image.fromarray(alpha)]), "PNG")
    assert np.abs(found[..., 0] - expected).max() <= 1


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_white(form: str) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 9, 9, 9])
    ImageDraw.Draw(image).rectangle((0, 0, 3, 7), fill=0)
    found = pixels(image, form, transparency=0)
    assert (found[:, :4] == 255).all()
    assert (found[:, 4:] == 9).all()


@pytest.mark.parametrize(("mode", "colour"), [("L", 7), ("RGB", (1, 2, 3)), ("1", 0), ("I;16", 3000)])
def test_a_transparent_colour_is_white(mode: str, colour: object) -> None:
    assert (pixels(Image.new(mode, (4, 4), colour), "PNG", transparency=colour) == 255).all()


def test_a_transparent_colour_of_sixteen_bits_is_white() -> None:
    colour = struct.pack(">3H", 0x1234, 0, 0xFFFF)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">2I5B", 2, 1, 16, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" + colour + struct.pack(">3H", 0x8000, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*one) for one in ((b"IHDR", header), (b"tRNS", colour), (b"IDAT", rows), (b"IEND", b""))
    )
    assert np.asarray(read_image(content)).tolist() == [[[255, 255, 255], [128, 0, 0]]]


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_an_animation_is_its_first_frame_on_white(form: str) -> None:
    frames = [Image.fromarray(logo(corner)) for corner in (2, 9)]
    options = {"lossless": True} if form == "WEBP" else {}
    found = pixels(frames[0], form, save_all=True, append_images=frames[1:], **options)
    assert (found[2:6, 2:6] == 0).all()
    assert found[0, 0].tolist() == found[10, 10].tolist() == [255, 255, 255]


def test_an_alpha_that_a_bitmap_does_not_use_hides_nothing() -> None:
    image = np.full((4, 4, 4), 90, np.uint8)
    image[..., 3] = 0
    assert (pixels(Image.fromarray(image), "BMP") == 90).all()
    assert (pixels(Image.fromarray(image), "PNG") == 255).all()


def exif_with_a_broken_rational(orientation: int) -> bytes:
    """Orientation, and a signed rational of -1 / 0, which no EXIF writer can store."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + struct.pack("<HHII", 0x9204, 10, 1, 38)
    return b"Exif\0\0" + struct.pack("<2sHIH", b"II", 42, 8, 2) + entries + struct.pack("<Iii", 0, -1, 0)


def test_broken_exif_neither_loses_the_image_nor_its_orientation() -> None:
    assert pixels(Image.new("RGB", (20, 10)), "JPEG", exif=exif_with_a_broken_rational(6)).shape == (20, 10, 3)
    for junk in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0nonsense"):
        for form in ("JPEG", "PNG", "WEBP"):
            assert pixels(Image.new("RGB", (20, 10)), form, exif=junk).shape == (10, 20, 3)


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt"])
def test_a_large_profile_or_comment_does_not_lose_the_image(kind: bytes) -> None:
    noise = np.random.default_rng(0).bytes(2**20)
    content = b"workflow\0\0" + zlib.compress(noise + b"\0" * 4 * 2**20)
    assert read_image(hostile_writers.png_with(kind, content)).size == (9, 9)
    with pytest.raises(UnreadableError, match="too large"):
        read_image(hostile_writers.png_with(kind, b"bomb\0\0" + zlib.compress(b"\0" * 10**8)))


def twelve_bit_tiff(values: np.ndarray) -> bytes:
    """An uncompressed grey TIFF of 12 bits a pixel, two of them in three bytes."""
    height, width = values.shape
    data = int("".join(f"{value:012b}" for value in values.ravel()), 2).to_bytes(values.size * 3 // 2, "big")
    tags = [(256, width), (257, height), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, height)]
    tags.append((279, len(data)))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + directory


def test_twelve_bits_are_scaled_by_twelve_bits() -> None:
    for brightest in (4095, 400):
        values = (RAMP * brightest).round().astype(int)
        found = np.asarray(read_image(twelve_bit_tiff(values)))[..., 0]
        assert np.abs(found - values * 255 / 4095).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_sixteen_bit_containers_are_scaled_by_the_bits_in_use(bits: int) -> None:
    values = (RAMP * (2**bits - 1)).round().astype(np.uint16)
    for form in ("PNG", "TIFF"):
        found = pixels(Image.fromarray(values), form)[..., 0]
        assert np.abs(found - RAMP * 255).max() <= 1


def test_a_grey_map_is_scaled_by_the_maximum_it_states() -> None:
    values = (RAMP * 4095).round().astype(">u2")
    assert np.abs(np.asarray(read_image(b"P5 8 8 4095\n" + values.tobytes()))[..., 0] - RAMP * 255).max() <= 1


@pytest.mark.parametrize(
    "values",
    [
        (RAMP * 1000 - 1000).astype(np.int32),
        (RAMP * 2.0 - 1.0).astype(np.float32),
        (RAMP * 1e6).astype(np.int32),
        (RAMP * 1.2).astype(np.float32),
    ],
    ids=["hounsfield", "signed floats", "large", "beyond one"],
)
def test_other_values_are_scaled_by_their_own_range(values: np.ndarray) -> None:
    found = pixels(Image.fromarray(values), "TIFF")[..., 0]
    own = values.astype(np.float64)
    expected = (own - own.min()) / (own.max() - own.min()) * 255
    assert np.abs(found - expected).max() <= 0.5 + 1e-6


def test_floats_between_zero_and_one_keep_their_brightness() -> None:
    values = (RAMP * 0.5).astype(np.float32)
    values[0, 0] = np.nan
    found = pixels(Image.fromarray(values), "TIFF")[..., 0]
    assert np.abs(found - RAMP * 127.5).max() <= 0.6
    with pytest.raises(UnreadableError, match="no finite pixel"):
        pixels(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF")


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(x) print\nshowpage\n",
        b"\xc5\xd0\xd3\xc6" + struct.pack("<6IH", 32, 60, 0, 0, 0, 0, 0xFFFF) + b"\0\0" + b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        b"\xd7\xcd\xc6\x9a" + b"\0" * 60,
        b"%PDF-1.7\n",
    ],
    ids=["eps", "dos eps", "svg", "wmf", "pdf"],
)
@pytest.mark.parametrize("name", ["a.jpg", "a.tga"])
def test_formats_that_run_programs_or_read_other_files_stay_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    import subprocess

    def refused(*given: object, **options: object) -> None:
        raise AssertionError(f"started {given}")

    for starter in ("Popen", "run", "check_call", "call"):
        monkeypatch.setattr(subprocess, starter, refused)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableError, match=r"a\.(jpg|tga): cannot be read"):
        read_image(tmp_path / name)
