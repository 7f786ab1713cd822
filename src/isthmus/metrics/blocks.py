"""Blocks of scores: all queries against all items, without the whole matrix in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jaxtyping import Float

SCORE_BYTES = 64 * 2**20
"""Largest block of scores held at once."""


def score_blocks(
    queries: Float[Any, "queries dim"], items: Float[Any, "items dim"]
) -> Iterator[tuple[slice, Float[Any, "block items"]]]:
    """Score all items by blocks of queries, each block at most 64 MB.

    Args:
        queries: Rows, a NumPy array or a torch tensor.
        items: Rows of the same kind.

    Yields:
        The queries of the block, as a slice, and their inner products with all items.

    Example:
        >>> import numpy as np
        >>> for rows, scores in score_blocks(np.eye(2), np.array([[0.6, 0.8]])):
        ...     print(rows, scores.ravel())
        slice(0, 2, None) [0.6 0.8]
    """
    step = block_rows(len(items), queries.itemsize)
    for start in range(0, len(queries), step):
        rows = slice(start, min(start + step, len(queries)))
        yield rows, queries[rows] @ items.T


def block_rows(items: int, itemsize: int = 4) -> int:
    """How many queries a block of scores holds."""
    return max(1, SCORE_BYTES // (itemsize * max(1, items)))
