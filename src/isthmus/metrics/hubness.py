"""Hubness: whether a few items are everyone's neighbours (Radovanović et al., 2010)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def hubness(scores: Float[np.ndarray, "queries items"], neighbours: int = 10) -> float:
    """Skewness of how often an item is among the nearest of a query; 0 where all are equally often, > 1 with hubs."""
    nearest = np.argpartition(-scores, min(neighbours, scores.shape[1] - 1), axis=1)[:, :neighbours]
    occurrences = np.bincount(nearest.ravel(), minlength=scores.shape[1]).astype(np.float64)
    spread = occurrences.std()
    return float(((occurrences - occurrences.mean()) ** 3).mean() / spread**3) if spread > 0 else 0.0


def mutual_neighbour_rate(scores: Float[np.ndarray, "left right"]) -> float:
    """Share of items whose nearest counterpart has them as its own nearest, mean of both directions."""
    forward, backward = scores.argmax(1), scores.argmax(0)
    there = (backward[forward] == np.arange(len(forward))).mean()
    back = (forward[backward] == np.arange(len(backward))).mean()
    return float(there + back) / 2
