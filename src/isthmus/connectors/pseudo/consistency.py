"""Semantic consistency (C-MCR, step 1): the pseudo counterpart of each overlap row in an unpaired memory.

``v_i = normalize(Σ_k softmax_k(<t_i, v_k>/τ1) v_k)``. `exact` weighs every memory row; `lists` weighs only the rows of
the lists that matter. `prepare` chooses between them and measures the error of lists first.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import begin
from isthmus.connectors.config import ConsistencyConfig
from isthmus.connectors.overlap.rows import RowSource, blocks, evenly_spaced, named
from isthmus.connectors.pseudo.exact import exact
from isthmus.connectors.pseudo.lists import Lists, build_lists, least_share_for, mean_over_lists

LOG = logging.getLogger(__name__)
QUERY_ROWS = {"cpu": 16_384, "cuda": 2**22}
"""Queries answered in one pass over the memory: on a processor reading and converting a memory row is then less than a
thousandth of the arithmetic on it; on a GPU, to which rows travel over a slow bus, one pass or two answer all."""
SAMPLE_QUERIES = 256
"""Queries on which the error is measured."""
METRIC_QUERIES = 16_384
"""Queries whose second moment is the metric of the lists."""
MANY_SCORES = 10**10
"""Scores from which "auto" takes `lists`: exact needs about three minutes for them in 512 dimensions on two cores."""


@dataclass(frozen=True)
class Consistency:
    """Semantic consistency with one memory, ready to answer queries.

    ``lists`` is the memory sorted for `lists`; ``None`` if the answers are exact. ``error`` is the mean of 1 - cosine
    to the exact answers over a sample of queries.
    """

    memory: RowSource
    values: RowSource | None
    temperature: float
    lists: Lists | None
    least_share: float
    error: float

    @property
    def method(self) -> str:
        """ "exact" or "lists"."""
        return "exact" if self.lists is None else "lists"

    @property
    def dim(self) -> int:
        """Columns of the answers."""
        return (self.values or self.memory).dim

    def __call__(self, queries: Float[Tensor, "queries dim"]) -> Float[Tensor, "queries value_dim"]:
        """Pseudo counterparts of the queries; unit rows."""
        if self.lists is None:
            return exact(queries, self.memory, self.temperature, self.values)
        return mean_over_lists(queries, self.lists, self.temperature, self.least_share)


def prepare(
    queries: RowSource,
    memory: RowSource,
    config: ConsistencyConfig,
    *,
    values: RowSource | None = None,
    device: torch.device,
) -> Consistency:
    """Prepare a memory for queries; with ``values``, rows that correspond to the memory's, answers are means of those.

    The method "auto" sorts the memory into lists if exact answers would take minutes on a processor. If the lists do
    not pay, the answers are exact. The log says which method was taken and its error. Raises `IsthmusError` for an
    empty memory.
    """
    if len(memory) == 0:
        raise IsthmusError("the memory has no rows: leave it out, or add rows to it")
    temperature = config.temperature
    plain = Consistency(memory, values, temperature, None, 0.0, 0.0)
    many = device.type == "cpu" and len(queries) * len(memory) > MANY_SCORES
    if config.method == "exact" or (config.method == "auto" and not many):
        return plain
    begin(f"reading {named(memory)}")
    sample = evenly_spaced(queries, SAMPLE_QUERIES, device)
    lists = build_lists(memory, evenly_spaced(queries, METRIC_QUERIES, device), values, seed=config.seed)
    begin(f"measuring lists of {named(memory)}")
    expected = exact(sample, memory, temperature, values)
    share, error = least_share_for(config.tolerance, sample, expected, lists, temperature)
    if error > config.tolerance:
        LOG.info("pseudo pairs: exact over %d rows, lists would not pay", len(memory))
        return plain
    LOG.info("pseudo pairs: lists over %d rows, mean cosine error %.1e on %d queries", len(memory), error, len(sample))
    return replace(plain, lists=lists, least_share=share, error=error)


@dataclass(frozen=True)
class PseudoRows:
    """The pseudo counterparts of a source's rows, as a source: computed block by block when read."""

    queries: RowSource
    consistency: Consistency
    device: torch.device

    @property
    def dim(self) -> int:
        """Columns of every row."""
        return self.consistency.dim

    def __len__(self) -> int:
        return len(self.queries)

    def batches(self, rows: int) -> Iterator[np.ndarray]:
        """Consecutive float32 blocks of at most ``rows`` rows."""
        for block in blocks(self.queries, QUERY_ROWS[self.device.type], self.device):
            for part in self.consistency(block).cpu().split(rows):
                yield part.numpy()


def pseudo_rows(
    queries: RowSource,
    memory: RowSource,
    config: ConsistencyConfig,
    *,
    values: RowSource | None = None,
    device: torch.device,
) -> PseudoRows:
    """Pseudo counterparts of every query, as `prepare` answers them."""
    return PseudoRows(queries, prepare(queries, memory, config, values=values, device=device), device)
