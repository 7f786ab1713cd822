"""Overlays: an image with the heat of a query over it and frames around the regions found; heat as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from isthmus.base.atomic import atomic_path
from isthmus.base.errors import IsthmusError
from isthmus.localize.crops import image_of
from isthmus.localize.localized import Localized
from isthmus.report.heat import STRONGEST, WARM

FRAMES = 3
"""Regions that are framed."""
SHARE = 200
"""A frame's width: one pixel for so many of the image's longer side."""


def overlay(item: Any, found: Localized) -> Image.Image:
    """An image coloured by heat, from none at the median to orange at the highest, with frames around regions.

    Args:
        item: The image that was looked in: a path, a PIL image or an array.
        found: What was found in it.

    Returns:
        An image of the same size. The frame of the best region is twice as thick as the others.

    Raises:
        IsthmusError: What was found is not in an image.
    """
    image = image_of(item)
    heat = found.heat_map((image.height, image.width))
    middle = np.median(heat)
    warmth = STRONGEST * np.clip((heat - middle) / max(float(heat.max() - middle), 1e-12), 0, 1)[..., None]
    drawn = Image.fromarray(((1 - warmth) * np.asarray(image) + warmth * WARM).astype(np.uint8))
    width = max(1, max(image.size) // SHARE)
    for number, box in enumerate(found.regions[:FRAMES].tolist()):
        left, top = box[:2]
        right, bottom = max(left, box[2] - 1), max(top, box[3] - 1)
        thick = width if number else 2 * width
        # The dark edge keeps a white frame visible on a white background.
        ImageDraw.Draw(drawn).rectangle((left, top, right, bottom), outline="black", width=thick + max(1, width // 2))
        ImageDraw.Draw(drawn).rectangle((left, top, right, bottom), outline="white", width=thick)
    return drawn


def write_overlay(item: Any, found: Localized, path: Path) -> Path:
    """Write the overlay as PNG. Raises `IsthmusError` if the path has another suffix."""
    if path.suffix.lower() != ".png":
        raise IsthmusError(f"{path}: overlays are PNG files: give a name that ends in .png")
    drawn = overlay(item, found)
    with atomic_path(path) as part:
        drawn.save(part, format="PNG")
    return path


def write_heat(found: Localized, path: Path) -> Path:
    """Write the heat of every pixel as an array (height, width), float32. Raises `IsthmusError` for another suffix."""
    if path.suffix.lower() != ".npy":
        raise IsthmusError(f"{path}: heat maps are .npy files: give a name that ends in .npy")
    rows = found.heat_map().astype(np.float32)
    with atomic_path(path) as part, part.open("wb") as file:
        np.save(file, rows)
    return path
