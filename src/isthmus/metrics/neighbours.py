"""Neighbours: whether a few items are everyone's nearest (hubs), and how often two items are each other's nearest."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from isthmus.metrics.blocks import score_blocks


def hubness(scores: Float[np.ndarray, "queries items"], neighbours: int = 10) -> float:
    """Skewness of the number of queries that have an item among their nearest neighbours.

    ``E[(N - μ)³] / σ³`` for the counts N of all items: Radovanović et al., "Hubs in Space", JMLR 2010, equation 1.

    Args:
        scores: Scores of all queries and items; only their order within a query counts.
        neighbours: Number of nearest items per query.

    Returns:
        The skewness: 0 if all items are neighbours equally often, above 1 if there are hubs.

    Example:
        All three queries have the last item as their nearest.

        >>> import numpy as np
        >>> round(hubness(np.array([[0.1, 0.0, 0.9], [0.0, 0.1, 0.9], [0.2, 0.1, 0.9]]), neighbours=1), 3)
        0.707
    """
    nearest = np.argpartition(-scores, min(neighbours, scores.shape[1] - 1), axis=1)[:, :neighbours]
    occurrences = np.bincount(nearest.ravel(), minlength=scores.shape[1]).astype(np.float64)
    spread = occurrences.std()
    return float(((occurrences - occurrences.mean()) ** 3).mean() / spread**3) if spread > 0 else 0.0


def mutual_neighbour_rate(left: Float[np.ndarray, "left dim"], right: Float[np.ndarray, "right dim"]) -> float:
    """Share of rows that are the nearest neighbour of their own nearest neighbour, averaged over both sides.

    Scores are computed in blocks, so either side may be large.

    Args:
        left: Unit rows of one side.
        right: Unit rows of the other.

    Returns:
        The rate, in (0, 1].

    Example:
        The third row on the left is not the nearest of its nearest, so the rates are 2/3 and 1.

        >>> import numpy as np
        >>> left = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
        >>> round(mutual_neighbour_rate(left, np.eye(2)), 3)
        0.833
    """
    return sum(mutual_neighbour_rates(left, right)) / 2


def mutual_neighbour_rates(
    left: Float[np.ndarray, "left dim"], right: Float[np.ndarray, "right dim"]
) -> tuple[float, float]:
    """The two rates whose mean is `mutual_neighbour_rate`: that of the left rows, and that of the right rows.

    Args:
        left: Unit rows of one side.
        right: Unit rows of the other.

    Returns:
        The share of left rows, and of right rows, that are the nearest neighbour of their own nearest neighbour.

    Example:
        >>> import numpy as np
        >>> mutual_neighbour_rates(np.eye(2), np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]]))
        (1.0, 0.5)
    """
    forward = np.empty(len(left), np.int64)
    backward, best = np.zeros(len(right), np.int64), np.full(len(right), -np.inf, np.float32)
    columns = np.arange(len(right))
    for rows, scores in score_blocks(left, right):
        forward[rows] = scores.argmax(1)
        row = scores.argmax(0)
        better = scores[row, columns] > best
        backward[better] = row[better] + rows.start
        best[better] = scores[row, columns][better]
    there = (backward[forward] == np.arange(len(left))).mean()
    back = (forward[backward] == columns).mean()
    return float(there), float(back)
