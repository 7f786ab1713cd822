"""Equal items: rows of a batch that show the same item, as repeated captions do, are never each other's negatives."""

from __future__ import annotations

from itertools import product

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


def equal_items(*sides: Int[Tensor, " batch"]) -> Bool[Tensor, "share batch"]:
    """Which rows of a batch show the same item as each of this process's rows, the row itself excepted.

    Leave these out of the negatives of a contrastive loss, in both directions.

    Args:
        sides: The group number of each row's item, of the whole batch, which every process holds; items of equal number
            are one item. Pairs of two kinds of items give the numbers of both, from one numbering: two pairs are equal
            if an item of the one is an item of the other.

    Example:
        >>> equal_items(torch.tensor([7, 3, 7])).int()
        tensor([[0, 0, 1],
                [0, 0, 0],
                [1, 0, 0]], dtype=torch.int32)
    """
    batch = len(sides[0])
    rows = my_share(torch.arange(batch, device=sides[0].device))
    same = torch.zeros(len(rows), batch, dtype=torch.bool, device=rows.device)
    for mine, other in product(sides, sides):
        same |= mine[rows, None] == other
    same[torch.arange(len(rows), device=rows.device), rows] = False
    return same


def equal_rows(vectors: Float[np.ndarray, "rows dim"]) -> Int[np.ndarray, " rows"]:
    """The group number of each unit row: rows that are equal up to rounding have the same number.

    Only rows of one cell of a random grid are compared, in two grids, so that the work grows with the rows, not with
    their square.

    Example:
        >>> equal_rows(np.eye(3, dtype=np.float32)[[0, 2, 0, 1]]).tolist()
        [0, 1, 0, 2]
    """
    draw = np.random.default_rng(0)
    place = vectors @ draw.standard_normal((vectors.shape[1], DIRECTIONS)).astype(np.float32) / CELL
    keys = draw.integers(2**62, size=DIRECTIONS)
    cells = [np.floor(place + offset).astype(np.int64) @ keys for offset in (0.0, 0.5)]
    rows, equal = np.concatenate([_equal_in_cell(vectors, cell) for cell in cells], axis=1)
    graph = coo_array((np.ones(len(rows), bool), (rows, equal)), shape=(len(vectors), len(vectors)))
    return connected_components(graph, directed=False)[1]


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
