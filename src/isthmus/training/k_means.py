"""k-means by Lloyd's algorithm on tensors, for memories of millions of rows (compared: benchmarks/k_means.py)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

ITERATIONS = 6
NEAREST_ROWS = 1024
"""Rows in a block, so few that their scores for all cells stay in the cache."""
ASSIGNED_ROWS = 65_536
"""Rows assigned in one call."""


def k_means(rows: Float[Tensor, "rows dim"], count: int, draw: torch.Generator) -> Float[Tensor, "count dim"]:
    """Cell centres by Lloyd's algorithm, started from rows drawn at random; a cell without rows keeps its centre."""
    cells = rows[torch.randperm(len(rows), generator=draw, device=rows.device)[:count]].clone()
    for _ in range(ITERATIONS):
        cell_of = torch.cat([nearest(block, cells) for block in rows.split(ASSIGNED_ROWS)])
        sums = torch.zeros_like(cells).index_add_(0, cell_of, rows)
        sizes = torch.bincount(cell_of, minlength=count)[:, None]
        cells = torch.where(sizes > 0, sums / sizes.clamp(min=1), cells)
    return cells


@torch.no_grad()
def nearest(rows: Float[Tensor, "rows dim"], cells: Float[Tensor, "cells dim"]) -> Int[Tensor, " rows"]:
    """The nearest cell of each row, in blocks that reuse one buffer so that it stays in the cache."""
    offsets = -0.5 * cells.square().sum(1)
    scores = torch.empty(NEAREST_ROWS, len(cells), dtype=rows.dtype, device=rows.device)
    highest = torch.empty(NEAREST_ROWS, dtype=rows.dtype, device=rows.device)
    found = torch.empty(len(rows), dtype=torch.long, device=rows.device)
    for part, place in zip(rows.split(NEAREST_ROWS), found.split(NEAREST_ROWS), strict=True):
        own = torch.addmm(offsets, part, cells.T, out=scores[: len(part)])
        torch.max(own, 1, out=(highest[: len(part)], place))
    return found
