"""A batch of items with unequal numbers of tokens, laid one after another: nothing is padded, nothing masked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.embeddings.tokens import Tokens


@dataclass(frozen=True)
class TokenBatch:
    """Tokens of some items; ``item`` says which item of the batch each belongs to, ``counts`` how many it has."""

    vectors: Float[Tensor, "tokens dim"]
    item: Int[Tensor, " tokens"]
    counts: Int[Tensor, " items"]

    @classmethod
    def of(cls, tokens: Tokens, rows: Int[np.ndarray, " items"], device: torch.device) -> TokenBatch:
        """Some items by number, read and put on the device."""
        vectors, counts = (torch.from_numpy(array).to(device) for array in (tokens.rows(rows), tokens.counts[rows]))
        item = torch.repeat_interleave(torch.arange(len(rows), device=device), counts)
        return cls(vectors, item, counts)

    def mean(self, each: Float[Tensor, "tokens width"]) -> Float[Tensor, "items width"]:
        """The mean over each item's tokens of something that every token has."""
        total = torch.zeros(len(self.counts), each.shape[1], dtype=each.dtype, device=each.device)
        return total.index_add(0, self.item, each) / self.counts[:, None]

    def uses(self, chosen: Int[Tensor, " tokens"], codes: int) -> Float[Tensor, "items codes"]:
        """How each item's tokens spread over the codes; rows add to 1."""
        places = self.item * codes + chosen
        counted = torch.bincount(places, minlength=len(self.counts) * codes).unflatten(0, (-1, codes))
        return counted / self.counts[:, None]
