"""Re-ranking: the best hits of a search put in a new order by how well their codes align with the query's."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from isthmus.base.errors import IsthmusError
from isthmus.codes.model.model import CodeModel
from isthmus.codes.reading.alignment import Spelled, alignment_scores
from isthmus.embeddings.tokens import Tokens
from isthmus.search import Hits

WEIGHT = 1.0
"""Weight of alignment beside the search's own score, both standardised over a query's hits; chosen on dev."""


def rerank_by_codes(hits: Hits, model: CodeModel, queries: Tokens, gallery: Tokens, *, weight: float = WEIGHT) -> Hits:
    """The same hits, ordered by the search's score and by alignment of codes together.

    ``queries`` and ``gallery`` are tokens of the items searched, row by row; raises `IsthmusError` where they are not.
    Helps where both have an order that they share: speech, text and video in time, pictures read in one direction.
    Scores are sums of standardised ones.
    """
    if len(queries) != len(hits.rows):
        raise IsthmusError(f"there are hits of {len(hits.rows)} queries and tokens of {len(queries)}: give the same")
    known = np.array(gallery.ids)
    other = hits.rows >= len(known) if hits.rows.max(initial=-1) >= len(known) else known[hits.rows] != hits.ids
    if other.any():
        raise IsthmusError(f"the gallery's tokens are not of the items searched, row by row: {hits.ids[other][0]!r}")
    asked, found = (Spelled.of(model.token_codes(own), own.offsets) for own in (queries, gallery))
    scores = _standard(hits.scores) + weight * _standard(alignment_scores(asked, found, hits.rows))
    order = np.argsort(-scores, axis=1, kind="stable")
    ids, rows, ordered = (np.take_along_axis(own, order, axis=1) for own in (hits.ids, hits.rows, scores))
    return Hits(ids, ordered, rows)


def _standard(scores: Float[np.ndarray, "queries k"]) -> Float[np.ndarray, "queries k"]:
    return (scores - scores.mean(1, keepdims=True)) / np.maximum(scores.std(1, keepdims=True), 1e-12)
