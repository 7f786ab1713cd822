"""Retrieval: R@k, median rank, MRR and mAP from the ranks of relevant items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from isthmus.base.errors import IsthmusError
from isthmus.metrics.ranks import relevant_ranks

SCORE_BYTES = 64 * 2**20
"""Largest block of scores held at once."""


@runtime_checkable
class Vectors(Protocol):
    """What `retrieval` reads of a set: unit rows and their ids."""

    @property
    def vectors(self) -> np.ndarray:
        """Unit rows, (n, d)."""

    @property
    def ids(self) -> Sequence[str]:
        """One id a row."""


Relevance = Mapping[str, set[str]] | tuple[np.ndarray, np.ndarray] | np.ndarray | None
"""Which items are relevant to which queries: by equal id (``None``), query id to item ids, labels of queries and of
items that must agree, or a boolean matrix (queries, items)."""


@dataclass(frozen=True)
class RetrievalScores:
    """Figures over the queries that have a relevant item; rates in [0, 1].

    ``recall[k]``: share of queries with a relevant item in the top k. ``median_rank`` and ``mrr`` look at each
    query's first relevant item, ``map`` at all of them. ``queries`` were scored, ``without_relevant`` had no relevant
    item and were left out.
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
    """Score the retrieval of gallery items by queries, by cosine; memory is bounded by a block of scores.

    Raises `IsthmusError` where dimensions differ, relevance does not fit the sets, or no query has a relevant item.
    """
    mine, theirs = queries.vectors, gallery.vectors
    if mine.shape[1] != theirs.shape[1]:
        raise IsthmusError(
            f"queries have {mine.shape[1]} dimensions, the gallery {theirs.shape[1]}: project both into one space first"
        )
    ranks: list[np.ndarray] = []
    rows = max(1, SCORE_BYTES // (4 * max(1, len(theirs))))
    for block in _blocks(len(mine), rows):
        wanted = _relevant_rows(relevant, queries, gallery, block)
        ranks += relevant_ranks(mine[block] @ theirs.T, wanted)
    return scores_from_ranks(ranks, ks)


def scores_from_ranks(ranks: Sequence[Float[np.ndarray, " _"]], ks: Sequence[int] = (1, 5, 10)) -> RetrievalScores:
    """Figures from each query's ascending ranks of relevant items, as `relevant_ranks` gives them."""
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


def _blocks(count: int, rows: int) -> Iterator[slice]:
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


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
                    f"the sets have {len(queries.ids)} and {len(gallery.ids)}"
                )
            return np.asarray(query_labels)[block, None] == np.asarray(item_labels)[None, :]
        case np.ndarray():
            expected = (len(queries.ids), len(gallery.ids))
            if relevant.shape != expected:
                raise IsthmusError(f"relevant has shape {relevant.shape}, the sets need {expected}")
            return relevant[block].astype(bool)
        case _:
            rows = [[item in relevant.get(query, ()) for item in gallery.ids] for query in queries.ids[block]]
            return np.array(rows, dtype=bool)
