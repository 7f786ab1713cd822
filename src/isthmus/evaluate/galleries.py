"""Galleries: the figures of a matcher on every gallery of a world, in both directions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool

from isthmus.embeddings import Embeddings
from isthmus.evaluate.matchers import Matcher
from isthmus.metrics import RetrievalScores, relevant_ranks, scores_from_ranks
from isthmus.worlds.world import Gallery

KS = (1, 5, 10)


def evaluate_galleries(match: Matcher, galleries: Mapping[str, Gallery]) -> dict[str, float]:
    """Figures by dotted name: ``seen.image_to_audio.r1`` of one direction, ``seen.r1`` the mean of both.

    r1, r5, r10, mrr and map are percentages; median_rank counts from 1. Queries without a counterpart are left out.
    """
    figures: dict[str, float] = {}
    for name, gallery in galleries.items():
        relevant = gallery.relevant()
        left, right = gallery.left, gallery.right
        there = _figures(_direction(match, left, right, relevant))
        back = _figures(_direction(match, right, left, relevant.T))
        for metric in there:
            figures[f"{name}.{metric}"] = (there[metric] + back[metric]) / 2
            figures[f"{name}.{left.modality}_to_{right.modality}.{metric}"] = there[metric]
            figures[f"{name}.{right.modality}_to_{left.modality}.{metric}"] = back[metric]
    return figures


def _direction(
    match: Matcher, queries: Embeddings, items: Embeddings, relevant: Bool[np.ndarray, "queries items"]
) -> RetrievalScores:
    ranks: list[np.ndarray] = []
    for block in match(queries, items):
        start = len(ranks)
        ranks += relevant_ranks(block, relevant[start : start + len(block)])
    return scores_from_ranks(ranks, KS)


def _figures(scores: RetrievalScores) -> dict[str, float]:
    rates = {f"r{k}": share for k, share in scores.recall.items()} | {"mrr": scores.mrr, "map": scores.map}
    return {name: 100 * rate for name, rate in rates.items()} | {"median_rank": scores.median_rank}
