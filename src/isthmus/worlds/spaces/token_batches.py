"""Tokens of batches of items, put together as `Tokens` takes them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor


def concatenated(
    batches: Iterable[tuple[Tensor, Tensor]],
) -> tuple[Float[np.ndarray, "tokens width"], Int[np.ndarray, " items"]]:
    """The tokens of all items without padding, and how many each item has."""
    vectors, counts = [], []
    for tokens, present in batches:
        vectors.append(tokens[present].numpy())
        counts.append(present.sum(1).numpy())
    return np.concatenate(vectors), np.concatenate(counts)


def offsets_of(counts: Int[np.ndarray, " items"]) -> Int[np.ndarray, " items_and_one"]:
    """Where each item's tokens start, and the end of the last item's."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def step_within(counts: Int[np.ndarray, " items"]) -> Float[np.ndarray, " tokens"]:
    """The number of each token within its item, from 0."""
    return (np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)).astype(np.float32)
