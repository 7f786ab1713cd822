"""Text towers: words in order to one token each, then to one vector."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

PADDING = 0
"""The word number after the last word of a text."""


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

    def __init__(self, words: int, width: int, dim: int, longest: int = 16) -> None:
        super().__init__()
        self.table = nn.Embedding(words + 1, width, padding_idx=PADDING)
        self.place = nn.Parameter(torch.randn(longest, width) * 0.5)
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
