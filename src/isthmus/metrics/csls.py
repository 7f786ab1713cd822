"""CSLS: cosines corrected for hubs. One implementation for NumPy arrays and torch tensors alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float

from isthmus.base.errors import IsthmusError
from isthmus.metrics.blocks import score_blocks

NEIGHBOURS = 10


def mean_nearest(scores: Float[Any, "rows others"], neighbours: int = NEIGHBOURS) -> Float[Any, " rows"]:
    """Mean of the highest scores of each row: r in CSLS.

    Args:
        scores: Cosines, a NumPy array or a torch tensor.
        neighbours: Number of scores to average; all of them if there are fewer.

    Returns:
        One mean per row, of the same kind as ``scores``.

    Raises:
        IsthmusError: There are rows but no scores: the mean of nothing is not a number.

    Example:
        >>> import numpy as np
        >>> mean_nearest(np.array([[0.9, 0.1, 0.7], [0.0, 0.2, 0.4]]), neighbours=2).round(2)
        array([0.8, 0.3])
    """
    few = min(neighbours, scores.shape[1])
    if few < 1 and len(scores):
        raise IsthmusError(
            f"CSLS needs at least one neighbour, got {neighbours} of {scores.shape[1]}: pass reference rows"
        )
    highest = np.partition(scores, -few)[:, -few:] if isinstance(scores, np.ndarray) else scores.topk(few).values
    return highest.mean(1)


def csls(
    cosines: Float[Any, "queries items"],
    queries_nearest: Float[Any, " queries"] | None = None,
    items_nearest: Float[Any, " items"] | None = None,
    neighbours: int = NEIGHBOURS,
) -> Float[Any, "queries items"]:
    """Cross-domain similarity local scaling: cosines minus how close query and item are to everything else.

    ``csls(q, x) = 2 cos(q, x) - r(q) - r(x)``, with r the mean cosine to the nearest neighbours on the other side:
    Conneau et al., "Word Translation Without Parallel Data", ICLR 2018, equation 3.

    Args:
        cosines: Cosines of all queries and items, a NumPy array or a torch tensor.
        queries_nearest: r of the queries, as `mean_nearest` computes it; by default from ``cosines``.
        items_nearest: r of the items; by default from ``cosines``.
        neighbours: Number of nearest neighbours in r, for what is computed here.

    Returns:
        Corrected scores in [-4, 4], of the same kind as ``cosines``.

    Example:
        The second item is a hub: it is near to both queries.

        >>> import numpy as np
        >>> cosines = np.array([[0.5, 0.6], [0.1, 0.9]])
        >>> cosines.argmax(1), csls(cosines, neighbours=1).argmax(1)
        (array([1, 1]), array([0, 1]))
    """
    if queries_nearest is None:
        queries_nearest = mean_nearest(cosines, neighbours)
    if items_nearest is None:
        items_nearest = mean_nearest(cosines.T, neighbours)
    return 2 * cosines - queries_nearest[:, None] - items_nearest[None, :]


def csls_blocks(
    queries: Float[Any, "queries dim"],
    items: Float[Any, "items dim"],
    reference: Float[Any, "reference dim"],
    neighbours: int = NEIGHBOURS,
) -> Iterator[tuple[slice, Float[Any, "block items"]]]:
    """`csls` of all queries and items by blocks of queries, as `score_blocks` yields them.

    Args:
        queries: Unit rows, a NumPy array or a torch tensor.
        items: Unit rows of the same kind.
        reference: Unit rows of typical queries; r of the items is measured against them.
        neighbours: Number of nearest neighbours in r.

    Yields:
        The queries of the block, as a slice, and their scores for all items.

    Example:
        >>> import numpy as np
        >>> [(rows, scores)] = csls_blocks(np.eye(2), np.eye(2), np.eye(2), neighbours=1)
        >>> rows, scores.tolist()
        (slice(0, 2, None), [[0.0, -2.0], [-2.0, 0.0]])
    """
    items_nearest = 0 * items[:, 0]
    for rows, scores in score_blocks(items, reference):
        items_nearest[rows] = mean_nearest(scores, neighbours)
    for rows, scores in score_blocks(queries, items):
        yield rows, csls(scores, items_nearest=items_nearest, neighbours=neighbours)
