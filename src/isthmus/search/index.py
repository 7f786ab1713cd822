"""An exact index: every query is compared with every row, block by block."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.metrics import csls_blocks, score_blocks
from isthmus.search.hits import Hits

UNIT_TOLERANCE = 1e-2


class Index:
    """Exact search by cosine over the rows of one space.

    Args:
        embeddings: Unit rows to search in, (n, d).
        reference: Typical queries. CSLS measures against them how much of a hub each item is; by default against the
            queries of each search.

    Raises:
        IsthmusError: Rows do not have unit length, or ``reference`` is in another space.

    Example:
        >>> import numpy as np
        >>> from isthmus import Embeddings, Index
        >>> items = Embeddings.from_array(np.eye(3), modality="audio", space="joint", ids=["bark", "meow", "horn"])
        >>> queries = Embeddings.from_array(np.array([[0.0, 3.0, 4.0]]), modality="image", space="joint")
        >>> Index(items).search(queries, k=1).ids.tolist()
        [['horn']]
    """

    def __init__(self, embeddings: Embeddings, *, reference: Embeddings | None = None) -> None:
        self.space, self.dim = embeddings.space, embeddings.dim
        self.ids = list(embeddings.ids)
        self._rows = _unit_rows(embeddings)
        self._reference = None if reference is None else self._checked(reference)

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, embeddings: Embeddings) -> None:
        """Add rows after those that are there.

        Args:
            embeddings: Unit rows of the same space.

        Raises:
            IsthmusError: The rows are in another space, or an id is in the index already.
        """
        rows = self._checked(embeddings)
        known = set(self.ids)
        repeated = next((name for name in embeddings.ids if name in known), None)
        if repeated is not None:
            raise IsthmusError(f"id {repeated!r} is already in the index: leave its row out")
        self.ids += embeddings.ids
        self._rows = torch.cat([self._rows, rows])

    def search(self, queries: Embeddings, k: int = 10, *, csls: bool = False) -> Hits:
        """The k best items of each query.

        Args:
            queries: Unit rows of the same space, (n, d).
            k: Number of hits per query; all items if there are fewer.
            csls: Correct the scores for hubs, see `isthmus.metrics.csls`.

        Returns:
            Hits with arrays of shape (n, k). Scores are cosines, or CSLS scores.

        Raises:
            IsthmusError: The queries are in another space, or ``k`` is not positive.
        """
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise IsthmusError(f"k must be a positive integer, got {k!r}")
        rows, k = self._checked(queries), min(k, len(self))
        reference = rows if self._reference is None else self._reference
        blocks = csls_blocks(rows, self._rows, reference) if csls else score_blocks(rows, self._rows)
        scores, found = np.empty((len(rows), k), np.float32), np.empty((len(rows), k), np.int64)
        for block, block_scores in blocks:
            best = block_scores.topk(k)
            scores[block], found[block] = best.values, best.indices
        return Hits(queries.ids, np.array(self.ids, dtype=object)[found], scores, found)

    def _checked(self, embeddings: Embeddings) -> Tensor:
        if embeddings.space != self.space:
            raise IsthmusError(
                f"{embeddings.modality} vectors are in space {embeddings.space!r}, the index in {self.space!r}: "
                "project both with the same connector first"
            )
        if embeddings.dim != self.dim:
            raise IsthmusError(f"{embeddings.modality} vectors have {embeddings.dim} dimensions, the index {self.dim}")
        return _unit_rows(embeddings)


def _unit_rows(embeddings: Embeddings) -> Tensor:
    rows = torch.from_numpy(np.ascontiguousarray(embeddings.vectors))
    if len(rows) and (rows.norm(dim=1) - 1).abs().max() > UNIT_TOLERANCE:
        raise IsthmusError(f"{embeddings.modality} rows do not have unit length: make them with normalize=True")
    return rows
