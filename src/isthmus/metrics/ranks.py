"""Ranks: an item's rank is one plus the number of other items that score at least as high.

Ties count against the item, so a model that gives every item the same score gets the worst rank. Only the order of
scores counts, never their sign or size. An item that is relevant to the same query does not count against another:
of two relevant items with equal scores, one comes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int


def target_ranks(scores: Float[Any, "queries items"], own: Float[Any, "queries 1"]) -> Int[Any, " queries"]:
    """Rank of the one item per query that is looked for.

    Args:
        scores: Scores of all items, a NumPy array or a torch tensor.
        own: The score of each query's target, taken from ``scores``.

    Returns:
        Ranks from 1, of the same kind as ``scores``.

    Example:
        >>> import numpy as np
        >>> scores = np.array([[0.9, 0.2, 0.5], [0.3, 0.3, 0.1]])
        >>> target_ranks(scores, scores[:, :1])
        array([1, 2])
    """
    return (scores >= own).sum(1)


def relevant_ranks(
    scores: Float[np.ndarray, "queries items"], relevant: Bool[np.ndarray, "queries items"]
) -> list[Float[np.ndarray, " _"]]:
    """Ranks of all relevant items of each query.

    Args:
        scores: Scores of all items.
        relevant: Which items are relevant to which query.

    Returns:
        For each query the ranks of its relevant items, ascending from 1; an empty array if it has none.

    Example:
        >>> import numpy as np
        >>> scores = np.array([[0.9, 0.2, 0.5, 0.5]])
        >>> relevant_ranks(scores, np.array([[True, False, True, False]]))
        [array([1., 3.])]
    """
    return [_ranks(row, wanted) for row, wanted in zip(scores, relevant, strict=True)]


def chance_of_recall(relevant: Int[np.ndarray, " queries"], items: int, k: int) -> Float[np.ndarray, " queries"]:
    """The chance that a random order of the items has one of a query's relevant ones among the first k.

    ``1 − C(items − relevant, k) / C(items, k)``.

    Args:
        relevant: How many items are relevant to each query.
        items: How many items there are.
        k: How many come first.

    Example:
        >>> chance_of_recall(np.array([1, 2]), items=4, k=2).round(4).tolist()
        [0.5, 0.8333]
    """
    places = np.arange(min(k, items))
    missed = np.clip(items - np.asarray(relevant)[:, None] - places, 0, None) / (items - places)
    return np.asarray(1 - missed.prod(1), dtype=np.float64)


def _ranks(row: Float[np.ndarray, " items"], wanted: Bool[np.ndarray, " items"]) -> Float[np.ndarray, " relevant"]:
    found = np.sort(row[wanted])[::-1]
    others = np.sort(row[~wanted])
    not_below = len(others) - np.searchsorted(others, found, side="left")
    return (not_below + np.arange(1, len(found) + 1)).astype(np.float64)
