"""Images and videos: scaled and normalized by the checkpoint's image processor; the boxes of an image's patches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import numpy as np
from jaxtyping import Float32
from PIL import Image

from isthmus.base.hashing import fingerprint_of
from isthmus.media import Item, read_image, read_video
from isthmus.media.readers import image, video
from isthmus.spaces.checkpoint import loaded
from isthmus.spaces.protocol import EncoderInputs, Weights


@lru_cache(maxsize=8)
def image_processor(weights: Weights) -> Any:
    """The checkpoint's image processor, in the version that needs only Pillow."""
    from transformers import AutoImageProcessor

    return loaded(weights, partial(AutoImageProcessor.from_pretrained, backend="pil"))


@dataclass(frozen=True)
class ImagePreparation:
    """Processes an image; ``_region`` is the part of the original that the encoder sees, in pixels."""

    weights: Weights
    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Depends on the processor's settings."""
        return fingerprint_of(image.READING, image_processor(self.weights).to_dict())

    def __call__(self, item: Item) -> EncoderInputs:
        """The inputs of one image."""
        assert item.source is not None
        read = read_image(item.source)
        region = region_seen(image_processor(self.weights), *read.size)
        return {**processed(self.weights, [read]), "_region": region[None]}


@dataclass(frozen=True)
class VideoPreparation:
    """Processes ``frames`` frames of a video; ``_seconds`` is when each is shown."""

    weights: Weights
    frames: int
    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Depends on the processor's settings and the number of frames."""
        return fingerprint_of(video.READING, self.frames, image_processor(self.weights).to_dict())

    def __call__(self, item: Item) -> EncoderInputs:
        """The inputs of one video: ``pixel_values`` of shape (1, frames, 3, height, width)."""
        assert item.source is not None
        read = read_video(item.source, self.frames)
        pixels = processed(self.weights, read.images())["pixel_values"]
        ends = np.append(read.seconds[1:], max(read.duration, read.seconds[-1]))
        return {"pixel_values": pixels[None], "_seconds": np.stack([read.seconds, ends], 1)[None].astype(np.float32)}


def processed(weights: Weights, images: list[Image.Image]) -> dict[str, np.ndarray]:
    """The image processor's outputs. The axis of colours is given, since it cannot be guessed for a tiny image."""
    made = image_processor(weights)(images, return_tensors="np", input_data_format="channels_last")
    return {name: np.asarray(value) for name, value in made.items()}


def region_seen(processor: Any, width: int, height: int) -> Float32[np.ndarray, " 4"]:
    """Left, top, right, bottom in pixels of the original: all of it, or what a centre crop leaves."""
    shortest = (getattr(processor, "size", None) or {}).get("shortest_edge")
    crop = getattr(processor, "crop_size", None)
    if not getattr(processor, "do_center_crop", False) or not shortest or not crop:
        return np.array([0, 0, width, height], np.float32)
    scale = shortest / min(width, height)
    across, down = crop["width"] / scale, crop["height"] / scale
    left, top = (width - across) / 2, (height - down) / 2
    return np.array([left, top, left + across, top + down], np.float32)


def grid_boxes(region: Float32[np.ndarray, " 4"], rows: int, columns: int) -> Float32[np.ndarray, "cells 4"]:
    """The boxes of a grid of ``rows`` by ``columns`` cells over a region, row by row."""
    left, top, right, bottom = region
    across = np.linspace(left, right, columns + 1)
    down = np.linspace(top, bottom, rows + 1)
    boxes = [
        (across[column], down[row], across[column + 1], down[row + 1])
        for row in range(rows)
        for column in range(columns)
    ]
    return np.array(boxes, np.float32)
