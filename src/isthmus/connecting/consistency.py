"""Semantic consistency (papers A.1): each overlap row's pseudo counterpart in an unpaired memory.

``v_i = normalize(Σ_k softmax_k(<t_i, v_k>/τ1) v_k)``. `exact` weighs every memory row, block by block with an
online softmax, so that neither the memory nor a score matrix is ever held whole. `top_k` (see `lists`) weighs the
rows of the nearest lists only. `pseudo_pairs` chooses between them and measures what came out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from isthmus.connecting.batches import RowSource, blocks, evenly_spaced
from isthmus.connecting.config import ConsistencyConfig
from isthmus.errors import IsthmusError

QUERY_ROWS = 8192
"""Queries answered in one pass over the memory: reading and converting a memory row is then a thousandth of the
arithmetic on it."""
MEMORY_ROWS = 8192
"""Memory rows read at once."""
SAMPLE_QUERIES = 256
"""Queries on which error and coverage are measured."""
LEAST_EXPONENT = -60.0
"""Weights below e^-60 of the largest are raised to it: invisible in a float32 sum, but exp of what underflows to a
denormal takes fifteen times as long on x86."""
TILE_QUERIES = 2048
"""Queries scored against one memory block at once: a tile of scores is 64 MB."""


@dataclass
class OnlineSoftmax:
    """A softmax-weighted mean of rows that come in any order: its running peak, mass and weighted sum.

    ``peak`` and ``mass`` are ``(queries, 1)``, ``total`` is ``(queries, dim)``; scores may be shifted by the peak
    at any time without changing the result.
    """

    peak: Float[Tensor, "queries 1"]
    mass: Float[Tensor, "queries 1"]
    total: Float[Tensor, "queries dim"]

    @classmethod
    def empty(cls, queries: int, dim: int, device: torch.device) -> OnlineSoftmax:
        """Nothing seen yet."""
        zero = torch.zeros(queries, 1, device=device)
        total = torch.zeros(queries, dim, device=device)
        return cls(torch.full_like(zero, -torch.inf), zero, total)

    def add(self, rows: slice, scores: Float[Tensor, "tile block"], values: Float[Tensor, "block dim"]) -> None:
        """Take a memory block into account for some of the queries. Overwrites ``scores``."""
        peak = torch.maximum(self.peak[rows], scores.amax(1, keepdim=True))
        shrink = (self.peak[rows] - peak).exp()
        weights = scores.sub_(peak).clamp_(min=LEAST_EXPONENT).exp_()
        self.peak[rows] = peak
        self.mass[rows] = self.mass[rows] * shrink + weights.sum(1, keepdim=True)
        self.total[rows] = (self.total[rows] * shrink).addmm_(weights, values)

    def mean(self) -> Float[Tensor, "queries dim"]:
        """The weighted mean, renormalised."""
        return functional.normalize(self.total, dim=-1)


def exact(
    queries: Float[Tensor, "queries dim"], memory: RowSource, temperature: float, values: RowSource | None = None
) -> Float[Tensor, "queries value_dim"]:
    """Pseudo counterparts of the queries over the whole memory, read once; unit rows.

    ``values`` are rows that stand beside the memory's, to be averaged in their stead.
    """
    running = OnlineSoftmax.empty(len(queries), (values or memory).dim, queries.device)
    for keys, averaged in memory_blocks(memory, values, queries.device):
        for tile in _tiles(len(queries)):
            running.add(tile, (queries[tile] / temperature) @ keys.T, averaged)
    return running.mean()


def memory_blocks(
    memory: RowSource, values: RowSource | None, device: torch.device
) -> Iterator[tuple[Float[Tensor, "block dim"], Float[Tensor, "block value_dim"]]]:
    """Blocks of the memory beside those of the values, which by default are the memory itself."""
    if values is None:
        yield from ((block, block) for block in blocks(memory, MEMORY_ROWS, device))
        return
    yield from zip(blocks(memory, MEMORY_ROWS, device), blocks(values, MEMORY_ROWS, device), strict=True)


@dataclass(frozen=True)
class Coverage:
    """How a memory answers a sample of queries, each ``(sample,)``.

    ``effective_neighbours`` is 1/Σw² of the softmax weights, ``top_cosine`` the cosine to the nearest memory row.
    """

    effective_neighbours: Float[Tensor, " sample"]
    top_cosine: Float[Tensor, " sample"]


def coverage(queries: Float[Tensor, "sample dim"], memory: RowSource, temperature: float) -> Coverage:
    """Measure a memory on a sample of queries, in one pass over it."""
    logs = torch.full((2, len(queries)), -torch.inf, device=queries.device)
    top = torch.full((len(queries),), -torch.inf, device=queries.device)
    for block in blocks(memory, MEMORY_ROWS, queries.device):
        cosines = queries @ block.T
        top = torch.maximum(top, cosines.amax(1))
        scores = cosines / temperature
        here = torch.stack((scores.logsumexp(1), (2 * scores).logsumexp(1)))
        logs = torch.logaddexp(logs, here)
    return Coverage((2 * logs[0] - logs[1]).exp(), top)


@dataclass(frozen=True)
class PseudoPairs:
    """Pseudo counterparts of every query, and what was measured on a sample of them.

    ``error`` is the mean of 1 - cosine between the vectors and the exact ones; 0 where the method is exact.
    """

    vectors: Float[Tensor, "queries dim"]
    method: str
    error: float
    coverage: Coverage


def pseudo_pairs(
    queries: RowSource,
    memory: RowSource,
    config: ConsistencyConfig,
    *,
    values: RowSource | None = None,
    device: torch.device,
) -> PseudoPairs:
    """Each query's pseudo counterpart in a memory; with ``values``, in the rows that stand beside the memory's.

    Raises `IsthmusError` for an empty memory.
    """
    if len(memory) == 0:
        raise IsthmusError("the memory has no rows: leave it out, or add rows to it")
    temperature = config.temperature
    answers = [exact(block, memory, temperature, values) for block in blocks(queries, QUERY_ROWS, device)]
    sample = evenly_spaced(queries, SAMPLE_QUERIES, device)
    return PseudoPairs(torch.cat(answers), "exact", 0.0, coverage(sample, memory, temperature))


def _tiles(queries: int) -> Iterator[slice]:
    for start in range(0, queries, TILE_QUERIES):
        yield slice(start, min(start + TILE_QUERIES, queries))
