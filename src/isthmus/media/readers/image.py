"""Pictures: Pillow opens them; upright as their camera says, in RGB, refused where they would fill the memory."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO, cast

import numpy as np
from PIL import Image, ImageOps

from isthmus.media.source import ByteSource, as_source
from isthmus.media.unreadable import UnreadableError, unreadable

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".jp2", ".ppm", ".pgm")
MOST_PIXELS = 100_000_000
"""Pictures of more pixels are refused: decoded, they take 300 MB and more."""
MOST_ELONGATED = 100
"""Longer side in units of the shorter; beyond it, bringing the shorter side to an encoder's size fills the memory."""


def read_image(content: ByteSource | Path | str | bytes) -> Image.Image:
    """A picture as RGB, turned upright by its EXIF orientation; of an animation the first frame.

    Raises `UnreadableError` for what is no picture, is cut short, has more than 100 million pixels, or is more than
    100 times as long as wide.
    """
    source = as_source(content)
    with warnings.catch_warnings(), unreadable(source.name), source.open() as file:
        warnings.simplefilter("ignore")
        opened = Image.open(cast(IO[bytes], file))
        _check_size(source.name, *opened.size)
        opened.load()
        upright = ImageOps.exif_transpose(opened)
        return _as_rgb(opened if upright is None else upright)


def _check_size(name: str, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise UnreadableError(f"{name}: {width} x {height} pixels, {MOST_PIXELS} are allowed: scale it down")
    if max(width, height) > MOST_ELONGATED * min(width, height):
        raise UnreadableError(f"{name}: {width} x {height} pixels is too elongated for an encoder: cut it")


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode[0] in "IF":
        values = np.nan_to_num(np.asarray(image, np.float64))
        whole = 65535.0 if values.max(initial=0) > 255 else 255.0 if values.max(initial=0) > 1 else 1.0
        return Image.fromarray((values.clip(0, whole) * (255 / whole)).round().astype(np.uint8)).convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB")
