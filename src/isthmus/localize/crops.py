"""Images and other items cut up for encoders: tokens of whole items, and crops of images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Shaped
from PIL import Image

from isthmus.embeddings.tokens import Tokens
from isthmus.localize.windows import covering_squares
from isthmus.media import as_source, read_image
from isthmus.spaces import Space


def image_of(item: Any) -> Image.Image:
    """An image from a path, a PIL image or an array. Raises `IsthmusError` naming the file if it cannot be read."""
    return read_image(as_source(item))


def crops(image: Image.Image, places: Shaped[np.ndarray, "places 4"]) -> list[Image.Image]:
    """The parts of an image inside boxes, at least a pixel wide and tall."""
    found = []
    for left, top, right, bottom in np.rint(places).astype(int).tolist():
        found.append(image.crop((left, top, max(right, left + 1), max(bottom, top + 1))))
    return found


def squared(crop: Image.Image) -> Image.Image:
    """A crop scaled to a square, so that an encoder that crops the centre of its input loses nothing of it."""
    side = max(crop.size)
    return crop if crop.width == crop.height else crop.resize((side, side), Image.Resampling.BICUBIC)


def tokens_of(space: Space, items: Iterable[Any], modality: str) -> Tokens:
    """The tokens of items as `Space.encode_tokens` takes them, in the places that they have in the whole item.

    An image that is not square is encoded in overlapping squares: encoders crop its ends or distort it.
    """
    if modality != "image":
        return space.encode_tokens(list(items), modality=modality)
    cut, counts, corners = [], [], []
    for item in items:
        image = image_of(item)
        squares = covering_squares(*image.size)
        cut += crops(image, squares)
        counts.append(len(squares))
        corners += squares[:, :2].tolist()
    tokens = space.encode_tokens(cut, modality=modality)
    shifts = np.repeat(np.tile(np.array(corners), 2), np.diff(tokens.offsets), axis=0)
    offsets = tokens.offsets[np.concatenate([[0], np.cumsum(counts)])]
    places = (tokens.places + shifts).astype(np.float32)
    return Tokens.from_arrays(tokens.vectors, offsets, places, modality=modality, space=tokens.space, unit=tokens.unit)
