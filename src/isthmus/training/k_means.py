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


def k_means(
    rows: Float[Tensor, "rows dim"], count: int, draw: torch.Generator, spread: bool = False
) -> Float[Tensor, "count dim"]:
    """Cell centres by Lloyd's algorithm; a cell without rows keeps its centre.

    It starts from rows drawn at random, or with ``spread`` from `spread_rows`.
    """
    chosen = (
        spread_rows(rows, count, draw)
        if spread
        else torch.randperm(len(rows), generator=draw, device=rows.device)[:count]
    )
    cells = rows[chosen].clone()
    for _ in range(ITERATIONS):
        cell_of = torch.cat([nearest(block, cells) for block in rows.split(ASSIGNED_ROWS)])
        sums = torch.zeros_like(cells).index_add_(0, cell_of, rows)
        sizes = torch.bincount(cell_of, minlength=count)[:, None]
        cells = torch.where(sizes > 0, sums / sizes.clamp(min=1), cells)
    return cells


def spread_rows(rows: Float[Tensor, "rows dim"], count: int, draw: torch.Generator) -> Int[Tensor, " count"]:
    """Rows far from each other: each is drawn in proportion to its squared distance from those before (k-means++)."""
    chosen = [int(torch.randint(len(rows), (1,), generator=draw, device=rows.device))]
    distance = (rows - rows[chosen[0]]).square().sum(1)
    squares = rows.square().sum(1)
    for _ in range(count - 1):
        # Equal rows are at distance 0 but for rounding; if all are, any row does.
        chance = torch.where(distance > 1e-6 * squares, distance, 0.0)
        chosen.append(
            int(torch.multinomial(chance if chance.sum() > 0 else torch.ones_like(chance), 1, generator=draw))
        )
        own = rows[chosen[-1]]
        distance = torch.minimum(distance, (squares - 2 * rows @ own + own.square().sum()).clamp(min=0))
    return torch.tensor(chosen, device=rows.device)


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
