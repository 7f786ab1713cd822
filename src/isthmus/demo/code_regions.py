"""Regions of codes: connected places of each code in items, for crops and snippets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from isthmus.embeddings.tokens import Tokens
from isthmus.localize import touching

LEAST_TOKENS = 2
"""Connected tokens of one code that make a region."""
TYPICAL = 0.75


@dataclass(frozen=True)
class CodeRegion:
    """The smallest place around connected tokens of one code in an item: a box, or start and end."""

    item: str
    place: Float[np.ndarray, " sides"]
    size: int


def code_regions(tokens: Tokens, codes: Int[np.ndarray, " tokens"]) -> Mapping[int, Sequence[CodeRegion]]:
    """The largest region of each code in each item that has one, by code.

    First come those of a size that a quarter of them exceed: the very largest ones often cover two things side by side.

    Args:
        tokens: Tokens of the items.
        codes: The code of each token.
    """
    found: dict[int, list[CodeRegion]] = {}
    for row, item in enumerate(tokens.ids):
        own = slice(tokens.offsets[row], tokens.offsets[row + 1])
        places, used = tokens.places[own], codes[own]
        for code in np.unique(used).tolist():
            region = _largest(item, places[used == code])
            if region.size >= LEAST_TOKENS:
                found.setdefault(code, []).append(region)
    return {code: _typical_first(own) for code, own in found.items()}


def _typical_first(regions: Sequence[CodeRegion]) -> list[CodeRegion]:
    typical = np.quantile([region.size for region in regions], TYPICAL)
    return sorted(regions, key=lambda region: abs(region.size - typical))


def _largest(item: str, places: Float[np.ndarray, "uses sides"]) -> CodeRegion:
    touches, left = touching(places), np.ones(len(places), bool)
    largest = np.zeros(len(places), bool)
    while left.sum() > largest.sum():
        inside = _connected(touches, int(left.argmax()))
        left &= ~inside
        largest = max(largest, inside, key=np.sum)
    axes = places.shape[1] // 2
    edges = places[largest]
    return CodeRegion(item, np.concatenate([edges[:, :axes].min(0), edges[:, axes:].max(0)]), int(largest.sum()))


def _connected(touches: Bool[np.ndarray, "uses uses"], start: int) -> Bool[np.ndarray, " uses"]:
    """Everything that is connected with the place ``start``."""
    inside = np.arange(len(touches)) == start
    while (grown := touches[inside].any(0)).sum() > inside.sum():
        inside = grown
    return inside
