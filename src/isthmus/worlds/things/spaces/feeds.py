"""Feeds: encoder inputs of scenes, drawn or spoken, determined by numbers between 0 and 1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.drawings.canvas import Painter
from isthmus.worlds.things.drawings.drawings import Drawings
from isthmus.worlds.things.drawings.layout import CANVAS, SceneLayouts, lay_out
from isthmus.worlds.things.scenes import Scenes
from isthmus.worlds.things.speech.log_mel import log_mel
from isthmus.worlds.things.speech.recordings import SpokenUnits
from isthmus.worlds.things.speech.sentences import SpokenSentence, say, waveform
from isthmus.worlds.things.things import thing_names, things

FEED_ROWS = 128
CLOSE_UP_SHIFT = 0.3
"""How far a drawing is off the centre of a close-up, as a share of how far it is in the image."""
VOCAL_TRACTS = tuple(np.geomspace(0.85, 1.2, 7).tolist())
"""Vocal tract lengths simulated in training."""
LONGEST_GAP = 8
"""Most adjacent frames or bands masked at once in training."""


class SceneFeed:
    """Images of scenes from a bank of drawings."""

    def __init__(self, bank: Drawings) -> None:
        self.bank, self.painter = bank, Painter(bank)
        self.row_of = np.full((len(bank.styles), len(things())), -1)
        self.row_of[bank.style, bank.thing] = np.arange(len(bank))

    def layouts(
        self, scenes: Scenes, styles: Int[np.ndarray, " n"], chances: Float[np.ndarray, "n chances"]
    ) -> SceneLayouts:
        """Where the drawings of each scene lie. A thing that a style lacks is drawn in the next style that has it.

        Raises:
            IsthmusError: No style of the bank draws one of the things.
        """
        rows = self._rows(scenes, styles[:, None])
        for step in range(1, len(self.bank.styles)):
            other = self._rows(scenes, (styles[:, None] + step) % len(self.bank.styles))
            rows = np.where(rows < 0, other, rows)
        lacking = scenes.thing[(rows < 0) & scenes.present]
        if len(lacking):
            raise IsthmusError(f"no drawing of {thing_names()[lacking[0]]!r}: leave the thing out of the scenes")
        return lay_out(scenes, rows, chances)

    def _rows(self, scenes: Scenes, styles: Int[np.ndarray, "n 1"]) -> Int[np.ndarray, "n 3"]:
        return np.where(scenes.present, self.row_of[styles, scenes.thing], -1)

    def pixels(
        self, scenes: Scenes, styles: Int[np.ndarray, " n"], chances: Float[np.ndarray, "n chances"]
    ) -> UInt8[np.ndarray, "n height width 3"]:
        """The images."""
        return self.painter.images(self.layouts(scenes, styles, chances))

    def close_ups(
        self, scenes: Scenes, styles: Int[np.ndarray, " n"], chances: Float[np.ndarray, "n chances"]
    ) -> UInt8[np.ndarray, "n half half 3"]:
        """Images of half the width and height, each of a scene with one drawing; ``n`` is a multiple of four.

        Four of them are painted at once, as the quarters of one image.
        """
        layouts = self.layouts(scenes, styles, chances)
        half, quarter = CANVAS // 2, layouts.image % 4
        near = {
            "x": half * (quarter % 2) + half / 2 + CLOSE_UP_SHIFT * (layouts.x - half),
            "y": half * (quarter // 2) + half / 2 + CLOSE_UP_SHIFT * (layouts.y - half),
        }
        whole = self.painter.images(replace(layouts, image=layouts.image // 4, chances=chances[::4], **near))
        quarters = whole.reshape(-1, 2, half, 2, half, 3).transpose(0, 1, 3, 2, 4, 5)
        return quarters.reshape(-1, half, half, 3)

    def batches(
        self, scenes: Scenes, styles: Int[np.ndarray, " n"], chances: Float[np.ndarray, "n chances"]
    ) -> Iterator[tuple[Tensor, ...]]:
        """The images as the image tower takes them, in blocks."""
        for start in range(0, len(scenes), FEED_ROWS):
            own = slice(start, start + FEED_ROWS)
            yield (as_input(self.pixels(scenes[own], styles[own], chances[own])),)


def as_input(pixels: UInt8[np.ndarray, "n height width 3"]) -> Float[Tensor, "n 3 height width"]:
    """Pixels to values in -1..1, colours first."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


class SpeechFeed:
    """Sentences about scenes from a bank of spoken units."""

    def __init__(self, bank: SpokenUnits) -> None:
        self.bank = bank

    def sentences(
        self, scenes: Scenes, voices: Int[np.ndarray, " n"], chances: Float[np.ndarray, "n chances"]
    ) -> list[SpokenSentence]:
        """The sentence about each scene: its units and their times."""
        return say(scenes, voices, chances, self.bank)

    def batches(
        self, scenes: Scenes, voices: Int[np.ndarray, " n"], chances: Float[np.ndarray, "n chances"]
    ) -> Iterator[tuple[Tensor, ...]]:
        """The sentences as the speech tower takes them, in blocks."""
        for start in range(0, len(scenes), FEED_ROWS):
            own = slice(start, start + FEED_ROWS)
            yield self.frames(self.sentences(scenes[own], voices[own], chances[own]))

    def frames(self, sentences: list[SpokenSentence], warp: float = 1.0) -> tuple[Tensor, Tensor]:
        """Log-mel frames of sentences, and how many each has."""
        return log_mel([waveform(sentence, self.bank) for sentence in sentences], warp)

    def distorted(self, sentences: list[SpokenSentence], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """As `frames`, with one simulated vocal tract, and short masks in time and frequency."""
        frames, lengths = self.frames(sentences, VOCAL_TRACTS[rng.integers(len(VOCAL_TRACTS))])
        last = lengths.numpy()[:, None]
        count, time, bands = frames.shape
        moments = _gaps((rng.random((count, 3)) * last).astype(np.int64), time, rng)
        band = _gaps(rng.integers(0, bands, (count, 2)), bands, rng)
        return frames.masked_fill(moments[:, :, None] | band[:, None, :], float(frames.min())), lengths


def _gaps(starts: Int[np.ndarray, "n gaps"], size: int, rng: np.random.Generator) -> Tensor:
    """True within each gap, (n, size)."""
    ends = starts + rng.integers(0, LONGEST_GAP + 1, starts.shape)
    place = np.arange(size)
    return torch.from_numpy(((place >= starts[..., None]) & (place < ends[..., None])).any(1))
