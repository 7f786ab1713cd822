"""Percentiles of hits: which distribution of unrelated scores applies, whether it fits, and what a cut-off leaves."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

from isthmus.connectors.trust.scores import UnrelatedScores
from isthmus.search.hits import Hits

SAMPLE, FEWEST = 300, 50
"""Queries, and items, of which a sample is compared with the distribution; with fewer it is not."""
HIGH, TOO_MANY = 0.9, 0.3
"""A tenth of unrelated pairs has a percentile above .9. With three tenths the distribution does not fit."""


def warn_if_unlike(
    scores: UnrelatedScores,
    pair: tuple[str, str],
    queries: Float[np.ndarray, "queries dim"],
    items: Float[np.ndarray, "items dim"],
) -> None:
    """Warn if queries and items are so unlike the connector's that percentiles would be far too high."""
    if min(len(queries), len(items)) < FEWEST:
        return
    some, others = (
        rows[np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).astype(int)] for rows in (queries, items)
    )
    share = float((np.asarray(scores.percentile(some @ others.T, pair)) > HIGH).mean())
    if share > TOO_MANY:
        warnings.warn(
            f"{100 * share:.0f} % of all {pair[0]}-{pair[1]} pairs score above the 90th percentile of unrelated ones: "
            "these items are unlike those that were connected, and their percentiles are too high. Measure them with "
            "UnrelatedScores.of(queries, gallery)",
            stacklevel=4,
        )


def with_percentiles(hits: Hits, scores: UnrelatedScores, pair: tuple[str, str], rate: float | None) -> Hits:
    """The hits with percentiles; with a false-positive rate, those below its cut-off are emptied."""
    percentiles = np.asarray(scores.percentile(hits.scores, pair))
    rated = Hits(hits.query_ids, hits.ids, hits.scores, hits.rows, percentiles)
    return rated if rate is None else emptied(rated, hits.scores < scores.cutoff(rate, pair))


def emptied(hits: Hits, dropped: np.ndarray) -> Hits:
    """The hits without those dropped, a mask (queries, k): their places have id None, score NaN and row -1."""

    def without(column: np.ndarray) -> np.ndarray:
        empty: Any = None if column.dtype == object else -1 if column.dtype.kind == "i" else np.nan
        found = column.copy()
        found[dropped] = empty
        return found

    return hits.changed(without)
