"""CSLS: cross-domain similarity local scaling (Conneau et al., 2018), which takes from hubs what they get unearned."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

NEIGHBOURS = 10


def mean_nearest(
    rows: Float[Tensor, "rows dim"], others: Float[Tensor, "others dim"], neighbours: int = NEIGHBOURS
) -> Float[Tensor, " rows"]:
    """Mean cosine of each row to its nearest rows on the other side: the r of CSLS."""
    return (rows @ others.T).topk(min(neighbours, len(others)), dim=1).values.mean(1)


def csls_scores(
    cosines: Float[Tensor, "queries items"],
    queries_nearest: Float[Tensor, " queries"],
    items_nearest: Float[Tensor, " items"],
) -> Float[Tensor, "queries items"]:
    """``2 cos(q, x) - r(q) - r(x)``."""
    return 2 * cosines - queries_nearest[:, None] - items_nearest[None, :]
