"""Ranks: where each relevant item stands among all items of a query."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float


def relevant_ranks(
    scores: Float[np.ndarray, "queries items"], relevant: Bool[np.ndarray, "queries items"]
) -> list[Float[np.ndarray, " _"]]:
    """For each query the ranks of its relevant items, ascending from 1; an empty array where it has none.

    Ties count against: among equal scores the irrelevant items come first, so that a model that scores everything
    alike is given the worst rank. Only the order of scores counts, never their sign or size.
    """
    return [_ranks(row, wanted) for row, wanted in zip(scores, relevant, strict=True)]


def _ranks(row: Float[np.ndarray, " items"], wanted: Bool[np.ndarray, " items"]) -> Float[np.ndarray, " relevant"]:
    found = np.sort(row[wanted])[::-1]
    others = np.sort(row[~wanted])
    not_below = len(others) - np.searchsorted(others, found, side="left")
    return (not_below + np.arange(1, len(found) + 1)).astype(np.float64)
