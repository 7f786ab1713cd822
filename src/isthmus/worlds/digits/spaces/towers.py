"""Towers: the encoders of the two spaces. Each makes tokens first, then one vector per item."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from isthmus.worlds.digits.recordings.log_mel import BANDS
from isthmus.worlds.spaces.mel import levelled
from isthmus.worlds.spaces.text_towers import OrderedPooling

IMAGE_STRIDE = 4
"""Pixels per image token."""
AUDIO_STRIDE = 4
"""Hops per audio token."""


class ImageTower(nn.Module):
    """Images to one token per 4 pixel columns by strided convolutions, then `OrderedPooling`."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, width // 8, 5, 2, 2),
            nn.ReLU(),
            nn.Conv2d(width // 8, width // 4, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(width // 4, width, (7, 3), padding=(0, 1)),
        )
        self.context = Context(width)
        self.pool = OrderedPooling(width, dim)

    def tokens(
        self, images: Float[Tensor, "batch 28 pixels"]
    ) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]:
        """Images in 0..1 to tokens from left to right, all present."""
        tokens = self.context(self.stem(images[:, None]).squeeze(2))
        return tokens, torch.ones(tokens.shape[:2], dtype=torch.bool)

    def forward(self, images: Float[Tensor, "batch 28 pixels"]) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        return self.pool(*self.tokens(images))


class Context(nn.Module):
    """A residual convolution along the sequence; its window is about one digit long."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.convolution = nn.Conv1d(width, width, 5, padding=2)

    def forward(self, x: Float[Tensor, "batch width tokens"]) -> Float[Tensor, "batch tokens width"]:
        """Same shape as ``x``."""
        normed = functional.relu(self.before(x.transpose(1, 2)).transpose(1, 2))
        return self.after((x + self.convolution(normed)).transpose(1, 2))


class AudioTower(nn.Module):
    """Log-mel frames to one token per 64 ms, then `OrderedPooling`."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, width // 8, 5, 2, 2),
            nn.ReLU(),
            nn.Conv2d(width // 8, width // 4, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(width // 4, width // 2, 3, (2, 1), 1),
            nn.ReLU(),
            nn.Conv2d(width // 2, width, (BANDS // 8, 3), padding=(0, 1)),
        )
        self.context = Context(width)
        self.pool = OrderedPooling(width, dim)

    def tokens(
        self, frames: Float[Tensor, "batch frames bands"], lengths: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]:
        """Frames, of which the first ``lengths`` are valid, to tokens in time order."""
        valid = torch.arange(frames.shape[1]) < lengths[:, None]
        tokens = self.context(self.stem(levelled(frames, valid).transpose(1, 2)[:, None]).squeeze(2))
        return tokens, torch.arange(tokens.shape[1]) < -(-lengths // AUDIO_STRIDE)[:, None]

    def forward(
        self, frames: Float[Tensor, "batch frames bands"], lengths: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        return self.pool(*self.tokens(frames, lengths))
