"""Exact semantic consistency: softmax-weighted means over the whole memory, block by block with an online softmax.

Neither the memory nor a score matrix is ever held whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.overlap.rows import RowSource, blocks

MEMORY_ROWS = {"cpu": 2048, "cuda": 8192}
"""Memory rows read at once."""
TILE_QUERIES = {"cpu": 512, "cuda": 8192}
"""Queries scored against one memory block at once: on a processor a tile of scores is 4 MB and stays in its cache (a
sixth faster than tiles of 64 MB)."""
LEAST_EXPONENT = -60.0
"""Weights below e^-60 of the largest are raised to it: invisible in a float32 sum, but exp is fifteen times
slower on x86 when its result is a denormal."""


def exact(
    queries: Float[Tensor, "queries dim"], memory: RowSource, temperature: float, values: RowSource | None = None
) -> Float[Tensor, "queries value_dim"]:
    """Pseudo counterparts of the queries over the whole memory, which is read once; unit rows.

    With ``values``, rows that correspond to the memory's, the mean is taken of those instead.
    """
    running = OnlineSoftmax.empty(len(queries), (values or memory).dim, queries.device)
    for keys, averaged in memory_blocks(memory, values, queries.device):
        for tile in _tiles(queries):
            running.add(tile, (queries[tile] / temperature) @ keys.T, averaged)
    return running.mean()


@dataclass
class OnlineSoftmax:
    """A softmax-weighted mean of rows that arrive in any order: its running peak, mass and weighted sum.

    ``peak`` and ``mass`` are ``(queries, 1)``, ``total`` is ``(queries, dim)``; scores may be shifted by the peak
    at any time without changing the result.
    """

    peak: Float[Tensor, "queries 1"]
    mass: Float[Tensor, "queries 1"]
    total: Float[Tensor, "queries dim"]

    @classmethod
    def empty(cls, queries: int, dim: int, device: torch.device) -> OnlineSoftmax:
        """The mean before any row."""
        zero = torch.zeros(queries, 1, device=device)
        total = torch.zeros(queries, dim, device=device)
        return cls(torch.full_like(zero, -torch.inf), zero, total)

    def add(self, rows: slice, scores: Float[Tensor, "tile block"], values: Float[Tensor, "block dim"]) -> None:
        """Add a memory block to the means of some of the queries. Overwrites ``scores``."""
        peak = torch.maximum(self.peak[rows], scores.amax(1, keepdim=True))
        shrink = (self.peak[rows] - peak).exp()
        weights = scores.sub_(peak).clamp_(min=LEAST_EXPONENT).exp_()
        self.peak[rows] = peak
        self.mass[rows] = self.mass[rows] * shrink + weights.sum(1, keepdim=True)
        self.total[rows] = (self.total[rows] * shrink).addmm_(weights, values)

    def mean(self) -> Float[Tensor, "queries dim"]:
        """The weighted mean as unit rows."""
        return functional.normalize(self.total, dim=-1)


def memory_blocks(
    memory: RowSource, values: RowSource | None, device: torch.device
) -> Iterator[tuple[Float[Tensor, "block dim"], Float[Tensor, "block value_dim"]]]:
    """Blocks of the memory with the corresponding blocks of the values, by default the memory itself."""
    if values is None:
        yield from ((block, block) for block in blocks(memory, MEMORY_ROWS[device.type], device))
        return
    yield from zip(
        blocks(memory, MEMORY_ROWS[device.type], device), blocks(values, MEMORY_ROWS[device.type], device), strict=True
    )


def _tiles(queries: Float[Tensor, "queries dim"]) -> Iterator[slice]:
    step = TILE_QUERIES[queries.device.type]
    for start in range(0, len(queries), step):
        yield slice(start, min(start + step, len(queries)))


@dataclass(frozen=True)
class MemoryMatch:
    """How well a memory matches a sample of queries, each ``(sample,)``.

    ``effective_neighbours`` is 1/Σw² of the softmax weights, ``top_cosine`` the cosine to the nearest memory row.
    """

    effective_neighbours: Float[Tensor, " sample"]
    top_cosine: Float[Tensor, " sample"]


def match_memory(queries: Float[Tensor, "sample dim"], memory: RowSource, temperature: float) -> MemoryMatch:
    """Measure how well a memory matches a sample of queries, in one pass over it."""
    logs = torch.full((2, len(queries)), -torch.inf, device=queries.device)
    top = torch.full((len(queries),), -torch.inf, device=queries.device)
    for block in blocks(memory, MEMORY_ROWS[queries.device.type], queries.device):
        cosines = queries @ block.T
        top = torch.maximum(top, cosines.amax(1))
        scores = cosines / temperature
        here = torch.stack((scores.logsumexp(1), (2 * scores).logsumexp(1)))
        logs = torch.logaddexp(logs, here)
    return MemoryMatch((2 * logs[0] - logs[1]).exp(), top)
