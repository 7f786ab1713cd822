"""An encoder whose vectors are colours: of words, of images as a whole, or of the cells of a grid over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from isthmus.media import Item, read_image
from isthmus.spaces import EncoderInputs, Space
from isthmus.spaces.preparation.image import grid_boxes

SIDE, CELLS = 32, 8
WORDS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0), "white": (1.0, 1.0, 1.0)}


@dataclass(frozen=True)
class ColourPreparation:
    """Like CLIP's, it keeps only the square in the middle of an image."""

    modality: str
    fingerprint: str = "0" * 16
    padding: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, item: Item) -> EncoderInputs:
        if self.modality == "text":
            return {"colour": np.array([WORDS.get(item.text, (0.5, 0.5, 0.2))], np.float32)}
        assert item.source is not None
        image = read_image(item.source)
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        region = (left, top, left + side, top + side)
        pixels = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX, box=region), np.float32) / 255
        return {"pixels": pixels[None], "_region": np.array([region], np.float32)}


@dataclass(frozen=True)
class ColourEncoder:
    revision: str = "1"
    token_modalities: tuple[str, ...] = ("image",)

    def preparation(self, modality: str) -> ColourPreparation:
        return ColourPreparation(modality)

    def encode_inputs(self, modality: str, inputs: EncoderInputs) -> np.ndarray:
        rows = inputs["colour"] if modality == "text" else inputs["pixels"].mean((1, 2))
        return unit(rows)

    def encode_tokens(self, modality: str, inputs: EncoderInputs) -> list[tuple[np.ndarray, np.ndarray]]:
        step = SIDE // CELLS
        cells = inputs["pixels"].reshape(-1, CELLS, step, CELLS, step, 3).mean((2, 4)).reshape(-1, CELLS**2, 3)
        boxes = [grid_boxes(region, CELLS, CELLS) for region in inputs["_region"]]
        return [(unit(rows), own) for rows, own in zip(cells, boxes, strict=True)]


def unit(rows: np.ndarray) -> np.ndarray:
    shifted = rows + 0.02
    return (shifted / np.linalg.norm(shifted, axis=-1, keepdims=True)).astype(np.float32)


def colour_space() -> Space:
    return Space("colour", ("text", "image"), None, "cpu", ColourEncoder())


def scene(width: int, height: int, *things: tuple[str, tuple[int, int, int, int]]) -> Image.Image:
    """A grey image with coloured boxes."""
    image = Image.new("RGB", (width, height), (120, 120, 120))
    for word, box in things:
        image.paste(tuple(round(255 * part) for part in WORDS[word]), box)
    return image
