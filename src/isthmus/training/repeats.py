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
from torch import Tensor

from isthmus.training.processes import my_share

SAME = 5e-4
"""Distance of unit rows up to which they are one item: what padding, batches and half precision change in a vector."""
CELL, DIRECTIONS = 0.05, 6
"""Rows are compared if they fall into one cell of a grid in this many random directions. In both grids a border parts
few equal rows (.01 %), and few other rows share a cell."""
BLOCK_ROWS = 65_536


def equal_rows(vectors: Float[np.ndarray, "rows dim"]) -> Int[np.ndarray, " rows"]:
    """A group number for each unit row: that of the first row that equals it, up to rounding.

    Only rows of one cell of a random grid are compared, in two grids, so that the work grows with the rows, not with
    their square.

    Example:
        >>> equal_rows(np.eye(3, dtype=np.float32)[[0, 2, 0, 1]]).tolist()
        [0, 1, 0, 3]
    """
    draw = np.random.default_rng(0)
    place = vectors @ draw.standard_normal((vectors.shape[1], DIRECTIONS)).astype(np.float32) / CELL
    keys = draw.integers(2**62, size=DIRECTIONS)
    cells = [np.floor(place + offset).astype(np.int64) @ keys for offset in (0.0, 0.5)]
    rows, equal = np.concatenate([_equal_in_cell(vectors, cell) for cell in cells], axis=1)
    graph = coo_array((np.ones(len(rows), bool), (rows, equal)), shape=(len(vectors), len(vectors)))
    _, first, group = np.unique(connected_components(graph, directed=False)[1], return_index=True, return_inverse=True)
    return first[group].astype(np.int64)


def _equal_in_cell(
    vectors: Float[np.ndarray, "rows dim"], cells: Int[np.ndarray, " rows"]
) -> Int[np.ndarray, "two links"]:
    """Numbers of equal rows: each row that equals an earlier one of its cell, and that earlier one."""
    links, left = [np.empty((2, 0), np.int64)], np.arange(len(vectors))
    while len(left):
        _, first, cell = np.unique(cells[left], return_index=True, return_inverse=True)
        first_of = left[first][cell]
        others = left != first_of
        left, first_of = left[others], first_of[others]
        apart = [np.linalg.norm(vectors[left[part]] - vectors[first_of[part]], axis=1) for part in _blocks(len(left))]
        equal = np.concatenate([np.empty(0), *apart]) <= SAME
        links.append(np.stack((left[equal], first_of[equal])))
        left = left[~equal]
    return np.concatenate(links, axis=1)


def _blocks(rows: int) -> list[slice]:
    return [slice(start, start + BLOCK_ROWS) for start in range(0, rows, BLOCK_ROWS)]


def repeats(groups: Int[Tensor, "kinds batch"], own: Int[Tensor, " share"]) -> Bool[Tensor, "share batch"] | None:
    """The batch's other rows that show the same item as a row: True where a group number of any kind is equal.

    Every process holds the numbers of the whole batch, so nothing is gathered; ``own`` are the places of its share.

    Args:
        groups: Group numbers of every row of the batch, a line for each kind.
        own: The rows to compare with all others.

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


def repeats_of(
    groups: Int[Tensor, "kinds all"] | None, rows: Int[Tensor, " batch"]
) -> Bool[Tensor, "share batch"] | None:
    """`repeats` of this process's share of a batch of rows; ``None`` if there are no groups."""
    if groups is None:
        return None
    own = my_share(torch.arange(len(rows)))
    mask = repeats(groups[:, rows.to(groups.device)], own)
    return None if mask is None else mask.to(rows.device)
