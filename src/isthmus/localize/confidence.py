"""Confidence: whether an item contains a query at all, calibrated without pairs, by unrelated queries and items."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.metrics import ScoreDistribution

SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)
FEWEST = 20
"""Unrelated scores for which a percentile means something."""
RELIABLE = 5
"""Scores above a quantile that it takes to use it, or a tenth of all if they are few."""


def confidence(score: float, unrelated: Float[np.ndarray, " queries"]) -> float:
    """The percentile of a query's score in an item among the scores of unrelated queries in the same item.

    Scores differ between images: one with much in it resembles every audio clip. Compared with other queries in the
    same image, they have one scale. About a share 1 − c of unrelated queries reaches the confidence c. Beyond the
    highest unrelated score it goes on rising with the score, so that it does not tie.

    Args:
        score: The highest heat of the query in the item.
        unrelated: The same for at least 20 queries of the same modality that have nothing to do with the item.

    Returns:
        From 0 to 1.

    Raises:
        IsthmusError: There are too few unrelated queries, or all of them score the same.

    Example:
        >>> unrelated = np.arange(101) / 100
        >>> round(confidence(0.5, unrelated), 2), confidence(1.2, unrelated) > confidence(1.1, unrelated) > 0.9
        (0.5, True)
    """
    return _share(_log_odds(score, unrelated))


def pair_confidences(
    scores: Float[np.ndarray, "items queries"], pairs: Int[np.ndarray, "pairs 2"]
) -> Float[np.ndarray, " pairs"]:
    """Confidences of many pairs of an item and a query, all compared with each other.

    Some items resemble every query, and some queries, such as silence, score high everywhere: first the median of each
    item and of each query is subtracted. A pair's confidence is then the mean, as log odds, of its percentile among
    the other queries in its item and of that among the other items of its query. No labels are used: a few related ones
    among many others do no harm.

    Args:
        scores: The highest heat of every query in every item; at least 21 of each.
        pairs: Row and column of each pair.

    Returns:
        From 0 to 1.

    Raises:
        IsthmusError: There are too few items or queries, or all scores of one are the same.
    """
    centred = scores - np.median(scores, 1, keepdims=True) - np.median(scores, 0)
    found = []
    for item, query in pairs.tolist():
        own, others = float(centred[item, query]), (np.delete(centred[item], query), np.delete(centred[:, query], item))
        found.append(_log_odds(own, others[0]) + _log_odds(own, others[1]))
    return np.array([_share(both / 2) for both in found])


def _log_odds(score: float, unrelated: Float[np.ndarray, " others"]) -> float:
    if len(unrelated) < FEWEST:
        raise IsthmusError(f"{len(unrelated)} unrelated scores are too few for a confidence: pass at least {FEWEST}")
    quantiles: dict[float, float] = {}
    for share in SHARES:
        if share * len(unrelated) >= min(RELIABLE, 0.1 * len(unrelated)):
            quantiles.setdefault(float(np.quantile(unrelated, 1 - share)), share)
    if len(quantiles) < 2:
        raise IsthmusError("all unrelated queries score the same in the item: pass others, or check their embeddings")
    known = ScoreDistribution(tuple(quantiles), tuple(quantiles.values()), len(unrelated))
    return float(known.log_odds(score))


def _share(log_odds: float) -> float:
    return 0.5 + 0.5 * float(np.tanh(log_odds / 2))
