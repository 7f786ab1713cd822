"""Matchers: scores of queries of one modality against items of another, in blocks of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from isthmus.base.errors import IsthmusError
from isthmus.base.space_names import shared_space
from isthmus.embeddings import Embeddings
from isthmus.metrics import csls_blocks
from isthmus.metrics.blocks import block_rows

ScoreBlocks = Iterator[np.ndarray]
"""Consecutive blocks of rows of the scores, (queries, items)."""
Matcher = Callable[[Embeddings, Embeddings], ScoreBlocks]
"""Maps queries and items to their scores."""
Projection = Callable[[Embeddings], Embeddings]
"""Maps embeddings of either space into one joint space, like `Connector.project`."""


def identity(embeddings: Embeddings) -> Embeddings:
    """The projection that changes nothing."""
    return embeddings


def by_cosine(project: Projection = identity) -> Matcher:
    """A matcher by cosine after projection.

    Args:
        project: Maps both modalities into one space; by default they are compared as they are.

    Returns:
        The matcher. It raises `IsthmusError` if spaces or dimensions differ after projection.

    Example:
        >>> import numpy as np
        >>> from isthmus import Embeddings
        >>> from isthmus.evaluate import by_cosine
        >>> queries = Embeddings.from_array(np.array([[3.0, 4.0]]), modality="image", space="joint")
        >>> items = Embeddings.from_array(np.eye(2), modality="audio", space="joint")
        >>> print(np.concatenate(list(by_cosine()(queries, items))).round(2))
        [[0.6 0.8]]
    """

    def match(queries: Embeddings, items: Embeddings) -> ScoreBlocks:
        projected, targets = _projected(project, queries, items)
        for rows in query_blocks(projected, len(targets)):
            yield rows @ targets.vectors.T

    return match


def by_csls(project: Projection = identity) -> Matcher:
    """A matcher by CSLS after projection: cosines corrected for hubs, see `isthmus.metrics.csls`.

    Args:
        project: Maps both modalities into one space; by default they are compared as they are.

    Returns:
        The matcher. It raises `IsthmusError` if spaces or dimensions differ after projection.
    """

    def match(queries: Embeddings, items: Embeddings) -> ScoreBlocks:
        rows, targets = (torch.from_numpy(own.vectors) for own in _projected(project, queries, items))
        for _, scores in csls_blocks(rows, targets, rows):
            yield scores.numpy()

    return match


def query_blocks(queries: Embeddings, items: int) -> Iterator[np.ndarray]:
    """Blocks of queries, sized so the scores against this many items stay within 64 MB."""
    return queries.batches(block_rows(items))


def _projected(project: Projection, queries: Embeddings, items: Embeddings) -> tuple[Embeddings, Embeddings]:
    queries, items = project(queries), project(items)
    if queries.dim != items.dim:
        raise IsthmusError(
            f"{queries.modality} vectors have {queries.dim} dimensions, {items.modality} vectors {items.dim}: "
            "project both into one space first"
        )
    if shared_space(queries.space, items.space) is None:
        raise IsthmusError(
            f"{queries.modality} vectors are in space {queries.space!r}, {items.modality} vectors in {items.space!r}: "
            "project both into one space first"
        )
    return queries, items
