"""Classification: top-k hits and average precision from scores of items against classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.metrics.ranks import relevant_ranks, target_ranks


def top_k_hits(
    scores: Float[np.ndarray, "items classes"], labels: Int[np.ndarray, " items"], ks: Sequence[int] = (1, 3, 5)
) -> dict[int, Bool[np.ndarray, " items"]]:
    """Whether each item's class is among its k classes with the highest scores.

    Ties count against the item: a model that scores all classes alike is right about none.

    Args:
        scores: Scores of all classes; only their order counts.
        labels: The column of each item's class.
        ks: The k.

    Returns:
        For each k, one flag per item.

    Raises:
        IsthmusError: The labels are not one column per item.

    Example:
        >>> import numpy as np
        >>> hits = top_k_hits(np.array([[0.9, 0.1, 0.3], [0.2, 0.2, 0.1]]), np.array([2, 0]), ks=(1, 2))
        >>> hits[1].tolist(), hits[2].tolist()
        ([False, False], [True, True])
    """
    items, classes = scores.shape
    if labels.shape != (items,) or labels.min(initial=0) < 0 or labels.max(initial=-1) >= classes:
        raise IsthmusError(f"pass one label from 0 to {classes - 1} for each of the {items} items")
    ranks = target_ranks(scores, scores[np.arange(items), labels][:, None])
    return {k: ranks <= k for k in ks}


def average_precisions(
    scores: Float[np.ndarray, "queries items"], relevant: Bool[np.ndarray, "queries items"]
) -> Float[np.ndarray, " queries"]:
    """Average precision of each query: the mean, over its relevant items, of the precision at their ranks.

    With one relevant item it is the reciprocal rank. Ties count against, see `relevant_ranks`. For classes with several
    labels per item, pass the transposed scores: a class is a query for its items.

    Args:
        scores: Scores of all items for each query.
        relevant: Which items are relevant to which query.

    Returns:
        One value in (0, 1] per query; NaN for a query without relevant items.

    Example:
        >>> import numpy as np
        >>> scores = np.array([[0.9, 0.8, 0.7, 0.6]])
        >>> average_precisions(scores, np.array([[True, False, True, False]])).round(4).tolist()
        [0.8333]
    """
    return np.array([_precision(own) for own in relevant_ranks(scores, relevant)], dtype=np.float64)


def _precision(ranks: Float[np.ndarray, " relevant"]) -> float:
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks)) if len(ranks) else float("nan")
