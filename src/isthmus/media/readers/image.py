"""Images: Pillow decodes them; upright as their camera held them, in RGB, refused if they would fill the memory."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from isthmus.media.source import ByteSource, Decoded, UnreadableError, as_source, unreadable

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".jp2", ".ppm", ".pgm")
MOST_PIXELS = 100_000_000
"""Larger images are refused: decoded, they take 300 MB and more."""
MOST_ELONGATED = 100
"""Longer side divided by the shorter; beyond it, scaling the shorter side to an encoder's size fills the memory."""


def read_image(content: ByteSource | Path | str | bytes | Image.Image | np.ndarray) -> Image.Image:
    """Read an image as RGB, turned upright by its EXIF orientation; the first frame of an animation.

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
    source = as_source(content)
    with warnings.catch_warnings(), unreadable(source.name):
        warnings.simplefilter("ignore")
        if isinstance(source, Decoded):
            return _upright(source.name, _from_memory(source.name, source.value))
        with source.open() as file:
            return _upright(source.name, Image.open(cast(IO[bytes], file)))


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


def _upright(name: str, image: Image.Image) -> Image.Image:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise UnreadableError(f"{name}: {width} x {height} pixels, the limit is {MOST_PIXELS} pixels: scale it down")
    if max(width, height) > MOST_ELONGATED * min(width, height):
        raise UnreadableError(f"{name}: {width} x {height} pixels is too elongated for an encoder: crop it")
    image.load()
    turned = ImageOps.exif_transpose(image)
    return _as_rgb(image if turned is None else turned)


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode[0] in "IF":
        values = np.nan_to_num(np.asarray(image, np.float64))
        whole = 65535.0 if values.max(initial=0) > 255 else 255.0 if values.max(initial=0) > 1 else 1.0
        return Image.fromarray((values.clip(0, whole) * (255 / whole)).round().astype(np.uint8)).convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB")
