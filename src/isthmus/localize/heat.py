"""Heat: how well each token of an item matches a query, by their code distributions or by their projected vectors."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

NEIGHBOUR = 0.5
"""Weight of a touching token in `smoothed`; the token itself has weight 1."""


def agreement(
    log_codes: Float[np.ndarray, "tokens codes"], query: Float[np.ndarray, " codes"]
) -> Float[np.ndarray, " tokens"]:
    """``Σ_v √(P(v | h) Q(v))`` (Bhattacharyya), from 0 to 1, of each token's code distribution P and the query's Q.

    ``log_codes`` are logarithms, ``query`` is the distribution itself.

    Example:
        >>> agreement(np.log([[0.5, 0.5], [0.99, 0.01]]), np.array([0.5, 0.5])).round(2).tolist()
        [1.0, 0.77]
    """
    return np.exp(log_codes / 2) @ np.sqrt(query)


def lifted(
    meaning: Float[np.ndarray, "*n codes"], common: Float[np.ndarray, " codes"]
) -> Float[np.ndarray, "*n codes"]:
    """A code distribution reweighted by lift: ``p² / common``, normalized to sum to 1.

    It lowers codes that are common everywhere, such as those of silence and empty paper.
    """
    weighed = meaning * meaning / np.maximum(common, 1e-6)
    return weighed / weighed.sum(-1, keepdims=True)


def similarity(
    tokens: Float[np.ndarray, "tokens dim"], query: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, " tokens"]:
    """Cosine of each projected token with the query."""
    lengths = np.linalg.norm(tokens, axis=1) * np.linalg.norm(query)
    return tokens @ query / np.maximum(lengths, 1e-12)


def smoothed(
    heat: Float[np.ndarray, "tokens ..."], touches: Bool[np.ndarray, "tokens tokens"]
) -> Float[np.ndarray, "tokens ..."]:
    """The weighted mean of each token's heat and the heat of the tokens that touch it, which have weight ½.

    Tokens' rows instead of their heat give the rows whose products with a query are the smoothed heat.

    Without it, a single token that matches by chance can outweigh a run of tokens that match.
    """
    weights = np.where(np.eye(len(heat), dtype=bool), 1.0, NEIGHBOUR * touches)
    return np.asarray((weights / weights.sum(1, keepdims=True)) @ heat)


def tents(
    places: Float[np.ndarray, "parts sides"], axis: int, points: Float[np.ndarray, " points"]
) -> Float[np.ndarray, "parts points"]:
    """The weight of each part at points along an axis: 1 in its middle, falling to 0 at one length of it from there.

    Between the middles of a regular grid, heat weighted like this is interpolated linearly.
    """
    start, end = places[:, axis, None], places[:, axis + places.shape[1] // 2, None]
    return np.maximum(0, 1 - np.abs(points - (start + end) / 2) / np.maximum(end - start, 1e-9))


def flats(
    places: Float[np.ndarray, "parts sides"], axis: int, points: Float[np.ndarray, " points"]
) -> Float[np.ndarray, "parts points"]:
    """The weight of each part at points along an axis: 1 inside it, 0 outside."""
    start, end = places[:, axis, None], places[:, axis + places.shape[1] // 2, None]
    return ((start <= points) & (points < end)).astype(np.float64)


def spread(
    heat: Float[np.ndarray, " parts"], across: Float[np.ndarray, "parts width"], down: Float[np.ndarray, "parts height"]
) -> Float[np.ndarray, "height width"]:
    """The heat of each pixel: the mean of the parts' heat, weighted by the product of their weights along both axes.

    A pixel that no part reaches gets the lowest heat.
    """
    weights = down.T @ across
    found = (down * heat[:, None]).T @ across / np.maximum(weights, 1e-12)
    return np.where(weights > 0, found, heat.min())
