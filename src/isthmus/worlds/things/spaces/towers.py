"""Towers: the encoders of images and sentences. Each makes tokens first, then one vector per item."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from isthmus.base.errors import IsthmusError
from isthmus.worlds.spaces.mel import levelled
from isthmus.worlds.spaces.text_towers import PADDING
from isthmus.worlds.things.drawings.layout import CANVAS
from isthmus.worlds.things.speech.log_mel import BANDS

PATCH = 8
"""Pixels per side of an image token."""
FRAMES = 4
"""Frames per token of a sentence."""
CONTEXT_LAYERS = 3
LONGEST_TEXT, LONGEST_SENTENCE = 32, 160
"""Most words of a text and tokens of a sentence (12.8 s) that a tower reads."""


def convolution(inputs: int, outputs: int, size: int, stride: int) -> nn.Sequential:
    """A convolution that keeps the size but for its stride, then normalisation and a ramp."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class Residual(nn.Module):
    """A layer whose output is added to its input."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as ``x``."""
        return x + self.layer(x)


class AttentivePooling(nn.Module):
    """Tokens and their places to one vector by two layers of attention, then their mean and largest values.

    Padding has no influence, so an item's vector does not depend on the batch it is in.
    """

    def __init__(self, width: int, dim: int, longest: int) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(longest, width) * 0.1)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(2 * width, dim)

    def forward(
        self, tokens: Float[Tensor, "batch tokens width"], present: Bool[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch dim"]:
        """Unit rows. Raises `IsthmusError` for more tokens than there are places."""
        if tokens.shape[1] > len(self.place):
            raise IsthmusError(f"an item has {tokens.shape[1]} tokens, this tower reads {len(self.place)}: shorten it")
        seen = self.layers(tokens + self.place[: tokens.shape[1]], src_key_padding_mask=~present)
        absent = ~present[..., None]
        mean = seen.masked_fill(absent, 0).sum(1) / present.sum(1, keepdim=True)
        largest = seen.masked_fill(absent, -torch.inf).amax(1)
        return functional.normalize(self.out(torch.cat([mean, largest], dim=1)), dim=1)


class TextTower(nn.Module):
    """Words to tokens by an embedding table, each independent of the others, then `AttentivePooling`."""

    def __init__(self, words: int, width: int, dim: int) -> None:
        super().__init__()
        self.table = nn.Embedding(words + 1, width, padding_idx=PADDING)
        self.pool = AttentivePooling(width, dim, LONGEST_TEXT)

    def tokens(
        self, words: Int[Tensor, "batch words"]
    ) -> tuple[Float[Tensor, "batch words width"], Bool[Tensor, "batch words"]]:
        """Words to tokens in reading order."""
        return self.table(words), words != PADDING

    def forward(self, words: Int[Tensor, "batch words"]) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        return self.pool(*self.tokens(words))


class SceneTower(nn.Module):
    """Images to one token per 8 × 8 pixels by strided convolutions, then `AttentivePooling` of 2 × 2 of them each."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            convolution(3, 3 * width // 16, 5, 2),
            convolution(3 * width // 16, width // 2, 3, 2),
            convolution(width // 2, width, 3, 2),
            Residual(convolution(width, width, 3, 1)),
            Residual(convolution(width, width, 3, 1)),
        )
        self.norm = nn.LayerNorm(width)
        self.coarse = nn.Conv2d(width, width, 2, 2)
        self.pool = AttentivePooling(width, dim, (CANVAS // (2 * PATCH)) ** 2)

    def tokens(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> tuple[Float[Tensor, "batch tokens channels"], Bool[Tensor, "batch tokens"]]:
        """Images in -1..1 to tokens row by row, all present."""
        tokens = self._grid(images).flatten(1, 2)
        return tokens, torch.ones(tokens.shape[:2], dtype=torch.bool)

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        pooled = self.coarse(self._grid(images).permute(0, 3, 1, 2)).flatten(2).transpose(1, 2)
        return self.pool(pooled, torch.ones(pooled.shape[:2], dtype=torch.bool))

    def _grid(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch rows columns channels"]:
        return self.norm(self.stem(images.contiguous(memory_format=torch.channels_last)).permute(0, 2, 3, 1))


class SpeechTower(nn.Module):
    """Log-mel frames to one token per 80 ms by convolutions along time, then `AttentivePooling`."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.stem = nn.ModuleList((along_time(BANDS, width, 2), along_time(width, width, 2)))
        self.context = nn.ModuleList(along_time(width, width, 1) for _ in range(CONTEXT_LAYERS))
        self.norm = nn.LayerNorm(width)
        self.pool = AttentivePooling(width, dim, LONGEST_SENTENCE)

    def tokens(
        self, frames: Float[Tensor, "batch frames bands"], lengths: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch tokens channels"], Bool[Tensor, "batch tokens"]]:
        """Frames, of which the first ``lengths`` are valid, to tokens in time order."""
        x = levelled(frames, _first(lengths, frames.shape[1])).transpose(1, 2)
        # What lies behind the end is set to zero after every layer, as if the batch had ended there.
        for layer in self.stem:
            lengths = -(-lengths // 2)
            x = layer(x)
            x = x * _first(lengths, x.shape[2])[:, None]
        present = _first(lengths, x.shape[2])
        for layer in self.context:
            x = x + layer(x) * present[:, None]
        return self.norm(x.transpose(1, 2)), present

    def forward(
        self, frames: Float[Tensor, "batch frames bands"], lengths: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        return self.pool(*self.tokens(frames, lengths))


def along_time(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A convolution over five frames, then normalisation and a ramp."""
    return nn.Sequential(nn.Conv1d(inputs, outputs, 5, stride, 2, bias=False), nn.BatchNorm1d(outputs), nn.ReLU())


def _first(lengths: Int[Tensor, " batch"], size: int) -> Bool[Tensor, "batch size"]:
    """True in the first ``lengths`` places of each row."""
    return torch.arange(size) < lengths[:, None]
