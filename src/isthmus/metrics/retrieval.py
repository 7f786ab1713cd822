"""Retrieval: R@k, median rank, MRR and mAP from the ranks of relevant items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from isthmus.base.errors import IsthmusError
from isthmus.metrics.blocks import score_blocks
from isthmus.metrics.ranks import relevant_ranks


@runtime_checkable
class Vectors(Protocol):
    """What `retrieval` reads: unit rows and their ids, as `Embeddings` has them."""

    @property
    def vectors(self) -> np.ndarray:
        """Unit rows, (n, d)."""

    @property
    def ids(self) -> Sequence[str]:
        """One id per row."""


Relevance = Mapping[str, set[str]] | tuple[np.ndarray, np.ndarray] | np.ndarray | None
"""Which items are relevant to which queries: those with the same id (``None``), item ids by query id, labels of the
queries and of the items that have to agree, or a boolean matrix (queries, items)."""


@dataclass(frozen=True)
class RetrievalScores:
    """Retrieval figures, averaged over the queries that have a relevant item.

    Attributes:
        recall: R@k by k: the share of queries with a relevant item in the top k, in [0, 1].
        median_rank: Median rank of each query's first relevant item, from 1.
        mrr: Mean reciprocal rank of each query's first relevant item, in (0, 1].
        map: Mean average precision, over all relevant items of each query, in (0, 1].
        queries: Number of queries scored.
        without_relevant: Number of queries left out because they have no relevant item.
    """

    recall: dict[int, float]
    median_rank: float
    mrr: float
    map: float
    queries: int
    without_relevant: int


def retrieval(
    queries: Vectors, gallery: Vectors, relevant: Relevance = None, ks: Sequence[int] = (1, 5, 10)
) -> RetrievalScores:
    """Score the retrieval of gallery items by queries, by cosine.

    Ties count against: see `relevant_ranks`. Memory is bounded by a block of scores.

    Args:
        queries: Unit rows (n, d) and their ids.
        gallery: Unit rows (m, d) of the same space and their ids.
        relevant: Which items are relevant: those with the query's id (``None``), item ids by query id, a pair of
            label arrays (n,) and (m,) that have to agree, or a boolean matrix (n, m).
        ks: The k of R@k.

    Returns:
        R@k, median rank, MRR and mAP.

    Raises:
        IsthmusError: Dimensions differ, ``relevant`` does not fit the sets, or no query has a relevant item.

    Example:
        >>> import numpy as np
        >>> from isthmus import Embeddings
        >>> images = Embeddings.from_array(np.eye(3), modality="image", space="joint", ids=["dog", "cat", "car"])
        >>> rows = np.array([[3.0, 4.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> clips = Embeddings.from_array(rows, modality="audio", space="joint", ids=["dog", "cat", "car"])
        >>> scores = retrieval(clips, images, ks=(1, 2))
        >>> print(round(scores.recall[1], 3), scores.recall[2], scores.median_rank, round(scores.mrr, 3))
        0.667 1.0 1.0 0.833
    """
    rows, items = queries.vectors, gallery.vectors
    if rows.shape[1] != items.shape[1]:
        raise IsthmusError(
            f"queries have {rows.shape[1]} dimensions, the gallery {items.shape[1]}: project both into one space first"
        )
    ranks: list[np.ndarray] = []
    for block, scores in score_blocks(rows, items):
        ranks += relevant_ranks(scores, _relevant_rows(relevant, queries, gallery, block))
    return scores_from_ranks(ranks, ks)


def scores_from_ranks(ranks: Sequence[Float[np.ndarray, " _"]], ks: Sequence[int] = (1, 5, 10)) -> RetrievalScores:
    """Retrieval figures from ranks.

    Args:
        ranks: For each query the ascending ranks of its relevant items, as `relevant_ranks` returns them.
        ks: The k of R@k.

    Returns:
        R@k, median rank, MRR and mAP.

    Raises:
        IsthmusError: No query has a relevant item.

    Example:
        >>> import numpy as np
        >>> scores = scores_from_ranks([np.array([1.0, 4.0]), np.array([2.0]), np.array([])])
        >>> print(scores.recall[1], scores.mrr, scores.map, scores.queries, scores.without_relevant)
        0.5 0.75 0.625 2 1
    """
    scored = [own for own in ranks if len(own)]
    if not scored:
        raise IsthmusError("no query has a relevant item in the gallery: check ids or labels")
    first = np.array([own[0] for own in scored])
    precision = [float(np.mean(np.arange(1, len(own) + 1) / own)) for own in scored]
    return RetrievalScores(
        recall={k: float(np.mean(first <= k)) for k in ks},
        median_rank=float(np.median(first)),
        mrr=float(np.mean(1 / first)),
        map=float(np.mean(precision)),
        queries=len(scored),
        without_relevant=len(ranks) - len(scored),
    )


def _relevant_rows(
    relevant: Relevance, queries: Vectors, gallery: Vectors, block: slice
) -> Bool[np.ndarray, "block items"]:
    match relevant:
        case None:
            return np.array(queries.ids[block])[:, None] == np.array(gallery.ids)[None, :]
        case (query_labels, item_labels):
            if (len(query_labels), len(item_labels)) != (len(queries.ids), len(gallery.ids)):
                raise IsthmusError(
                    f"labels for {len(query_labels)} queries and {len(item_labels)} items, "
                    f"but the sets have {len(queries.ids)} and {len(gallery.ids)}: pass one label per row"
                )
            return np.asarray(query_labels)[block, None] == np.asarray(item_labels)[None, :]
        case np.ndarray():
            expected = (len(queries.ids), len(gallery.ids))
            if relevant.shape != expected:
                raise IsthmusError(f"relevant has shape {relevant.shape}, expected (queries, items): {expected}")
            return relevant[block].astype(bool)
        case _:
            rows = [[item in relevant.get(query, ()) for item in gallery.ids] for query in queries.ids[block]]
            return np.array(rows, dtype=bool)
