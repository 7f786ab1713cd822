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
FEATURES = 3
"""Features looked for in single tokens, as a multiple of the width."""
AROUND = 3
"""Places along each axis over which a token of an item has the largest value of each feature: a place of 8 pixels
shows a part of a thing, and which one differs from place to place."""
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
    """Tokens and their places to one vector: what single tokens show, and the mean after a layer of attention.

    What a thing is needs no context: `local` looks for features in each token by itself, and the largest value of each
    is one dimension of the vector. So the vector has room for many things, they are learned in few steps, and tokens
    say what they show. Attention binds counts, places and order in ``dim`` further dimensions. Padding has no
    influence, so an item's vector does not depend on the batch it is in.
    """

    def __init__(self, width: int, dim: int, longest: int) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(longest, width) * 0.1)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.local = nn.Linear(width, FEATURES * width)
        self.level = nn.BatchNorm1d(FEATURES * width)
        self.out = nn.Linear(width, dim)

    def forward(
        self,
        tokens: Float[Tensor, "batch tokens width"],
        present: Bool[Tensor, "batch tokens"],
        fine: Float[Tensor, "batch fine width"] | None = None,
    ) -> Float[Tensor, "batch dim"]:
        """Unit rows; ``fine`` are tokens for `local` to read instead, all present.

        Raises:
            IsthmusError: There are more tokens than places.
        """
        if tokens.shape[1] > len(self.place):
            raise IsthmusError(f"an item has {tokens.shape[1]} tokens, this tower reads {len(self.place)}: shorten it")
        seen = self.layers(tokens + self.place[: tokens.shape[1]], src_key_padding_mask=~present)
        absent = ~present[..., None]
        mean = seen.masked_fill(absent, 0).sum(1) / present.sum(1, keepdim=True)
        found = self.features(tokens).masked_fill(absent, 0) if fine is None else self.features(fine)
        return functional.normalize(torch.cat([self.level(found.amax(1)), self.out(mean)], dim=1), dim=1)

    def features(self, tokens: Float[Tensor, "*tokens width"]) -> Float[Tensor, "*tokens features"]:
        """What each token shows by itself; at least 0."""
        return self.local(tokens).relu()


class TextTower(nn.Module):
    """Words to tokens by an embedding table, each independent of the others, then `AttentivePooling`."""

    def __init__(self, words: int, width: int, dim: int) -> None:
        super().__init__()
        self.table = nn.Embedding(words + 1, width, padding_idx=PADDING)
        self.pool = AttentivePooling(width, dim, LONGEST_TEXT)

    def tokens(
        self, words: Int[Tensor, "batch words"]
    ) -> tuple[Float[Tensor, "batch words features"], Bool[Tensor, "batch words"]]:
        """The features of each word, in reading order."""
        return self.pool.features(self.table(words)), words != PADDING

    def forward(self, words: Int[Tensor, "batch words"]) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        return self.pool(self.table(words), words != PADDING)


class SceneTower(nn.Module):
    """Images to one token per 8 × 8 pixels by strided convolutions, then `AttentivePooling` of squares of four."""

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
        self.pool = AttentivePooling(width, dim, (CANVAS // (2 * PATCH)) ** 2)

    def tokens(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> tuple[Float[Tensor, "batch tokens features"], Bool[Tensor, "batch tokens"]]:
        """Images in -1..1 to the features around each place, row by row, all present."""
        found = self.pool.features(self._grid(images)).permute(0, 3, 1, 2)
        tokens = functional.max_pool2d(found, AROUND, 1, AROUND // 2).flatten(2).transpose(1, 2)
        return tokens, torch.ones(tokens.shape[:2], dtype=torch.bool)

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        grid = self._grid(images)
        coarse = functional.avg_pool2d(grid.permute(0, 3, 1, 2), 2).flatten(2).transpose(1, 2)
        return self.pool(coarse, torch.ones(coarse.shape[:2], dtype=torch.bool), grid.flatten(1, 2))

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
    ) -> tuple[Float[Tensor, "batch tokens features"], Bool[Tensor, "batch tokens"]]:
        """Frames, of which the first ``lengths`` are valid, to the features around each moment, in time order."""
        moments, present = self._moments(frames, lengths)
        found = self.pool.features(moments).masked_fill(~present[..., None], 0).transpose(1, 2)
        return functional.max_pool1d(found, AROUND, 1, AROUND // 2).transpose(1, 2), present

    def forward(
        self, frames: Float[Tensor, "batch frames bands"], lengths: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        return self.pool(*self._moments(frames, lengths))

    def _moments(
        self, frames: Float[Tensor, "batch frames bands"], lengths: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch moments channels"], Bool[Tensor, "batch moments"]]:
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


def along_time(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A convolution over five frames, then normalisation and a ramp."""
    return nn.Sequential(nn.Conv1d(inputs, outputs, 5, stride, 2, bias=False), nn.BatchNorm1d(outputs), nn.ReLU())


def _first(lengths: Int[Tensor, " batch"], size: int) -> Bool[Tensor, "batch size"]:
    """True in the first ``lengths`` places of each row."""
    return torch.arange(size) < lengths[:, None]
