"""Alignment: how well two items match when their codes are compared in order, and search hits re-ranked by it.

A bag of codes forgets order, and two items that share parts then look alike. Alignment (dynamic time warping) runs
through both items from the first to the last token at any pace, and so compares their order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.codes.model.model import CodeModel
from isthmus.embeddings.pairing import require_same_ids
from isthmus.embeddings.tokens import Tokens
from isthmus.search import Hits

WEIGHT = 1.0
"""Weight of alignment against the search's own score, both standardised per query; chosen on dev."""
CELLS = 2**24
"""Cells of cost tables, or of the distributions they are computed from, in memory at once: 64 MB of each."""


@dataclass(frozen=True)
class CodeSequences:
    """Items as padded rows: the square roots of their tokens' code distributions, 0 after the last token."""

    roots: Float[Tensor, "items longest codes"]
    lengths: Int[Tensor, " items"]

    @classmethod
    def of(
        cls, log_codes: Float[np.ndarray, "tokens codes"], offsets: Int[np.ndarray, " items_and_one"]
    ) -> CodeSequences:
        """Items from the log code distributions of all their tokens, as `CodeModel.token_codes` returns them."""
        lengths = torch.from_numpy(np.diff(offsets))
        present = torch.arange(int(lengths.max())) < lengths[:, None]
        roots = torch.zeros(*present.shape, log_codes.shape[1])
        roots[present] = torch.from_numpy(np.exp(log_codes / 2)).float()
        return cls(roots, lengths)


def alignment_scores(
    left: CodeSequences, right: CodeSequences, candidates: Int[np.ndarray, "items few"]
) -> Float[np.ndarray, "items few"]:
    """Minus the cost of the cheapest alignment of each left item with each of its candidates; 0 is best.

    A step costs ``1 - Σ_v √(P(v) Q(v))`` of its two tokens. The sum is divided by the number of tokens of both items.
    """
    few = candidates.shape[1]
    lefts, rights = torch.arange(len(candidates)).repeat_interleave(few), torch.from_numpy(candidates.ravel())
    n, m, codes = left.roots.shape[1], right.roots.shape[1], left.roots.shape[2]
    block = max(1, CELLS // max(n * m, (n + m) * codes))
    scores = [
        _aligned(left.roots[one], right.roots[other], left.lengths[one], right.lengths[other])
        for one, other in zip(lefts.split(block), rights.split(block), strict=True)
    ]
    return torch.cat(scores).view(-1, few).numpy()


def rerank_by_codes(hits: Hits, model: CodeModel, queries: Tokens, gallery: Tokens, *, weight: float = WEIGHT) -> Hits:
    """Re-rank search hits by the search's score plus how well the codes of query and hit align.

    Helps if both modalities have an order that they share: speech, text, video in time, images read in one direction.

    Args:
        hits: Hits of a search, (queries, k).
        model: Code model that knows both modalities.
        queries: Tokens of the queries, row by row.
        gallery: Tokens of the items that were searched, row by row.
        weight: Weight of the alignment against the search's score.

    Returns:
        The same hits in a new order; scores are sums of standardised scores.

    Raises:
        IsthmusError: The tokens belong to other items than the queries or the gallery, or fit no view of the model, or
            the hits have percentiles.

    Example:
        >>> from isthmus import Embeddings, Index
        >>> from isthmus.codes.model.view import View
        >>> from isthmus.codes.model.config import CodesConfig
        >>> model = CodeModel({"audio": View("audio", "clap", dim=2, pooled_dim=2)}, CodesConfig(codes=2, code_dim=2))
        >>> rows, places = np.eye(2, dtype=np.float32), np.zeros((2, 2), np.float32)
        >>> items = Embeddings.from_array(rows, modality="audio", space="clap")
        >>> tokens = Tokens.from_arrays(rows, np.arange(3), places, modality="audio", space="clap", unit="seconds")
        >>> rerank_by_codes(Index(items).search(items, k=2), model, tokens, tokens).ids.shape
        (2, 2)
    """
    if len(queries) != len(hits.rows):
        raise IsthmusError(
            f"got hits of {len(hits.rows)} queries but tokens of {len(queries)}: pass the tokens of the same queries"
        )
    if hits.percentiles is not None:
        raise IsthmusError("codes give another score, which has no percentiles: rerank hits of an index without scores")
    require_same_ids(hits.query_ids, queries.ids, "the hits' queries and the queries' tokens")
    known = np.array([*gallery.ids, None], dtype=object)
    other = known[np.minimum(hits.rows, len(gallery))] != hits.ids
    if other.any():
        raise IsthmusError(
            f"the gallery's tokens must be those of the items searched, row by row: {hits.ids[other][0]!r} differs"
        )
    left, right = (CodeSequences.of(model.token_codes(own), own.offsets) for own in (queries, gallery))
    scores = _standard(hits.scores) + weight * _standard(alignment_scores(left, right, hits.rows))
    order = np.argsort(-scores, axis=1, kind="stable")
    ids, rows, ordered = (np.take_along_axis(own, order, axis=1) for own in (hits.ids, hits.rows, scores))
    return replace(hits, ids=ids, scores=ordered, rows=rows)


def _standard(scores: Float[np.ndarray, "queries k"]) -> Float[np.ndarray, "queries k"]:
    return (scores - scores.mean(1, keepdims=True)) / np.maximum(scores.std(1, keepdims=True), 1e-12)


def _aligned(
    left: Float[Tensor, "pairs n codes"],
    right: Float[Tensor, "pairs m codes"],
    left_lengths: Int[Tensor, " pairs"],
    right_lengths: Int[Tensor, " pairs"],
) -> Float[Tensor, " pairs"]:
    """One step for each diagonal of the cost table: cells equally far from the start do not depend on each other."""
    cost = 1 - left @ right.transpose(1, 2)
    pairs, n, m = cost.shape
    before, last = (torch.full((pairs, n + 1), torch.inf) for _ in range(2))
    before[:, 0] = 0
    whole = torch.empty(pairs)
    for diagonal in range(2, n + m + 1):
        rows = torch.arange(max(1, diagonal - m), min(n, diagonal - 1) + 1)
        cheapest = torch.minimum(torch.minimum(last[:, rows - 1], last[:, rows]), before[:, rows - 1])
        now = torch.full_like(last, torch.inf)
        now[:, rows] = cheapest + cost[:, rows - 1, diagonal - rows - 1]
        ended = left_lengths + right_lengths == diagonal
        whole[ended] = now[ended, left_lengths[ended]]
        before, last = last, now
    return -whole / (left_lengths + right_lengths)
