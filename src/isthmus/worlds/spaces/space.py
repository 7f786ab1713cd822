"""A contrastive space: a tower for items and one for texts, trained so counterparts get similar unit vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

EMBED_ROWS = 256


@runtime_checkable
class ReadsWords(Protocol):
    """A wording: it turns texts into the word numbers of a text tower."""

    def tokens(self, texts: Sequence[str]) -> Int[np.ndarray, "n words"]:
        """Word numbers from 1, zero after the last word; refuses words it does not know."""
        ...


class ContrastiveSpace(nn.Module):
    """``modality`` ("image" or "audio") and text in one space.

    Args:
        name: The name that its embeddings carry.
        modality: The modality of its items.
        wording: Reads its texts.
        item_tower: Maps batches of item inputs to unit rows; ``tokens`` gives what they are pooled from.
        text_tower: Maps word numbers to unit rows, likewise.
    """

    def __init__(
        self, name: str, modality: str, wording: ReadsWords, item_tower: nn.Module, text_tower: nn.Module
    ) -> None:
        super().__init__()
        self.name, self.modality, self.wording = name, modality, wording
        self.item_tower, self.text_tower = item_tower, text_tower

    def encode_texts(self, texts: Sequence[str]) -> Float[Tensor, "texts dim"]:
        """Unit rows; raises `IsthmusError` for words outside the vocabulary."""
        return self.text_tower(torch.from_numpy(self.wording.tokens(texts)))

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Float[Tensor, "texts dim"]:
        """As `encode_texts`, without gradient and in blocks."""
        blocks = [texts[start : start + EMBED_ROWS] for start in range(0, len(texts), EMBED_ROWS)]
        return torch.cat([self.encode_texts(block) for block in blocks])

    @torch.no_grad()
    def item_tokens(self, *batch: Tensor) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]:
        """Tokens of a batch of item inputs, and which of them are not padding."""
        return self.item_tower.tokens(*batch)  # type: ignore[operator]

    @torch.no_grad()
    def text_tokens(
        self, words: Int[Tensor, "batch words"]
    ) -> tuple[Float[Tensor, "batch words width"], Bool[Tensor, "batch words"]]:
        """Tokens of word numbers, and which of them are not padding."""
        return self.text_tower.tokens(words)  # type: ignore[operator]

    @torch.no_grad()
    def embed_items(self, inputs: Iterable[tuple[Tensor, ...]]) -> Float[Tensor, "items dim"]:
        """Unit rows of batches of item inputs: images, or frames and their lengths."""
        return torch.cat([self.item_tower(*batch) for batch in inputs])
