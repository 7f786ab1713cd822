"""Galleries: which sequences stand in one, to be matched across modalities."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from isthmus.worlds.digits.concepts import draw_distinct, near_misses

HARD_SHARE = 0.75
"""Share of a hard gallery's items that differ from another of its items by one digit or one swap."""
MISSES_EACH = 2
"""Near misses per sequence that has any."""


def draw_hard(
    concepts: Int[np.ndarray, " concepts"], count: int, rng: np.random.Generator
) -> Int[np.ndarray, " count"]:
    """Different sequences, three quarters of them in families: one and two of its near misses.

    All are among ``concepts``; near misses that are not, or that are there already, are drawn again.
    """
    families = round(count * HARD_SHARE / (1 + MISSES_EACH))
    loners_and_heads = draw_distinct(concepts, count - MISSES_EACH * families, rng)
    heads = loners_and_heads[:families]
    chosen = loners_and_heads
    while len(chosen) < count:
        misses = np.unique(near_misses(rng.permutation(heads), rng))
        new = rng.permutation(misses[np.isin(misses, concepts) & ~np.isin(misses, chosen)])
        chosen = np.concatenate([chosen, new[: count - len(chosen)]])
    return rng.permutation(chosen)
