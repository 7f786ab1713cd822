"""Matchers: how queries of one modality are scored against items of another, in blocks of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.search import csls_scores, mean_nearest

BLOCK_BYTES = 64 * 2**20
"""Largest block of scores held at once."""

ScoreBlocks = Iterator[np.ndarray]
"""Consecutive blocks of rows of the scores, (queries, items)."""
Matcher = Callable[[Embeddings, Embeddings], ScoreBlocks]
"""Queries and items in, their scores out."""
Projection = Callable[[Embeddings], Embeddings]
"""Embeddings of either space into one joint space, like `Connector.project`."""


def as_they_are(embeddings: Embeddings) -> Embeddings:
    """The projection that changes nothing."""
    return embeddings


def by_cosine(project: Projection = as_they_are) -> Matcher:
    """Cosine after projection.

    The matcher raises `IsthmusError` where the projected dimensions differ.
    """

    def match(queries: Embeddings, items: Embeddings) -> ScoreBlocks:
        asked, found = project(queries), project(items)
        _require_one_dimension(asked, found)
        for rows in query_blocks(asked, len(found)):
            yield rows @ found.vectors.T

    return match


def by_csls(project: Projection = as_they_are) -> Matcher:
    """CSLS after projection: cosines corrected for hubs among queries and items."""

    def match(queries: Embeddings, items: Embeddings) -> ScoreBlocks:
        asked, found = project(queries), project(items)
        _require_one_dimension(asked, found)
        every, targets = torch.from_numpy(asked.vectors), torch.from_numpy(found.vectors)
        items_nearest = torch.cat([mean_nearest(block, every) for block in targets.split(_rows(len(every)))])
        for rows in query_blocks(asked, len(found)):
            block = torch.from_numpy(rows)
            yield csls_scores(block @ targets.T, mean_nearest(block, targets), items_nearest).numpy()

    return match


def query_blocks(queries: Embeddings, items: int) -> Iterator[np.ndarray]:
    """Blocks of queries whose scores against so many items stay within 64 MB."""
    return queries.batches(_rows(items))


def _rows(items: int) -> int:
    return max(1, BLOCK_BYTES // (4 * max(1, items)))


def _require_one_dimension(queries: Embeddings, items: Embeddings) -> None:
    if queries.dim != items.dim:
        raise IsthmusError(
            f"{queries.modality} vectors have {queries.dim} dimensions, {items.modality} vectors {items.dim}: "
            "project both into one space first"
        )
