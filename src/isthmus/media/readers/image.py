"""Images: Pillow decodes them; upright, on white, in RGB of 8 bits, refused if they would fill the memory."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import ExifTags, Image, PngImagePlugin

from isthmus.media.source import ByteSource, Decoded, UnreadableError, as_source, unreadable

READING = "picture 2"
"""Part of the fingerprint of a preparation: changes when the same file gives other pixels."""
SUFFIXES = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".jp2"),
    *(".ppm", ".pgm", ".pbm", ".tga"),
)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM")
"""What Pillow may decode. Others stay closed: EPS starts Ghostscript, and most are old and little tested."""
TGA = "TGA"
"""Has no signature, so that noise may look like it: decoded only if the name ends in .tga."""
UNUSED_ALPHA = ("BMP", TGA)
"""Formats in which an alpha of zero everywhere means that it is not used."""
DEPTHS = (1, 8, 10, 12, 14, 16)
"""Bits that cameras and scanners have. Containers of 16 or 32 bits do not always say how many are used."""
MOST_PROFILE_BYTES = 2**25
"""What a colour profile or a comment in a PNG may take unpacked. Pillow's limit of a megabyte loses good images."""
TIFF_BITS = 258
"""The TIFF tag BitsPerSample."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation."""
MOST_PIXELS = 100_000_000
"""Larger images are refused: decoded, they take 300 MB and more."""
MOST_ELONGATED = 100
"""Longer side divided by the shorter; beyond it, scaling the shorter side to an encoder's size fills the memory."""


def read_image(content: ByteSource | Path | str | bytes | Image.Image | np.ndarray) -> Image.Image:
    """Read an image as RGB, turned upright by its EXIF orientation; the first frame of an animation.

    What is transparent shows white. Values of more than 8 bits are scaled by the bits that the file states, or by the
    fewest of 8, 10, 12, 14 and 16 that hold the brightest; floats in [0, 1] by 255; any others, such as negative
    ones, by their own range, from the darkest to the brightest.

    Args:
        content: An image file (its path, bytes or source), a PIL image, or an array of shape (height, width, 3) or
            (height, width), of uint8 or of floats in [0, 1].

    Returns:
        A PIL image in RGB.

    Raises:
        UnreadableError: The content is not an image, is cut short, has more than 100 million pixels, or one side is
            more than 100 times as long as the other.

    Example:
        >>> import numpy as np
        >>> read_image(np.zeros((48, 64), np.uint8)).size
        (64, 48)
    """
    return _read(as_source(content), _as_rgb)


def read_rgba(content: ByteSource | Path | str | bytes | Image.Image | np.ndarray) -> Image.Image:
    """Read an image as `read_image` does, but keep what is transparent: RGBA, alpha 255 where the file has none.

    Args:
        content: What `read_image` takes.

    Returns:
        A PIL image in RGBA, its colours not multiplied by alpha.

    Raises:
        UnreadableError: As `read_image`.

    Example:
        >>> import numpy as np
        >>> read_rgba(np.zeros((48, 64), np.uint8)).getpixel((0, 0))
        (0, 0, 0, 255)
    """
    return _read(as_source(content), _as_rgba)


Conversion = Callable[[str, Image.Image, int | None], Image.Image]
"""Takes the name, the decoded image and the bits that the file states, and gives an image of 8 bits."""


def _read(source: ByteSource, convert: Conversion) -> Image.Image:
    with warnings.catch_warnings(), unreadable(source.name):
        warnings.simplefilter("ignore")
        if isinstance(source, Decoded):
            return _upright(source.name, _from_memory(source.name, source.value), convert)
        PngImagePlugin.MAX_TEXT_CHUNK = max(PngImagePlugin.MAX_TEXT_CHUNK, MOST_PROFILE_BYTES)
        with source.open() as file:
            formats = (*FORMATS, TGA) if Path(source.name).suffix.lower() == ".tga" else FORMATS
            return _upright(source.name, Image.open(cast(IO[bytes], file), formats=formats), convert)


def _from_memory(name: str, value: Any) -> Image.Image:
    if isinstance(value, Image.Image):
        return value
    pixels = np.asarray(value)
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3) or pixels.size == 0:
        raise UnreadableError(
            f"{name}: expected a path, a PIL image, or an array of shape (height, width, 3) or (height, width), "
            f"got shape {pixels.shape}"
        )
    return Image.fromarray(eight_bit(name, pixels))


