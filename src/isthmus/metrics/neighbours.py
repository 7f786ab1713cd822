"""Neighbours: whether a few items are everyone's nearest (hubs), and how often two items are each other's nearest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from isthmus.metrics.blocks import score_blocks


def hubness(scores: Float[np.ndarray, "queries items"], neighbours: int = 10) -> float:
    """Skewness of the number of queries that have an item among their nearest neighbours.

    ``E[(N - μ)³] / σ³`` for the counts N of all items: Radovanović et al., "Hubs in Space", JMLR 2010, equation 1.

    Args:
        scores: Scores of all queries and items; only their order within a query counts.
        neighbours: Number of nearest items per query.

    Returns:
        The skewness: 0 if all items are neighbours equally often, above 1 if there are hubs.

    Example:
        All three queries have the last item as their nearest.

        >>> import numpy as np
        >>> round(hubness(np.array([[0.1, 0.0, 0.9], [0.0, 0.1, 0.9], [0.2, 0.1, 0.9]]), neighbours=1), 3)
        0.707
    """
    nearest = np.argpartition(-scores, min(neighbours, scores.shape[1] - 1), axis=1)[:, :neighbours]
    occurrences = np.bincount(nearest.ravel(), minlength=scores.shape[1]).astype(np.float64)
    spread = occurrences.std()
    return float(((occurrences - occurrences.mean()) ** 3).mean() / spread**3) if spread > 0 else 0.0


def mutual_neighbour_rate(left: Float[np.ndarray, "left dim"], right: Float[np.ndarray, "right dim"]) -> float:
    """Share of rows that are the nearest neighbour of their own nearest neighbour, averaged over both sides.

    Scores are computed in blocks, so either side may be large.

    Args:
        left: Unit rows of one side.
        right: Unit rows of the other.

    Returns:
        The rate, in (0, 1].

    Example:
        The third row on the left is not the nearest of its nearest, so the rates are 2/3 and 1.

        >>> import numpy as np
        >>> left = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
        >>> round(mutual_neighbour_rate(left, np.eye(2)), 3)
        0.833
    """
    return sum(mutual_neighbour_rates(left, right)) / 2


def mutual_neighbour_rates(
    left: Float[np.ndarray, "left dim"], right: Float[np.ndarray, "right dim"]
) -> tuple[float, float]:
    """The two rates whose mean is `mutual_neighbour_rate`: that of the left rows, and that of the right rows.

    Args:
        left: Unit rows of one side.
        right: Unit rows of the other.

    Returns:
        The share of left rows, and of right rows, that are the nearest neighbour of their own nearest neighbour.

    Example:
        >>> import numpy as np
        >>> mutual_neighbour_rates(np.eye(2), np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]]))
        (1.0, 0.5)
    """
    forward = np.empty(len(left), np.int64)
    backward, best = np.zeros(len(right), np.int64), np.full(len(right), -np.inf, np.float32)
    columns = np.arange(len(right))
    for rows, scores in score_blocks(left, right):
        forward[rows] = scores.argmax(1)
        row = scores.argmax(0)
        better = scores[row, columns] > best
        backward[better] = row[better] + rows.start
        best[better] = scores[row, columns][better]
    there = (backward[forward] == np.arange(len(left))).mean()
    back = (forward[backward] == columns).mean()
    return float(there), float(back)


SIZES = (50, 100, 200, 400, 800)
DRAWS = 5
LEAST_RATE = 1e-3


@dataclass(frozen=True)
class ChanceNeighbours:
    """How often unrelated items are each other's nearest, by the sizes of both sides.

    That happens by chance, the more often the fewer queries and the more items there are. If rows had nothing in
    common, a share n / (n + m - 1) of m queries would have a mutual neighbour among n items.

    Args:
        sizes: Numbers of rows, rising.
        rates: Share of left rows that are the nearest neighbour of their nearest, (sizes, sizes), by left and right
            size.

    Example:
        >>> import numpy as np
        >>> draw = np.random.default_rng(0)
        >>> rows = [draw.standard_normal((400, 2000)) for _ in range(2)]
        >>> known = ChanceNeighbours.of(*(own / np.linalg.norm(own, axis=1, keepdims=True) for own in rows))
        >>> round(known.rate(200, 200), 1), round(known.rate(100, 900), 1)
        (0.5, 0.9)
    """

    sizes: tuple[int, ...]
    rates: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, left: Float[np.ndarray, "left dim"], right: Float[np.ndarray, "right dim"]) -> ChanceNeighbours | None:
        """Measure unit rows of unrelated items; None with fewer than 50 rows on a side."""
        sizes = tuple(size for size in SIZES if size <= min(len(left), len(right)))
        if not sizes:
            return None
        scores, draw = left @ right.T, np.random.default_rng(0)
        orders = [(draw.permutation(len(left)), draw.permutation(len(right))) for _ in range(DRAWS)]

        def rate(one: int, other: int) -> float:
            found = [_mutual(scores, first[:one], second[:other]) for first, second in orders]
            return round(float(np.mean(found)) / one, 4)

        return cls(sizes, tuple(tuple(rate(one, other) for other in sizes) for one in sizes))

    def rate(self, left: int, right: int) -> float:
        """The share of ``left`` rows that are the nearest neighbour of their nearest among ``right`` rows, by chance.

        Its log-odds are linear in the logarithms of both sizes between those measured; beyond them they go on with
        the ratio of the sizes, as they do for rows that have nothing in common.
        """
        logs = np.log(self.sizes)
        kept = np.clip(np.array(self.rates), LEAST_RATE, 1 - LEAST_RATE)
        odds = np.log(kept / (1 - kept))
        one, other = np.log(left), np.log(right)
        inside = np.interp(one, logs, [np.interp(other, logs, row) for row in odds])
        beyond = (other - np.clip(other, logs[0], logs[-1])) - (one - np.clip(one, logs[0], logs[-1]))
        return float(1 / (1 + np.exp(-inside - beyond)))

    def swapped(self) -> ChanceNeighbours:
        """The same with left and right exchanged: there are as many mutual pairs, as a share of the other side."""
        pairs = np.array(self.rates) * np.array(self.sizes)[:, None]
        return ChanceNeighbours(self.sizes, tuple(map(tuple, (pairs / np.array(self.sizes)).T.tolist())))

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {"sizes": list(self.sizes), "rates": [list(row) for row in self.rates]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ChanceNeighbours:
        """The inverse of `as_dict`."""
        return cls(tuple(map(int, data["sizes"])), tuple(tuple(map(float, row)) for row in data["rates"]))


def _mutual(
    scores: Float[np.ndarray, "left right"], left: Int[np.ndarray, " some"], right: Int[np.ndarray, " others"]
) -> int:
    """The number of mutual neighbours among some rows and columns."""
    part = scores[np.ix_(left, right)]
    return int((part.argmax(0)[part.argmax(1)] == np.arange(len(part))).sum())
