"""Hubness: whether a few items are everyone's neighbours (Radovanović et al., 2010)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

BLOCK_ROWS = 2048


def hubness(scores: Float[np.ndarray, "queries items"], neighbours: int = 10) -> float:
    """Skewness of how often an item is among the nearest of a query; 0 where all are equally often, > 1 with hubs."""
    nearest = np.argpartition(-scores, min(neighbours, scores.shape[1] - 1), axis=1)[:, :neighbours]
    occurrences = np.bincount(nearest.ravel(), minlength=scores.shape[1]).astype(np.float64)
    spread = occurrences.std()
    return float(((occurrences - occurrences.mean()) ** 3).mean() / spread**3) if spread > 0 else 0.0


def mutual_neighbour_rate(left: Float[np.ndarray, "left dim"], right: Float[np.ndarray, "right dim"]) -> float:
    """Share of unit rows whose nearest counterpart has them as its own nearest, mean of both directions.

    Scores are taken block by block, so galleries may be large.
    """
    forward = np.empty(len(left), np.int64)
    backward, best = np.zeros(len(right), np.int64), np.full(len(right), -np.inf, np.float32)
    columns = np.arange(len(right))
    for start in range(0, len(left), BLOCK_ROWS):
        scores = left[start : start + BLOCK_ROWS] @ right.T
        forward[start : start + len(scores)] = scores.argmax(1)
        row = scores.argmax(0)
        better = scores[row, columns] > best
        backward[better] = row[better] + start
        best[better] = scores[row, columns][better]
    there = (backward[forward] == np.arange(len(left))).mean()
    back = (forward[backward] == columns).mean()
    return float(there + back) / 2
