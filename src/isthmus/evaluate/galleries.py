"""Galleries: the retrieval figures of a matcher on every gallery of a world, in both directions."""

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
    """Retrieval figures of a matcher by dotted name.

    ``seen.image_to_audio.r1`` is R@1 of one direction on the gallery "seen", ``seen.r1`` the mean of both directions.

    Args:
        match: Scores queries of one modality against items of the other, like `by_cosine(connector.project)`.
        galleries: Items with known counterparts, by name.

    Returns:
        r1, r5, r10, mrr and map in percent, and median_rank counted from 1, of each direction and of both. Queries
        without a counterpart are left out.

    Raises:
        IsthmusError: The matcher cannot compare the two modalities, or no query of a gallery has a counterpart.

    Example:
        >>> import numpy as np
        >>> from isthmus import Embeddings
        >>> from isthmus.evaluate import by_cosine, evaluate_galleries
        >>> from isthmus.worlds.world import Gallery
        >>> images = Embeddings.from_array(np.array([[1.0, 0.0], [0.0, 1.0]]), modality="image", space="joint")
        >>> audio = Embeddings.from_array(np.array([[0.9, 0.1], [0.8, 0.2]]), modality="audio", space="joint")
        >>> gallery = Gallery(images, audio, np.array([0, 1]), np.array([0, 1]))
        >>> figures = evaluate_galleries(by_cosine(), {"small": gallery})
        >>> figures["small.image_to_audio.r1"], figures["small.audio_to_image.r1"], figures["small.r1"]
        (100.0, 50.0, 75.0)
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
