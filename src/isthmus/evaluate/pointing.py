"""Localisation against the truth: does a query point at what it names, and how well does its region fit?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from isthmus.embeddings.tokens import Tokens
from isthmus.localize import agreement, lifted, peak, region, smoothed, touching
from isthmus.localize.regions import overlap
from isthmus.worlds.world import Regions


@dataclass(frozen=True)
class Pointing:
    """``hits``: share of queries whose peak lies in what they name; ``iou``: mean overlap of their regions with it.

    ``chance`` is the share of an item's tokens that would be hits; a query that misses has overlap 0.
    """

    hits: float
    iou: float
    chance: float
    queries: int


def pointing(
    log_codes: Float[np.ndarray, "tokens codes"],
    tokens: Tokens,
    regions: Sequence[Regions],
    queries: Float[np.ndarray, "labels codes"],
    least: float,
) -> Pointing:
    """Ask every item for each thing it shows, by that thing's distribution over codes.

    ``log_codes`` are the tokens' own; ``least`` is that of `isthmus.localize.region`.
    """
    found = []
    for row, truth in enumerate(regions):
        own = slice(tokens.offsets[row], tokens.offsets[row + 1])
        places = tokens.places[own]
        touches = touching(places)
        for label in np.unique(truth.labels):
            heat = smoothed(agreement(log_codes[own], queries[label]), touches)
            named = truth.places[truth.labels == label]
            at = peak(heat, places)
            found.append(_judged(at, region(heat, places, touches, least), places, named))
    hits, ious, chances = (np.mean(column) for column in zip(*found, strict=True))
    return Pointing(float(hits), float(ious), float(chances), len(found))


def label_queries(
    log_codes: Float[np.ndarray, "tokens codes"], labels: Int[np.ndarray, " tokens"], count: int
) -> Float[np.ndarray, "labels codes"]:
    """What a word, or a sound, stands for in codes: the mean distribution of the tokens of each label.

    Labels that no token shows stand for nothing in particular. All are `lifted` by how common each code is.
    """
    each = np.exp(log_codes)
    common = each.mean(0)
    means = np.stack([each[labels == label].mean(0) if (labels == label).any() else common for label in range(count)])
    return lifted(means, common)


def _judged(at: np.ndarray, box: np.ndarray, places: np.ndarray, named: np.ndarray) -> tuple[bool, float, float]:
    """Whether a point lies in what is named, how well a region fits the one it lies in, and the chance of a hit."""
    axes = len(at)
    hit = (named[:, :axes] <= at).all(1) & (at < named[:, axes:]).all(1)
    middles = (places[:, :axes] + places[:, axes:]) / 2
    right = ((named[:, None, :axes] <= middles) & (middles < named[:, None, axes:])).all(2).any(0)
    return bool(hit.any()), overlap(box, named[hit.argmax()]) if hit.any() else 0.0, float(right.mean())
