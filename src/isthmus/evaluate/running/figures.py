"""Figures of one view: scores per query, and their means with confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from isthmus.metrics.bootstrap import bootstrap_intervals

NOT_SHARES = ("median_rank",)
"""Figures that are no shares in [0, 1]."""


@dataclass(frozen=True)
class Subset:
    """The figures of one view of a task.

    Attributes:
        name: The view, or "default".
        figures: Shares in [0, 1] by dotted name, like ``image_to_audio.r1``; of both directions, ``r1``.
        intervals: 95 % confidence intervals of figures that are means over queries: low and high.
        facts: Spaces and revisions, numbers of queries and items.
    """

    name: str
    figures: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    facts: Mapping[str, Any] = field(default_factory=dict)


def intervals_of(
    scores: Mapping[str, Float[np.ndarray, " queries"]], groups: Sequence[str] | None = None
) -> dict[str, tuple[float, float]]:
    """Bootstrap intervals of the means of per-query scores; empty if there are fewer than two independent queries.

    ``groups`` names what each query belongs to, such as the clip of a caption: whole groups are drawn.
    """
    first = next(iter(scores.values()))
    if len(first) < 2 or (groups is not None and len(set(groups)) < 2):
        return {}
    found = bootstrap_intervals(scores, groups=groups)
    return {name: (own.low, own.high) for name, own in found.items()}
