"""Regions: from a heat over tokens to the place it points at, a box in pixels or a span of seconds or characters."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

NEAR = 1e-3
"""Places that leave less than this between them touch."""
LEAST_HEAT = 0.25
"""Where regions end, as a share of the way from median to highest heat; chosen on dev (docs/decisions.md)."""


def peak(heat: Float[np.ndarray, " tokens"], places: Float[np.ndarray, "tokens sides"]) -> Float[np.ndarray, " axes"]:
    """The middle of the hottest token: (x, y) of a box, or one point of a span."""
    hottest = places[int(heat.argmax())]
    axes = len(hottest) // 2
    return (hottest[:axes] + hottest[axes:]) / 2


def touching(places: Float[np.ndarray, "tokens sides"]) -> Bool[np.ndarray, "tokens tokens"]:
    """Which places share an edge, a corner or more; each touches itself."""
    axes = places.shape[1] // 2
    reaches = places[:, None, :axes] <= places[None, :, axes:] + NEAR
    return np.asarray((reaches & reaches.swapaxes(0, 1)).all(axis=2))


def region(
    heat: Float[np.ndarray, " tokens"],
    places: Float[np.ndarray, "tokens sides"],
    touches: Bool[np.ndarray, "tokens tokens"],
    least: float,
) -> Float[np.ndarray, " sides"]:
    """The smallest place around the hottest token and all that are connected to it and hotter than ``least``.

    ``touches`` says which tokens are connected directly, as `touching` does. ``least`` is a share of the way from the
    item's median heat to its highest.
    """
    hot = heat >= np.median(heat) + least * (heat.max() - np.median(heat))
    inside = np.arange(len(heat)) == heat.argmax()
    while (grown := hot & touches[inside].any(0)).sum() > inside.sum():
        inside = grown
    axes = places.shape[1] // 2
    return np.concatenate([places[inside, :axes].min(0), places[inside, axes:].max(0)])


def overlap(found: Float[np.ndarray, " sides"], true: Float[np.ndarray, " sides"]) -> float:
    """Intersection over union of two boxes or spans."""
    axes = len(found) // 2
    common = np.minimum(found[axes:], true[axes:]) - np.maximum(found[:axes], true[:axes])
    shared = float(np.prod(np.clip(common, 0, None)))
    sizes = float(np.prod(found[axes:] - found[:axes]) + np.prod(true[axes:] - true[:axes]))
    return shared / (sizes - shared)
