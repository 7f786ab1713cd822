"""An exact index: every query is compared with every row, block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.search.csls import csls_scores, mean_nearest

UNIT_TOLERANCE = 1e-2
SCORE_ROWS = 64 * 2**20 // 4
"""Scores held at once: 64 MB."""


@dataclass(frozen=True)
class Hits:
    """The k nearest items of each query, best first: ``ids``, ``scores`` and row numbers, each (queries, k)."""

    ids: np.ndarray
    scores: Float[np.ndarray, "queries k"]
    rows: Int[np.ndarray, "queries k"]


class Index:
    """Exact search by cosine over the rows of one space.

    ``reference`` are typical queries, against which CSLS measures how much of a hub each item is; without it the
    queries of each search serve.
    """

    def __init__(self, embeddings: Embeddings, *, reference: Embeddings | None = None) -> None:
        self.space, self.dim = embeddings.space, embeddings.dim
        self.ids = list(embeddings.ids)
        self._rows = _unit_rows(embeddings)
        self._reference = None if reference is None else self._checked(reference)

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, embeddings: Embeddings) -> None:
        """Add rows of the same space. Raises `IsthmusError` for another space or an id that is there already."""
        rows = self._checked(embeddings)
        known = set(self.ids)
        repeated = next((name for name in embeddings.ids if name in known), None)
        if repeated is not None:
            raise IsthmusError(f"id {repeated!r} is in the index already: remove it from the rows to add")
        self.ids += embeddings.ids
        self._rows = torch.cat([self._rows, rows])

    def search(self, queries: Embeddings, k: int = 10, *, csls: bool = False) -> Hits:
        """The k best items of each query; with ``csls`` scores are corrected for hubs (2cos - r - r).

        Raises `IsthmusError` where the queries live in another space or ``k`` is not positive.
        """
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise IsthmusError(f"k must be a whole number from 1, got {k!r}")
        asked = self._checked(queries)
        items_nearest = None
        if csls:
            reference = asked if self._reference is None else self._reference
            items_nearest = torch.cat([mean_nearest(block, reference) for block in self._rows.split(_rows(reference))])
        found = [self._best(block, min(k, len(self)), items_nearest) for block in asked.split(_rows(self._rows))]
        scores = torch.cat([part[0] for part in found]).numpy()
        rows = torch.cat([part[1] for part in found]).numpy()
        return Hits(ids=np.array(self.ids)[rows], scores=scores, rows=rows)

    def _best(self, block: Tensor, k: int, items_nearest: Tensor | None) -> tuple[Tensor, Tensor]:
        scores = block @ self._rows.T
        if items_nearest is not None:
            scores = csls_scores(scores, mean_nearest(block, self._rows), items_nearest)
        best = scores.topk(k, dim=1)
        return best.values, best.indices

    def _checked(self, embeddings: Embeddings) -> Tensor:
        if embeddings.space != self.space:
            raise IsthmusError(
                f"{embeddings.modality} vectors live in space {embeddings.space!r}, the index in {self.space!r}: "
                "project them with the same connector first"
            )
        if embeddings.dim != self.dim:
            raise IsthmusError(f"{embeddings.modality} vectors have {embeddings.dim} dimensions, the index {self.dim}")
        return _unit_rows(embeddings)


def _unit_rows(embeddings: Embeddings) -> Tensor:
    rows = torch.from_numpy(np.ascontiguousarray(embeddings.vectors))
    if len(rows) and (rows.norm(dim=1) - 1).abs().max() > UNIT_TOLERANCE:
        raise IsthmusError(f"{embeddings.modality} rows are not of unit length: make them with normalize=True")
    return rows


def _rows(items: Tensor) -> int:
    return max(1, SCORE_ROWS // max(1, len(items)))
