"""Bootstrap: how far the mean of per-query scores would move with other queries (Efron 1979, percentile interval)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from isthmus.base.errors import IsthmusError

BLOCK_BYTES = 64 * 2**20
"""Largest block of draws held at once."""


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval.

    Attributes:
        mean: Mean of the scores.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    mean: float
    low: float
    high: float


def bootstrap_intervals(
    scores: Mapping[str, Float[np.ndarray, " queries"]],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    groups: Sequence[str | int] | np.ndarray | None = None,
) -> dict[str, Interval]:
    """Confidence intervals of the means of per-query scores.

    Queries are drawn with replacement, as many as there are, and the interval runs between two quantiles of the means
    of the draws. All metrics are computed on the same draws, so their intervals can be compared.

    Args:
        scores: For each metric its score of every query, in any unit; the intervals have the same unit.
        level: Share of repeated experiments whose interval should contain the true mean, in (0, 1).
        resamples: How often the queries are drawn.
        seed: Seed of the draws; equal seeds give equal intervals.
        groups: One label per query, if some queries are not independent, such as five captions of one clip. Whole
            groups are then drawn instead of queries.

    Returns:
        The mean and the interval of each metric.

    Raises:
        IsthmusError: There are no metrics, fewer than two queries or groups, a score that is not finite, metrics of
            different lengths, or an option out of range.

    Example:
        >>> import numpy as np
        >>> found = bootstrap_intervals({"r1": np.array([1.0, 0.0] * 50), "mrr": np.array([1.0, 0.5] * 50)})
        >>> print({name: (own.mean, round(own.low, 2), round(own.high, 2)) for name, own in found.items()})
        {'r1': (0.5, 0.4, 0.6), 'mrr': (0.75, 0.7, 0.8)}
    """
    if not 0 < level < 1:
        raise IsthmusError(f"level must be between 0 and 1, got {level}: .95 is usual")
    if resamples < 1:
        raise IsthmusError(f"resamples must be at least 1, got {resamples}: 2000 are usual")
    table = _table(scores)
    units, sizes = _units(table, groups)
    draws = _times_drawn(len(units), resamples, np.random.default_rng(seed))
    means = np.concatenate([times @ units / (times @ sizes)[:, None] for times in draws])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return {name: Interval(*map(float, own)) for name, *own in zip(scores, table.mean(0), low, high, strict=True)}


def _table(scores: Mapping[str, Float[np.ndarray, " queries"]]) -> Float[np.ndarray, "queries metrics"]:
    """One column per metric. Raises `IsthmusError` for scores that have no interval."""
    if not scores:
        raise IsthmusError("there are no scores to draw from: pass at least one metric")
    columns = {name: np.asarray(own, np.float64) for name, own in scores.items()}
    first = next(iter(columns))
    for name, own in columns.items():
        if own.shape != (len(columns[first]),):
            raise IsthmusError(
                f"scores {name!r} have shape {own.shape}, {first!r} {columns[first].shape}: pass one score per query"
            )
        if not np.isfinite(own).all():
            raise IsthmusError(f"scores {name!r} have {np.sum(~np.isfinite(own))} that are not finite: leave them out")
    return np.stack(list(columns.values()), 1)


def _units(
    table: Float[np.ndarray, "queries metrics"], groups: Sequence[str | int] | np.ndarray | None
) -> tuple[Float[np.ndarray, "units metrics"], Float[np.ndarray, " units"]]:
    """The sums of the scores of each unit that is drawn, and how many queries it has."""
    if groups is not None and len(groups) != len(table):
        raise IsthmusError(f"{len(groups)} groups for {len(table)} queries: pass one label per query")
    number = np.arange(len(table)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    sizes = np.bincount(number).astype(np.float64)
    if len(sizes) < 2:
        kind = "query" if groups is None else "group of queries"
        raise IsthmusError(f"{len(sizes)} {kind} is too few for an interval: pass at least 2")
    sums = np.stack([np.bincount(number, weights=own) for own in table.T], 1)
    return sums, sizes


def _times_drawn(units: int, resamples: int, draw: np.random.Generator) -> Iterator[Float[np.ndarray, "block units"]]:
    """How often each resample has each unit, by blocks of resamples."""
    step = max(1, BLOCK_BYTES // (8 * units))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = draw.integers(units, size=(rows, units)) + units * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(np.float64)
