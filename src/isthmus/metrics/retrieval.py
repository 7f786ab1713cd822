"""Retrieval: R@k, median rank, MRR and mAP from the ranks of relevant items."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from isthmus.base.errors import IsthmusError
from isthmus.base.space_names import shared_space
from isthmus.metrics.blocks import score_blocks
from isthmus.metrics.ranks import relevant_ranks


@runtime_checkable
class Vectors(Protocol):
    """What `retrieval` reads: unit rows and their ids, as `Embeddings` has them.

    If rows have a ``space``, spaces are compared; if rows are ``numbered``, default relevance is refused.
    """

    @property
    def vectors(self) -> np.ndarray:
        """Unit rows, (n, d)."""

    @property
    def ids(self) -> Sequence[str]:
        """One id per row."""


Labels = np.ndarray | Sequence[Hashable]
Relevance = Mapping[str, Collection[str]] | tuple[Labels, Labels] | np.ndarray | None
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
            label arrays (n,) and (m,) that have to agree, or a boolean matrix (n, m). For rows without ids of which
            row i of both belong together, pass ``(np.arange(n), np.arange(n))``.
        ks: The k of R@k.

    Returns:
        R@k, median rank, MRR and mAP.

    Raises:
        IsthmusError: Spaces or dimensions differ, ``relevant`` does not fit the sets or is needed because rows have no
            ids, or no query has a relevant item.

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
    space, other = (getattr(own, "space", None) for own in (queries, gallery))
    if space is not None and other is not None and shared_space(space, other) is None:
        raise IsthmusError(
            f"queries are in space {space!r}, the gallery in {other!r}: project both into one space first"
        )
    relevant_in = _relevance(relevant, queries, gallery)
    ranks: list[np.ndarray] = []
    for block, scores in score_blocks(rows, items):
        ranks += relevant_ranks(scores, relevant_in(block))
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


def _relevance(
    relevant: Relevance, queries: Vectors, gallery: Vectors
) -> Callable[[slice], Bool[np.ndarray, "block items"]]:
    """Which items are relevant to a block of queries."""
    sizes = len(queries.ids), len(gallery.ids)
    match relevant:
        case None:
            if any(getattr(own, "numbered", False) for own in (queries, gallery)):
                raise IsthmusError(
                    "queries or gallery have no ids, only row numbers, which do not say what is relevant: make them "
                    "with ids, or pass relevant= (if row i of both belong together: two equal arrays of labels)"
                )
            return _agreeing(list(queries.ids), list(gallery.ids))
        case (query_labels, item_labels):
            labels = [_labels(own) for own in (query_labels, item_labels)]
            if (len(labels[0]), len(labels[1])) != sizes:
                raise IsthmusError(
                    f"labels for {len(labels[0])} queries and {len(labels[1])} items, "
                    f"but the sets have {sizes[0]} and {sizes[1]}: pass one label per row"
                )
            return _agreeing(*labels)
        case np.ndarray():
            if relevant.shape != sizes:
                raise IsthmusError(f"relevant has shape {relevant.shape}, expected (queries, items): {sizes}")
            return lambda block: relevant[block].astype(bool)
        case _:
            return _listed(relevant, queries.ids, gallery.ids)


def _labels(given: Labels) -> list[Hashable]:
    found = given.tolist() if hasattr(given, "tolist") else list(given)
    if not isinstance(found, list) or any(isinstance(label, list) for label in found):
        raise IsthmusError("labels must be two arrays of one label per row: pass shapes (queries,) and (items,)")
    return found


def _agreeing(
    queries: Sequence[Hashable], items: Sequence[Hashable]
) -> Callable[[slice], Bool[np.ndarray, "block items"]]:
    """Items whose label is that of the query. Labels are numbered first: NumPy arrays of text cut and pad it."""
    number: dict[Hashable, int] = {}
    codes = [np.array([number.setdefault(label, len(number)) for label in own], int) for own in (queries, items)]
    return lambda block: codes[0][block, None] == codes[1][None, :]


def _listed(
    relevant: Mapping[str, Collection[str]], queries: Sequence[str], items: Sequence[str]
) -> Callable[[slice], Bool[np.ndarray, "block items"]]:
    """Items listed by id for each query."""
    alone = next((query for query, own in relevant.items() if isinstance(own, str)), None)
    if alone is not None:
        raise IsthmusError(f"relevant[{alone!r}] is one text, not a set of ids: pass {{{relevant[alone]!r}}}")
    rows_of: dict[str, list[int]] = {}
    for row, item in enumerate(items):
        rows_of.setdefault(item, []).append(row)

    def relevant_in(block: slice) -> Bool[np.ndarray, "block items"]:
        found = np.zeros((len(queries[block]), len(items)), dtype=bool)
        for place, query in enumerate(queries[block]):
            for item in relevant.get(query, ()):
                found[place, rows_of.get(item, [])] = True
        return found

    return relevant_in
