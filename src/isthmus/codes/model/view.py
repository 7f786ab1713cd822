"""Views: one kind of input of a code model, a batch of its items, and what the model computes from the batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.embeddings.tokens import Tokens


@dataclass(frozen=True)
class View:
    """One kind of input: tokens of a modality in a space, with the dimensions of its tokens and pooled vectors."""

    modality: str
    space: str
    dim: int
    pooled_dim: int

    @classmethod
    def of(cls, tokens: Tokens, pooled: Embeddings) -> View:
        """The view of tokens and pooled vectors of the same items."""
        return cls(tokens.modality, tokens.space, tokens.dim, pooled.dim)


def require_finite_tokens(
    tokens: Tokens, rows: Int[np.ndarray, " items"], vectors: Float[np.ndarray, "tokens dim"], name: str
) -> None:
    """Raise `IsthmusError` that names the first of these tokens that is not finite, and its item.

    ``vectors`` are the tokens of the items ``rows``. Tokens on disk are infinite where half precision was too small.
    """
    bad = ~np.isfinite(vectors).all(1)
    if bad.any():
        ends = np.cumsum(tokens.counts[rows])
        place = int(np.searchsorted(ends, bad.argmax(), side="right"))
        row, token = int(rows[place]), int(bad.argmax() - ends[place] + tokens.counts[rows[place]])
        raise IsthmusError(
            f"{name}: token {token} of item {tokens.ids[row]!r} (row {int(tokens.offsets[row]) + token}) contains NaN "
            "or infinity: embed the item again, or leave it out"
        )


@dataclass(frozen=True)
class TokenBatch:
    """Tokens of some items, concatenated, so that items of unequal length need no padding and no mask.

    ``item`` is the item of the batch each token belongs to, ``counts`` the number of tokens of each item.
    """

    vectors: Float[Tensor, "tokens dim"]
    item: Int[Tensor, " tokens"]
    counts: Int[Tensor, " items"]

    @classmethod
    def of(
        cls,
        tokens: Tokens,
        rows: Int[np.ndarray, " items"],
        device: torch.device,
        chances: Float[np.ndarray, "items most"] | None = None,
    ) -> TokenBatch:
        """Read some items by row number and move them to the device; ``chances`` thin their tokens out (`spread`)."""
        read, number = tokens.rows(rows), tokens.counts[rows]
        if chances is not None:
            read, number = read[spread(number, chances)], np.minimum(number, chances.shape[1])
        vectors, counts = (torch.from_numpy(array).to(device) for array in (read, number))
        item = torch.repeat_interleave(torch.arange(len(rows), device=device), counts)
        return cls(vectors, item, counts)

    def mean(self, each: Float[Tensor, "tokens width"]) -> Float[Tensor, "items width"]:
        """The mean over the tokens of each item."""
        total = torch.zeros(len(self.counts), each.shape[1], dtype=each.dtype, device=each.device)
        return total.index_add(0, self.item, each) / self.counts[:, None]

    def uses(self, chosen: Int[Tensor, " tokens"], codes: int) -> Float[Tensor, "items codes"]:
        """The share of each item's tokens that each code has; rows sum to 1."""
        places = self.item * codes + chosen
        counted = torch.bincount(places, minlength=len(self.counts) * codes).unflatten(0, (-1, codes))
        return counted / self.counts[:, None]


def spread(counts: Int[np.ndarray, " items"], chances: Float[np.ndarray, "items most"]) -> Int[np.ndarray, " tokens"]:
    """Places among the concatenated tokens of items, at most ``most`` of each.

    An item with more tokens is cut into ``most`` equal parts, and ``chances`` in 0..1 choose a place in each of them.
    """
    most = chances.shape[1]
    item, place = np.nonzero(np.arange(most) < np.minimum(counts, most)[:, None])
    drawn = ((place + chances[item, place]) * (counts[item] / most)).astype(np.int64)
    within = np.where(counts[item] > most, np.minimum(drawn, counts[item] - 1), place)
    return (np.cumsum(counts) - counts)[item] + within


@dataclass(frozen=True)
class ViewOutputs:
    """What the model computes from a batch of one view.

    ``projected`` are its tokens after the head, ``chosen`` their codes, ``squared`` their squared distances to all
    codes, ``log_codes`` the log code distribution of each item, ``summary`` the vector ``z`` of each item.
    """

    projected: Float[Tensor, "tokens code_dim"]
    chosen: Int[Tensor, " tokens"]
    squared: Float[Tensor, "tokens codes"]
    log_codes: Float[Tensor, "items codes"]
    summary: Float[Tensor, "items summary_dim"]
