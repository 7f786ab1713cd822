"""Localized: where a query was found in an item, with what score, and with what confidence that it is there at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from isthmus.localize.confidence import confidence
from isthmus.localize.parts import Parts
from isthmus.localize.regions import LEAST_HEAT, peak
from isthmus.metrics.boxes import SIZE


@dataclass(frozen=True)
class Localized:
    """Where a query is in an item. Places are in the item's unit: pixels, seconds or characters.

    Attributes:
        parts: The parts of the item that were compared with the query.
        heat: The heat of each part.
        regions: The regions with high heat, best first: left, top, right, bottom, or start and end.
        scores: The highest heat in each region.
        confidence: The share of unrelated queries with a lower score in this item; None if there were none.
    """

    parts: Parts
    heat: Float[np.ndarray, " parts"]
    regions: Float[np.ndarray, "regions sides"]
    scores: Float[np.ndarray, " regions"]
    confidence: float | None

    @property
    def score(self) -> float:
        """The highest heat."""
        return float(self.heat.max())

    @property
    def peak(self) -> Float[np.ndarray, " axes"]:
        """The middle of the part with the highest heat: (x, y), or one point of a span."""
        return peak(self.heat, self.parts.places)

    def heat_map(self, size: tuple[int, int] | None = None) -> Float[np.ndarray, "height width"]:
        """The heat of every pixel of an image, by default at its own size.

        Args:
            size: Rows and columns of the map; the image is scaled to it.

        Raises:
            IsthmusError: The item is not an image.
        """
        width, height = (*self.parts.extent, 0)[:2]
        return self.parts.heat_map(self.heat, size or (round(height), round(width)))

    def mask(self, size: tuple[int, int] = SIZE) -> Bool[np.ndarray, "height width"]:
        """What is predicted, for `isthmus.metrics.ciou`: the warmer half of a heat map, or the best window.

        Args:
            size: Rows and columns of the mask; the image is scaled to it.
        """
        return self.parts.mask(self.heat, size)


def localized(
    parts: Parts,
    query: Float[np.ndarray, " dim"],
    unrelated: Float[np.ndarray, "queries dim"] | None = None,
    least: float = LEAST_HEAT,
) -> Localized:
    """Find a query among the parts of an item; both come from one localizer.

    Args:
        parts: The item's parts.
        query: The query's row.
        unrelated: Rows of at least 20 other queries of the same modality, for the confidence.
        least: Lowest heat within a region: 0 is the item's median, 1 its highest.

    Raises:
        IsthmusError: There are too few unrelated queries.
    """
    heat = np.asarray(parts.rows @ query, np.float64)
    others = None if unrelated is None else (parts.rows @ unrelated.T).max(0)
    sure = None if others is None else confidence(float(heat.max()), np.asarray(others, np.float64))
    return Localized(parts, heat, *parts.regions(heat, least), sure)


def best_scores(
    parts: Sequence[Parts], queries: Float[np.ndarray, "queries dim"]
) -> Float[np.ndarray, "items queries"]:
    """The highest heat of every query in every item, for `pair_confidences`."""
    return np.stack([np.asarray((own.rows @ queries.T).max(0), np.float64) for own in parts])
