"""An exact index: every query is compared with every row, block by block."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.base.space_names import shared_space
from isthmus.connectors.trust.scores import UnrelatedScores
from isthmus.embeddings import Embeddings
from isthmus.metrics import csls_blocks, score_blocks
from isthmus.search.hits import Hits
from isthmus.search.percentiles import warn_if_unlike, with_percentiles

UNIT_TOLERANCE = 1e-2
ADDING = Lock()
"""Held while rows are added. One lock serves all indexes, so that an index can be pickled."""


@dataclass(frozen=True)
class Contents:
    """What an index holds; it is replaced as a whole, so that ids and rows always belong together."""

    space: str
    ids: list[str]
    rows: Float[Tensor, "rows dim"]


class Index:
    """Exact search by cosine over the rows of one space.

    Args:
        embeddings: Unit rows to search in, (n, d).
        reference: Typical queries. CSLS measures against them how much of a hub each item is; by default against the
            queries of each search.
        scores: A connector's scores of unrelated items: hits then have percentiles.

    Vectors that Ex-MCR or a star mapped into a base can be searched with the base's own vectors, and the reverse.

    Raises:
        IsthmusError: Rows do not have unit length, or ``reference`` is in another space or empty.

    Example:
        >>> import numpy as np
        >>> from isthmus import Embeddings, Index
        >>> items = Embeddings.from_array(np.eye(3), modality="audio", space="joint", ids=["bark", "meow", "horn"])
        >>> queries = Embeddings.from_array(np.array([[0.0, 3.0, 4.0]]), modality="image", space="joint")
        >>> Index(items).search(queries, k=1).ids.tolist()
        [['horn']]
    """

    def __init__(
        self,
        embeddings: Embeddings,
        *,
        reference: Embeddings | None = None,
        scores: UnrelatedScores | None = None,
    ) -> None:
        self.dim, self._unrelated = embeddings.dim, scores
        self._modality = "" if scores is None else scores.name_of(embeddings)
        self._contents = Contents(embeddings.space, list(embeddings.ids), _unit_rows(embeddings))
        self._reference: Tensor | None = None
        if reference is not None:
            space, self._reference = self._checked(reference, self._contents)
            if not len(self._reference):
                raise IsthmusError("the reference has no rows: pass typical queries, or leave it out")
            self._contents = replace(self._contents, space=space)

    def __len__(self) -> int:
        return len(self._contents.ids)

    @property
    def space(self) -> str:
        """Name of the space that is searched."""
        return self._contents.space

    @property
    def ids(self) -> list[str]:
        """Ids of the rows, in order."""
        return self._contents.ids

    def add(self, embeddings: Embeddings) -> None:
        """Add rows at the end. Searches in other threads see all of them or none.

        Args:
            embeddings: Unit rows of the same space.

        Raises:
            IsthmusError: The rows are in another space, or an id is in the index already.
        """
        with ADDING:
            own = self._contents
            space, rows = self._checked(embeddings, own)
            if self._unrelated is not None and (other := self._unrelated.name_of(embeddings)) != self._modality:
                raise IsthmusError(
                    f"the index has percentiles of {self._modality} items and takes no {other} items: use a MixedIndex"
                )
            known = set(own.ids)
            repeated = next((name for name in embeddings.ids if name in known), None)
            if repeated is not None:
                remedy = "give rows ids before they are indexed" if embeddings.numbered else "leave its row out"
                raise IsthmusError(f"id {repeated!r} is already in the index: {remedy}")
            self._contents = Contents(space, own.ids + embeddings.ids, torch.cat([own.rows, rows]))

    def search(
        self, queries: Embeddings, k: int = 10, *, csls: bool = False, false_positive_rate: float | None = None
    ) -> Hits:
        """The k best items of each query.

        Args:
            queries: Unit rows of the same space, (n, d).
            k: Number of hits per query; all items if there are fewer.
            csls: Correct the scores for hubs, see `isthmus.metrics.csls`.
            false_positive_rate: Only hits at least as high as the cut-off that this share of unrelated items reaches.
                The index needs ``scores``.

        Returns:
            Hits with arrays of shape (n, k). Scores are cosines, or CSLS scores.

        Raises:
            IsthmusError: The queries are in another space, ``k`` is not positive, there are no scores of unrelated
                items of these modalities, or an index with scores is asked for CSLS scores.
        """
        if csls and self._unrelated is not None:
            raise IsthmusError("percentiles and cut-offs are of cosines, not of CSLS scores: leave one of them out")
        if false_positive_rate is not None and self._unrelated is None:
            raise IsthmusError(
                "a false-positive rate needs scores of unrelated items: Index(..., scores=connector.scores)"
            )
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise IsthmusError(f"k must be a positive integer, got {k!r}")
        own = self._contents
        _, rows = self._checked(queries, own)
        k = min(k, len(own.ids))
        scores, found = np.empty((len(rows), k), np.float32), np.empty((len(rows), k), np.int64)
        if scores.size:
            reference = rows if self._reference is None else self._reference
            blocks = csls_blocks(rows, own.rows, reference) if csls else score_blocks(rows, own.rows)
            for block, block_scores in blocks:
                best = block_scores.topk(k)
                scores[block], found[block] = best.values, best.indices
        hits = Hits(queries.ids, np.array(own.ids, dtype=object)[found], scores, found)
        if self._unrelated is None:
            return hits
        pair = (self._unrelated.name_of(queries), self._modality)
        warn_if_unlike(self._unrelated, pair, queries.vectors, own.rows.numpy())
        return with_percentiles(hits, self._unrelated, pair, false_positive_rate)

    def _checked(self, embeddings: Embeddings, own: Contents) -> tuple[str, Tensor]:
        """The name of the space that the embeddings share with the index, and their unit rows."""
        space = shared_space(own.space, embeddings.space)
        if space is None:
            raise IsthmusError(
                f"{embeddings.modality} vectors are in space {embeddings.space!r}, the index in {own.space!r}: "
                "project both with the same connector first"
            )
        if embeddings.dim != self.dim:
            raise IsthmusError(f"{embeddings.modality} vectors have {embeddings.dim} dimensions, the index {self.dim}")
        return space, _unit_rows(embeddings)


def _unit_rows(embeddings: Embeddings) -> Tensor:
    rows = torch.from_numpy(np.ascontiguousarray(embeddings.vectors))
    if len(rows) and not (rows.norm(dim=1) - 1).abs().max() <= UNIT_TOLERANCE:
        raise IsthmusError(f"{embeddings.modality} rows do not have unit length: make them with normalize=True")
    return rows
