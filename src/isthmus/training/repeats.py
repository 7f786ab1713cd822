"""Repeats: rows of a batch that show the same item, and so must not be each other's negatives in a contrastive loss.

Captions repeat, and an item may be in several pairs. Pairs are compared by group numbers of one or more kinds: the
number of a text, of an item on the left, of an item on the right.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from torch import Tensor

from isthmus.training.processes import my_share

SAME = 5e-4
"""Distance of unit rows up to which they are one item: what padding, batches and half precision change in a vector."""
DIRECTIONS, REACH = 6, 4.5
"""Rows are compared if they are within REACH * SAME in this many random directions: 99.7 % of rows SAME apart are, and
hardly any others."""
MOST_LINKS = 10**7
"""Most pairs of near rows to compare."""
BLOCK_ROWS = 65_536
Repeats = Bool[Tensor, "share batch"] | None
"""For each of this process's rows, the other rows of the batch that show the same item; ``None`` if no row repeats."""


def equal_rows(vectors: Float[np.ndarray, "rows dim"]) -> Int[np.ndarray, " rows"]:
    """A group number for each unit row: that of the first row that equals it, up to rounding.

    A hash finds copies, and a tree over a few random directions near copies, so that the work grows with the number
    of rows, not with its square. If nearly all rows are alike, only copies are grouped.

    Example:
        >>> equal_rows(np.eye(3, dtype=np.float32)[[0, 2, 0, 1]]).tolist()
        [0, 1, 0, 3]
    """
    draw = np.random.default_rng(0)
    _, first, copy_of = np.unique(_hashes(vectors, draw), return_index=True, return_inverse=True)
    directions = draw.standard_normal((vectors.shape[1], DIRECTIONS)).astype(np.float32)
    tree = cKDTree(np.concatenate([vectors[first[part]] @ directions for part in _blocks(len(first))]))
    links = np.empty((0, 2), np.int64)
    if tree.count_neighbors(tree, REACH * SAME) < MOST_LINKS:
        near = tree.query_pairs(REACH * SAME, output_type="ndarray")
        apart = [np.linalg.norm(np.subtract(*vectors[first[near[part]].T]), axis=1) for part in _blocks(len(near))]
        links = near[np.concatenate(apart) <= SAME]
    group = linked_groups(links, len(first))[copy_of]
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    return first[number].astype(np.int64)


def linked_groups(links: Int[np.ndarray, "links 2"], count: int) -> Int[np.ndarray, " count"]:
    """A group number for each of ``count`` things; things that links join, also through others, have the same."""
    graph = coo_array((np.ones(len(links), bool), links.T), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def repeating(groups: Int[np.ndarray, "kinds rows"]) -> Int[Tensor, "kinds rows"] | None:
    """Group numbers as `repeats_of` takes them; ``None`` if none occurs twice in a kind."""
    return torch.from_numpy(groups) if any(len(np.unique(kind)) < len(kind) for kind in groups) else None


def _hashes(vectors: Float[np.ndarray, "rows dim"], draw: np.random.Generator) -> Int[np.ndarray, " rows"]:
    keys = draw.integers(2**62, size=vectors.shape[1], dtype=np.int64)
    bits = np.ascontiguousarray(vectors, np.float32).view(np.int32)
    return np.concatenate([bits[part] @ keys for part in _blocks(len(bits))])


def _blocks(rows: int) -> list[slice]:
    return [slice(start, start + BLOCK_ROWS) for start in range(0, max(rows, 1), BLOCK_ROWS)]


def repeats(groups: Int[Tensor, "kinds batch"], own: Int[Tensor, " share"]) -> Repeats:
    """The batch's other rows that show the same item as a row: True where a group number of any kind is equal.

    Every process holds the numbers of the whole batch, so nothing is gathered.

    Args:
        groups: Group numbers of every row of the batch, a line for each kind.
        own: Places in the batch of the rows to compare with all others: this process's share.

    Returns:
        The mask, False for a row and itself; ``None`` if no row repeats.

    Example:
        The first and the third pair have the same text, the first and the second the same item.

        >>> repeats(torch.tensor([[0, 1, 0], [5, 5, 6]]), torch.arange(3))
        tensor([[False,  True,  True],
                [ True, False, False],
                [ True, False, False]])
    """
    if all(len(kind.unique()) == len(kind) for kind in groups):
        return None
    same = (groups[:, own, None] == groups[:, None, :]).any(0)
    same[torch.arange(len(own), device=own.device), own] = False
    return same


def repeats_of(groups: Int[Tensor, "kinds all"] | None, rows: Int[Tensor, " batch"]) -> Repeats:
    """`repeats` of this process's share of a batch of rows; ``None`` if there are no groups."""
    if groups is None:
        return None
    own = my_share(torch.arange(len(rows)))
    mask = repeats(groups[:, rows.to(groups.device)], own)
    return None if mask is None else mask.to(rows.device)


def without_repeats(scores: Float[Tensor, "share batch"], repeats: Repeats) -> Float[Tensor, "share batch"]:
    """Scores in which repeats do not count as negatives: they add nothing to a sum of exponentials."""
    return scores if repeats is None else scores.masked_fill(repeats, -torch.inf)
