"""Regions: the place in an item where heat is high, a box in pixels or a span of seconds or characters."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

NEAR = 1e-3
"""Places with a gap smaller than this touch."""
LEAST_HEAT = 0.25
"""Lowest heat within a region: 0 is the item's median, 1 its maximum. Chosen on dev (docs/decisions.md)."""


def peak(heat: Float[np.ndarray, " tokens"], places: Float[np.ndarray, "tokens sides"]) -> Float[np.ndarray, " axes"]:
    """The centre of the token with the highest heat: (x, y) of a box, or one point of a span."""
    highest = places[int(heat.argmax())]
    axes = len(highest) // 2
    return (highest[:axes] + highest[axes:]) / 2


def touching(places: Float[np.ndarray, "tokens sides"]) -> Bool[np.ndarray, "tokens tokens"]:
    """Whether each two places share at least a corner; every place touches itself."""
    axes = places.shape[1] // 2
    reaches = places[:, None, :axes] <= places[None, :, axes:] + NEAR
    return np.asarray((reaches & reaches.swapaxes(0, 1)).all(axis=2))


def region(
    heat: Float[np.ndarray, " tokens"],
    places: Float[np.ndarray, "tokens sides"],
    touches: Bool[np.ndarray, "tokens tokens"],
    least: float,
) -> Float[np.ndarray, " sides"]:
    """The smallest place around the token with the highest heat and all connected tokens of at least heat ``least``.

    ``touches`` are the direct connections, as `touching` computes them. ``least`` is relative: 0 is the item's median
    heat, 1 its highest.

    Example:
        >>> spans = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
        >>> region(np.array([0.0, 0.8, 1.0]), spans, touching(spans), least=0.0).tolist()
        [1.0, 3.0]
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
