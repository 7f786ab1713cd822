"""Towers: the encoders of the two spaces. Each makes tokens first, then one vector per item."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from isthmus.worlds.digits.recordings.log_mel import BANDS
from isthmus.worlds.digits.wording import PADDING

IMAGE_STRIDE = 4
"""Pixels per image token."""
AUDIO_STRIDE = 4
"""Hops per audio token."""
DYNAMIC_RANGE = 9.0
"""Log power kept below the loudest (39 dB): below that, recordings differ by noise rather than by words."""


class OrderedPooling(nn.Module):
    """Tokens to one vector that depends on their order: a bidirectional GRU, then its mean and both final states."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.recurrent = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * width, dim)

    def forward(
        self, tokens: Float[Tensor, "batch tokens width"], present: Bool[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch dim"]:
        """Unit rows; tokens that are not ``present`` are ignored."""
        states, last = self.recurrent(tokens * present[..., None])
        mask = present[..., None].to(states.dtype)
        mean = (states * mask).sum(1) / mask.sum(1)
        return functional.normalize(self.out(torch.cat([mean, last[0], last[1]], dim=1)), dim=1)


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


def levelled(
    frames: Float[Tensor, "batch frames bands"], valid: Bool[Tensor, "batch frames"]
) -> Float[Tensor, "batch frames bands"]:
    """Frames normalized per clip to reduce the influence of speaker and microphone; 0 in padding.

    Values far below the clip's loudest band are raised to one floor, the mean spectrum is subtracted, and the rest
    is scaled to unit variance over the clip.
    """
    mask = valid[..., None].to(frames.dtype)
    count = mask.sum(1, keepdim=True)
    loudest = frames.masked_fill(~valid[..., None], -torch.inf).amax((1, 2), keepdim=True)
    audible = frames.maximum(loudest - DYNAMIC_RANGE)
    centred = (audible - (audible * mask).sum(1, keepdim=True) / count) * mask
    variance = centred.square().sum((1, 2), keepdim=True) / (count * frames.shape[2])
    return centred * (variance + 1e-4).rsqrt()


class RecurrentText(nn.Module):
    """Words to tokens by an embedding table, then `OrderedPooling`."""

    def __init__(self, words: int, width: int, dim: int) -> None:
        super().__init__()
        self.table = nn.Embedding(words + 1, width, padding_idx=PADDING)
        self.pool = OrderedPooling(width, dim)

    def tokens(
        self, words: Int[Tensor, "batch words"]
    ) -> tuple[Float[Tensor, "batch words width"], Bool[Tensor, "batch words"]]:
        """Words to tokens in reading order, each independent of the others."""
        return self.table(words), words != PADDING

    def forward(self, words: Int[Tensor, "batch words"]) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        return self.pool(*self.tokens(words))


class AttentiveText(nn.Module):
    """Words and their positions to tokens by a two-layer transformer, then the mean."""

    MAX_WORDS = 16

    def __init__(self, words: int, width: int, dim: int) -> None:
        super().__init__()
        self.table = nn.Embedding(words + 1, width, padding_idx=PADDING)
        self.place = nn.Parameter(torch.randn(self.MAX_WORDS, width) * 0.5)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(width, dim)

    def tokens(
        self, words: Int[Tensor, "batch words"]
    ) -> tuple[Float[Tensor, "batch words width"], Bool[Tensor, "batch words"]]:
        """Words to tokens in reading order, each in the context of the others."""
        present = words != PADDING
        placed = self.table(words) + self.place[: words.shape[1]]
        return self.layers(placed, src_key_padding_mask=~present), present

    def forward(self, words: Int[Tensor, "batch words"]) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        tokens, present = self.tokens(words)
        mask = present[..., None].to(tokens.dtype)
        return functional.normalize(self.out((tokens * mask).sum(1) / mask.sum(1)), dim=1)
