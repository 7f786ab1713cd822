"""Regions: from a heat over tokens to the place it points at, a box in pixels or a span of seconds or characters."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

NEAR = 1e-3
"""Places that leave less than this between them touch."""


def peak(heat: Float[np.ndarray, " tokens"], places: Float[np.ndarray, "tokens sides"]) -> Float[np.ndarray, " axes"]:
    """The middle of the hottest token: (x, y) of a box, or one point of a span."""
    hottest = places[int(heat.argmax())]
    axes = len(hottest) // 2
    return (hottest[:axes] + hottest[axes:]) / 2


def region(
    heat: Float[np.ndarray, " tokens"], places: Float[np.ndarray, "tokens sides"], least: float
) -> Float[np.ndarray, " sides"]:
    """The smallest place around the hottest token and all that are connected to it and hotter than ``least``.

    Tokens are connected where their places touch. ``least`` is a share of the way from the item's median heat to its
    highest.
    """
    level = np.median(heat) + least * (heat.max() - np.median(heat))
    inside = _grown(int(heat.argmax()), heat >= level, places)
    axes = places.shape[1] // 2
    return np.concatenate([places[inside, :axes].min(0), places[inside, axes:].max(0)])


def _grown(
    seed: int, allowed: Bool[np.ndarray, " tokens"], places: Float[np.ndarray, "tokens sides"]
) -> Bool[np.ndarray, " tokens"]:
    """All allowed tokens that can be reached from one over touching places."""
    axes = places.shape[1] // 2
    inside = np.zeros(len(places), dtype=bool)
    inside[seed] = True
    edge = [seed]
    while edge:
        place = places[edge.pop()]
        touching = (places[:, :axes] <= place[axes:] + NEAR) & (places[:, axes:] >= place[:axes] - NEAR)
        fresh = np.flatnonzero(touching.all(1) & allowed & ~inside)
        inside[fresh] = True
        edge += fresh.tolist()
    return inside


def overlap(found: Float[np.ndarray, " sides"], true: Float[np.ndarray, " sides"]) -> float:
    """Intersection over union of two boxes or spans."""
    axes = len(found) // 2
    common = np.minimum(found[axes:], true[axes:]) - np.maximum(found[:axes], true[:axes])
    shared = float(np.prod(np.clip(common, 0, None)))
    sizes = float(np.prod(found[axes:] - found[:axes]) + np.prod(true[axes:] - true[:axes]))
    return shared / (sizes - shared)
