"""k-means: Lloyd's algorithm on tensors, fast enough for a memory of millions of rows."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

ITERATIONS = 6
NEAREST_ROWS = 1024
"""Rows whose scores against all cells stay in the cache."""
ASSIGNED_ROWS = 65_536
"""Rows assigned to cells between two updates of the index of cells."""


def k_means(rows: Float[Tensor, "rows dim"], count: int, draw: torch.Generator) -> Float[Tensor, "count dim"]:
    """Lloyd's algorithm from rows drawn at random; a cell that loses its rows stays where it is."""
    cells = rows[torch.randperm(len(rows), generator=draw, device=rows.device)[:count]].clone()
    for _ in range(ITERATIONS):
        cell_of = torch.cat([nearest(block, cells) for block in rows.split(ASSIGNED_ROWS)])
        sums = torch.zeros_like(cells).index_add_(0, cell_of, rows)
        sizes = torch.bincount(cell_of, minlength=count)[:, None]
        cells = torch.where(sizes > 0, sums / sizes.clamp(min=1), cells)
    return cells


@torch.no_grad()
def nearest(rows: Float[Tensor, "rows dim"], cells: Float[Tensor, "cells dim"]) -> Int[Tensor, " rows"]:
    """Each row's nearest cell, a block of rows at a time into the same memory: it stays in the cache."""
    offsets = -0.5 * cells.square().sum(1)
    scores = torch.empty(NEAREST_ROWS, len(cells), dtype=rows.dtype, device=rows.device)
    highest = torch.empty(NEAREST_ROWS, dtype=rows.dtype, device=rows.device)
    found = torch.empty(len(rows), dtype=torch.long, device=rows.device)
    for part, place in zip(rows.split(NEAREST_ROWS), found.split(NEAREST_ROWS), strict=True):
        own = torch.addmm(offsets, part, cells.T, out=scores[: len(part)])
        torch.max(own, 1, out=(highest[: len(part)], place))
    return found
