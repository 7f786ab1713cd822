"""A training-free baseline for the digits world: each token gets the digit word nearest to a window around it.

Windows pass through the whole encoder; words are compared with them in the item's own space.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from isthmus.embeddings.tokens import Tokens
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.items import parse_audio, parse_images
from isthmus.worlds.digits.recordings.handwriting import TILE
from isthmus.worlds.digits.recordings.log_mel import SILENCE
from isthmus.worlds.digits.spaces.towers import AUDIO_STRIDE, IMAGE_STRIDE
from isthmus.worlds.digits.tokens import captions_of
from isthmus.worlds.digits.wording import DIGIT_OF_WORD, NAMES, TOKEN
from isthmus.worlds.spaces.space import ContrastiveSpace

WINDOW_FRAMES = 32
"""Frames of an audio window: half a second."""
TEMPERATURE = 0.05
ROWS = 4096


@dataclass(frozen=True)
class WindowCodes:
    """Assigns digit words to tokens of a digits world."""

    digits: DigitsWorld

    @torch.no_grad()
    def token_codes(self, tokens: Tokens) -> Float[np.ndarray, "tokens 10"]:
        """Logarithms of each token's distribution over the ten words."""
        space = self._space_of(tokens)
        words = _word_vectors(space)
        if tokens.modality == "text":
            texts = captions_of(space, tokens.ids)
            vectors = space.embed_texts([word for text in texts for word in TOKEN.findall(text.lower())])
        else:
            windows = self._image_windows(tokens) if tokens.modality == "image" else self._audio_windows(tokens)
            vectors = torch.cat([space.item_tower(*part) for part in windows])
        return functional.log_softmax(vectors @ words.T / TEMPERATURE, dim=1).numpy()

    def _space_of(self, tokens: Tokens) -> ContrastiveSpace:
        spaces = (self.digits.image_space, self.digits.audio_space)
        return next(space for space in spaces if space.name == tokens.space)

    def _image_windows(self, tokens: Tokens) -> Iterator[tuple[Tensor, ...]]:
        """Square windows, each around a token's columns."""
        for (images,) in self.digits.image_feed.batches(parse_images(tokens.ids)):
            border = (TILE - IMAGE_STRIDE) // 2
            windows = functional.pad(images, (border, border)).unfold(2, TILE, IMAGE_STRIDE)
            for part in windows.transpose(1, 2).flatten(0, 1).split(ROWS):
                yield (part,)

    def _audio_windows(self, tokens: Tokens) -> Iterator[tuple[Tensor, ...]]:
        """Windows of half a second, each around a token's frames."""
        for frames, lengths in self.digits.audio_feed.batches(parse_audio(tokens.ids)):
            border = (WINDOW_FRAMES - AUDIO_STRIDE) // 2
            longest = -(-frames.shape[1] // AUDIO_STRIDE) * AUDIO_STRIDE
            padding = (0, 0, border, border + longest - frames.shape[1])
            windows = (
                functional.pad(frames, padding, value=SILENCE).unfold(1, WINDOW_FRAMES, AUDIO_STRIDE).transpose(2, 3)
            )
            present = torch.arange(windows.shape[1]) < -(-lengths // AUDIO_STRIDE)[:, None]
            for part in windows[present].split(ROWS):
                yield part, torch.full((len(part),), WINDOW_FRAMES)


@torch.no_grad()
def _word_vectors(space: ContrastiveSpace) -> Float[Tensor, "10 dim"]:
    """The mean embedding of each digit's words, each embedded alone."""
    words_of_digit = [
        [word for word in space.wording.vocabulary if DIGIT_OF_WORD.get(word) == digit] for digit in range(len(NAMES))
    ]
    return functional.normalize(torch.stack([space.embed_texts(words).mean(0) for words in words_of_digit]), dim=1)
