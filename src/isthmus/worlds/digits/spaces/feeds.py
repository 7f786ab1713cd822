"""Feeds: what a tower takes, made from drawn items as they are or, for training, distorted afresh each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.worlds.digits.recordings.distortion import distort_frames, distort_tiles, stretch
from isthmus.worlds.digits.recordings.handwriting import Handwriting, Pictures, draw_pictures
from isthmus.worlds.digits.recordings.log_mel import BANDS, SILENCE, log_mel
from isthmus.worlds.digits.recordings.speech import Speech, Utterances, draw_utterances

FEED_ROWS = 256
VOCAL_TRACTS = (1.0, *np.geomspace(0.8, 1.3, 8).tolist())
"""Factors by which training voices are warped: from a child's tract to a very large one."""


@runtime_checkable
class TrainingFeed(Protocol):
    """Gives training inputs for sequences of digits."""

    def distorted(self, digits: Int[np.ndarray, "n 5"], rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Newly drawn and distorted items of these sequences, as the item tower takes them."""
        ...

    def forget(self) -> None:
        """Let go of what only training needs."""
        ...


class PictureFeed:
    """Pictures from a bank of handwriting; training draws among ``rows``."""

    def __init__(self, bank: Handwriting, rows: Int[np.ndarray, " rows"]) -> None:
        self.bank, self.rows = bank, rows
        self.columns = bank.columns()

    def batches(self, pictures: Pictures) -> Iterator[tuple[Tensor, ...]]:
        """The pictures as the image tower takes them, in blocks."""
        for start in range(0, len(pictures), FEED_ROWS):
            numbers = pictures[start : start + FEED_ROWS].column_numbers(len(self.bank.tiles))
            yield (as_images(torch.from_numpy(self.columns[numbers])),)

    def distorted(self, digits: Int[np.ndarray, "n 5"], rng: np.random.Generator) -> tuple[Tensor, ...]:
        """New pictures, each tile turned, sheared, scaled and shifted a little."""
        pictures = draw_pictures(digits, self.bank, self.rows, rng)
        used, place = np.unique(pictures.tiles, return_inverse=True)
        first = int(used[0] < 0)
        tiles = distort_tiles(self.bank.tiles[used[first:]], rng)
        local = Pictures(place.reshape(pictures.tiles.shape) - first, pictures.lefts)
        columns = Handwriting(tiles, self.bank.digit[used[first:]]).columns()
        return (as_images(torch.from_numpy(columns[local.column_numbers(len(tiles))])),)

    def forget(self) -> None:
        """Nothing is kept."""


def as_images(columns: Tensor) -> Float[Tensor, "n 28 pixels"]:
    """Pixel columns 0..255 to images 0..1."""
    return columns.transpose(1, 2).float() / 255


class UtteranceFeed:
    """Utterances from a bank of speech; training draws among ``rows``."""

    def __init__(self, bank: Speech, rows: Int[np.ndarray, " rows"]) -> None:
        self.bank, self.rows = bank, rows
        self.hops = bank.hops()
        self.first = np.cumsum(self.hops) - self.hops
        self.frames = _with_silence([log_mel(bank.samples, bank.offset)])
        self.warped: Float[Tensor, "frames bands"] | None = None

    def batches(self, utterances: Utterances) -> Iterator[tuple[Tensor, ...]]:
        """The utterances as the audio tower takes them, in blocks."""
        for start in range(0, len(utterances), FEED_ROWS):
            block = utterances[start : start + FEED_ROWS]
            numbers = block.frame_numbers(self.first, self.hops, len(self.frames) - 1)
            yield self.frames[torch.from_numpy(numbers)], torch.from_numpy(block.lengths)

    def distorted(self, digits: Int[np.ndarray, "n 5"], rng: np.random.Generator) -> tuple[Tensor, ...]:
        """New utterances: another vocal tract and tempo for each, noise, and short gaps in time and frequency."""
        if self.warped is None:
            banks = [log_mel(self.bank.samples, self.bank.offset, warp) for warp in VOCAL_TRACTS]
            self.warped = _with_silence(banks)
        utterances = draw_utterances(digits, self.bank, self.rows, rng)
        silence = len(self.warped) - 1
        numbers = utterances.frame_numbers(self.first, self.hops, silence)
        tract = rng.integers(0, len(VOCAL_TRACTS), (len(digits), 1)) * (len(self.frames) - 1)
        numbers, lengths = stretch(np.where(numbers == silence, silence, numbers + tract), utterances.lengths, rng)
        frames = distort_frames(self.warped[torch.from_numpy(numbers)], torch.from_numpy(lengths), rng)
        return frames, torch.from_numpy(lengths)

    def forget(self) -> None:
        """Let go of the warped features: they are eight times the size of the plain ones."""
        self.warped = None


def _with_silence(banks: list[Float[Tensor, "_ bands"]]) -> Float[Tensor, "all_frames bands"]:
    return torch.cat([*banks, torch.full((1, BANDS), SILENCE)])
