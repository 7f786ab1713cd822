"""Feeds: encoder inputs of items, either as they are or, for training, with new random augmentations each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.worlds.digits.recordings.distortion import distort_frames, distort_tiles, stretch
from isthmus.worlds.digits.recordings.handwriting import Handwriting, ImageLayouts, draw_images
from isthmus.worlds.digits.recordings.log_mel import BANDS, SILENCE, log_mel
from isthmus.worlds.digits.recordings.speech import AudioLayouts, Speech, draw_audio

FEED_ROWS = 256
VOCAL_TRACTS = (1.0, *np.geomspace(0.8, 1.3, 8).tolist())
"""Vocal tract lengths simulated in training: from a child's to a very large one."""


@runtime_checkable
class TrainingFeed(Protocol):
    """Makes training inputs for sequences of digits."""

    def distorted(self, digits: Int[np.ndarray, "n 5"], rng: np.random.Generator) -> tuple[Tensor, ...]:
        """New augmented items of these sequences, as the item tower takes them."""
        ...

    def forget(self) -> None:
        """Free the memory that only training needs."""
        ...


class ImageFeed:
    """Images from a bank of handwriting; training draws from ``rows``."""

    def __init__(self, bank: Handwriting, rows: Int[np.ndarray, " rows"]) -> None:
        self.bank, self.rows = bank, rows
        self.columns = bank.columns()

    def batches(self, layouts: ImageLayouts) -> Iterator[tuple[Tensor, ...]]:
        """The images as the image tower takes them, in blocks."""
        for start in range(0, len(layouts), FEED_ROWS):
            numbers = layouts[start : start + FEED_ROWS].column_numbers(len(self.bank.tiles))
            yield (as_images(torch.from_numpy(self.columns[numbers])),)

    def distorted(self, digits: Int[np.ndarray, "n 5"], rng: np.random.Generator) -> tuple[Tensor, ...]:
        """New images, each tile slightly rotated, sheared, scaled and shifted."""
        layouts = draw_images(digits, self.bank, self.rows, rng)
        used, place = np.unique(layouts.tiles, return_inverse=True)
        first = int(used[0] < 0)
        tiles = distort_tiles(self.bank.tiles[used[first:]], rng)
        local = ImageLayouts(place.reshape(layouts.tiles.shape) - first, layouts.lefts)
        columns = Handwriting(tiles, self.bank.digit[used[first:]]).columns()
        return (as_images(torch.from_numpy(columns[local.column_numbers(len(tiles))])),)

    def forget(self) -> None:
        """Nothing to free."""


def as_images(columns: Tensor) -> Float[Tensor, "n 28 pixels"]:
    """Pixel columns 0..255 to images 0..1."""
    return columns.transpose(1, 2).float() / 255


class AudioFeed:
    """Audio clips from a bank of speech; training draws from ``rows``."""

    def __init__(self, bank: Speech, rows: Int[np.ndarray, " rows"]) -> None:
        self.bank, self.rows = bank, rows
        self.hops = bank.hops()
        self.first = np.cumsum(self.hops) - self.hops
        self.frames = _with_silence([log_mel(bank.samples, bank.offset)])
        self.warped: Float[Tensor, "frames bands"] | None = None

    def batches(self, layouts: AudioLayouts) -> Iterator[tuple[Tensor, ...]]:
        """The clips as the audio tower takes them, in blocks."""
        for start in range(0, len(layouts), FEED_ROWS):
            block = layouts[start : start + FEED_ROWS]
            numbers = block.frame_numbers(self.first, self.hops, len(self.frames) - 1)
            yield self.frames[torch.from_numpy(numbers)], torch.from_numpy(block.lengths)

    def distorted(self, digits: Int[np.ndarray, "n 5"], rng: np.random.Generator) -> tuple[Tensor, ...]:
        """New clips with random vocal tract, tempo, noise, and short masks in time and frequency."""
        if self.warped is None:
            banks = [log_mel(self.bank.samples, self.bank.offset, warp) for warp in VOCAL_TRACTS]
            self.warped = _with_silence(banks)
        layouts = draw_audio(digits, self.bank, self.rows, rng)
        silence = len(self.warped) - 1
        numbers = layouts.frame_numbers(self.first, self.hops, silence)
        tract = rng.integers(0, len(VOCAL_TRACTS), (len(digits), 1)) * (len(self.frames) - 1)
        numbers, lengths = stretch(np.where(numbers == silence, silence, numbers + tract), layouts.lengths, rng)
        frames = distort_frames(self.warped[torch.from_numpy(numbers)], torch.from_numpy(lengths), rng)
        return frames, torch.from_numpy(lengths)

    def forget(self) -> None:
        """Free the warped features, which are eight times the size of the plain ones."""
        self.warped = None


def _with_silence(banks: list[Float[Tensor, "_ bands"]]) -> Float[Tensor, "all_frames bands"]:
    return torch.cat([*banks, torch.full((1, BANDS), SILENCE)])