def eight_bit(name: str, pixels: np.ndarray) -> UInt8[np.ndarray, ...]:
    """Pixels as uint8. Raises `UnreadableError` unless they are uint8 or floats in [0, 1]."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind != "f":
        raise UnreadableError(f"{name}: expected uint8 or floats in [0, 1], got {pixels.dtype}")
    if not (pixels.min() >= 0 and pixels.max() <= 1):
        raise UnreadableError(f"{name}: expected floats in [0, 1], got {pixels.min():g} to {pixels.max():g}")
    return (pixels * 255).round().astype(np.uint8)


def _upright(name: str, image: Image.Image, convert: Conversion) -> Image.Image:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise UnreadableError(f"{name}: {width} x {height} pixels, the limit is {MOST_PIXELS} pixels: scale it down")
    if max(width, height) > MOST_ELONGATED * min(width, height):
        raise UnreadableError(f"{name}: {width} x {height} pixels is too elongated for an encoder: crop it")
    depth = _stated_depth(image)
    hidden = image.info.get("transparency")
    tiles = getattr(image, "tile", ())
    if isinstance(hidden, tuple) and tiles and "16" in str(tiles[0][3]):
        # Pillow keeps the upper byte of such pixels, but all of the colour.
        image.info["transparency"] = tuple(value >> 8 for value in hidden)
    image.load()
    turn = TURNS.get(_orientation(image))
    whole = convert(name, image, depth)
    return whole if turn is None else whole.transpose(turn)


def _orientation(image: Image.Image) -> Any:
    """The EXIF orientation. The rest of EXIF is not read, so that an error in it does not lose the image."""
    with contextlib.suppress(Exception):
        return image.getexif().get(ExifTags.Base.Orientation)
    return None


def _stated_depth(image: Image.Image) -> int | None:
    """The bits of a value, if the file says; formats that Pillow scales to 16 bits have 16."""
    if image.format in ("PPM", "JPEG2000"):
        return 16
    bits = getattr(image, "tag_v2", {}).get(TIFF_BITS)
    return int(bits[0]) if bits and 8 < bits[0] < 16 else None


def _as_rgb(name: str, image: Image.Image, depth: int | None) -> Image.Image:
    if image.mode[0] in "IF":
        values = np.asarray(image, np.float64)
        scaled = _eight_bit_of_any(name, values, depth, integers=image.mode[0] == "I")
        hidden = image.info.get("transparency")
        return Image.fromarray(np.where(values == hidden, np.uint8(255), scaled)).convert("RGB")
    return on_white(image) if image.has_transparency_data else image.convert("RGB")


def _as_rgba(name: str, image: Image.Image, depth: int | None) -> Image.Image:
    if image.mode[0] in "IF" or not image.has_transparency_data:
        return _as_rgb(name, image, depth).convert("RGBA")
    layer = image.convert("RGBA")
    if _has_unused_alpha(image, layer):
        layer.putalpha(255)
    return layer


def on_white(image: Image.Image) -> Image.Image:
    """An image with transparency, in RGB on a white background."""
    layer = image.convert("RGBA")
    if _has_unused_alpha(image, layer):
        return layer.convert("RGB")
    ground = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(ground, layer).convert("RGB")


def _has_unused_alpha(image: Image.Image, layer: Image.Image) -> bool:
    return image.format in UNUSED_ALPHA and layer.getchannel("A").getextrema()[1] == 0


def _eight_bit_of_any(
    name: str, values: Float64[np.ndarray, "height width"], depth: int | None, *, integers: bool
) -> UInt8[np.ndarray, "height width"]:
    """Integers or floats of any range, scaled to 0 to 255; see `read_image`."""
    finite = np.isfinite(values)
    if not finite.any():
        raise UnreadableError(f"{name}: has no finite pixel")
    darkest, brightest = float(values[finite].min()), float(values[finite].max())
    tops = [2**bits - 1 for bits in (DEPTHS if integers else DEPTHS[:1])]
    fitting = [2**depth - 1] if depth else [top for top in tops if brightest <= top]
    low, high = (0.0, float(fitting[0])) if darkest >= 0 and fitting else (darkest, brightest)
    inside = np.nan_to_num(values, nan=low, posinf=high, neginf=low).clip(low, high)
    return ((inside - low) * (255 / max(high - low, np.finfo(np.float64).tiny))).round().astype(np.uint8)
