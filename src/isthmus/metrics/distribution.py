"""The distribution of scores: percentiles, cut-offs, and an order that never saturates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float

from isthmus.base.errors import IsthmusError

BULK, STEPS = (0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1), (1, 2, 5)
CERTAIN = 100
"""Scores of the sample that must lie above a cut-off: their number then varies by a tenth between samples."""
TAIL = 10.0
"""The tail beyond the sample goes on as over its last decade."""
Scores = float | Float[np.ndarray, "*shape"]


@dataclass(frozen=True)
class ScoreDistribution:
    """A distribution of scores, known by some of its quantiles.

    Between two quantiles the log odds log(F / (1 − F)) of the share F of lower scores are linear in the score. Beyond
    the last one they continue with the slope of the last decade, which is an exponential tail.

    Args:
        scores: Rising quantiles.
        exceeded: The share of scores that are at least as high as each, falling, in (0, 1).
        sample: Number of scores they were computed from.

    Example:
        >>> import numpy as np
        >>> known = ScoreDistribution.of(np.random.default_rng(0).uniform(-1, 1, 100_000))
        >>> round(known.percentile(0.6), 2), round(known.cutoff(0.01), 2), known.smallest_rate
        (0.8, 0.98, 0.001)
    """

    scores: tuple[float, ...]
    exceeded: tuple[float, ...]
    sample: int

    def __post_init__(self) -> None:
        for values, name in ((self.scores, "scores"), (self.exceeded[::-1], "shares")):
            if len(values) < 2 or not all(low < high for low, high in pairwise(values)):
                raise ValueError(f"{name} {list(values)} of a distribution: expected two or more, each above the last")
        if len(self.scores) != len(self.exceeded) or not 0 < self.exceeded[-1] <= self.exceeded[0] < 1:
            raise ValueError(f"shares {list(self.exceeded)} of {len(self.scores)} scores: expected one each in (0, 1)")

    @classmethod
    def of(cls, scores: Float[np.ndarray, " sample"]) -> ScoreDistribution | None:
        """The distribution of a sample; None if its quantiles are all alike, or too few to tell."""
        found: dict[float, float] = {}
        rising = np.sort(scores)
        for share in _shares(len(scores)):
            found.setdefault(round(float(rising[round(len(scores) * (1 - share))]), 7), share)
        return cls(tuple(found), tuple(found.values()), len(scores)) if len(found) > 1 else None

    @property
    def smallest_rate(self) -> float:
        """The smallest false-positive rate for which the sample gives a cut-off."""
        return self.exceeded[-1]

    def log_odds(self, scores: Scores) -> Float[np.ndarray, "*shape"]:
        """The log odds that another score is lower; they rise with the score without end."""
        known, odds = np.array(self.scores), self._odds
        given = np.asarray(scores, dtype=np.float64)
        first = np.flatnonzero(np.array(self.exceeded) <= TAIL * self.exceeded[-1] * (1 + 1e-9))[0]
        first = min(first, len(known) - 2)
        low, high = ((odds[b] - odds[a]) / (known[b] - known[a]) for a, b in ((0, 1), (first, -1)))
        inside = np.interp(given, known, odds)
        below, above = np.minimum(given - known[0], 0), np.maximum(given - known[-1], 0)
        return np.asarray(inside + low * below + high * above)

    def percentile(self, scores: Scores) -> Scores:
        """The share of the distribution that is lower, in (0, 1)."""
        share = np.asarray(0.5 + 0.5 * np.tanh(self.log_odds(scores) / 2))
        return share if share.ndim else float(share)

    def cutoff(self, rate: float) -> float:
        """The score that a share ``rate`` of the distribution reaches.

        Raises `IsthmusError` if the rate is not below 1, or so small that the sample cannot tell.
        """
        if not self.smallest_rate <= rate < 1:
            raise IsthmusError(
                f"false-positive rate {rate}: {self.sample} scores of unrelated items give cut-offs for rates from "
                f"{self.smallest_rate:g} to below 1"
            )
        known, odds = np.array(self.scores), self._odds
        asked = np.log((1 - rate) / rate)
        slope = (odds[1] - odds[0]) / (known[1] - known[0])
        return float(np.interp(asked, odds, known) + min(asked - odds[0], 0) / slope)

    @property
    def _odds(self) -> Float[np.ndarray, " quantiles"]:
        exceeded = np.array(self.exceeded)
        return np.asarray(np.log((1 - exceeded) / exceeded))

    def as_dict(self) -> dict[str, Any]:
        """The distribution as plain data, for JSON."""
        return {"sample": self.sample, "scores": list(self.scores), "exceeded": list(self.exceeded)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ScoreDistribution:
        """The inverse of `as_dict`."""
        return cls(tuple(map(float, data["scores"])), tuple(map(float, data["exceeded"])), int(data["sample"]))


def _shares(sample: int) -> list[float]:
    """Falling shares of higher scores to take quantiles at: in steps of 1, 2, 5 as far as the sample reaches."""
    fewest = CERTAIN / max(1, sample)
    tail = [float(f"{step}e-{power}") for power in range(2, 9) for step in STEPS[::-1]]
    return [share for share in (*BULK, *tail) if fewest <= share <= 1 - fewest]
