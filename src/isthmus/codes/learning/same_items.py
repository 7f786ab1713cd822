"""Items that show the same thing: equal ones, as repeated captions are, and those that known pairs join.

Two pairs that share such an item are not each other's negatives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.codes.learning.pairs import CHECKED_ITEMS, NEIGHBOUR, CodeItems, PairSource
from isthmus.embeddings.tokens import Tokens
from isthmus.training.repeats import equal_rows, linked_groups, repeating

Groups = Sequence[Int[Tensor, "sides pairs"] | None]
"""For each source, the group numbers of every pair's left and right item; ``None`` if none repeats."""
SAME_TOKENS = 1e-3
"""Distance of the means of two items' tokens, as a share of their length, up to which they are equal."""


def pair_groups(items: Mapping[str, CodeItems], sources: Sequence[PairSource]) -> Groups:
    """The groups of every pair's items.

    Items are of one group if they are equal or if true, own or overlap pairs join them. Neighbour pairs are guesses and
    join nothing: they would chain all items together.
    """
    first = dict(zip(items, np.cumsum([0, *map(len, items.values())]), strict=False))
    links = [np.stack((np.arange(len(own)), equal_items(own))) + first[name] for name, own in items.items()]
    for source in sources:
        if source.kind != NEIGHBOUR:
            links.append(np.stack((source.left_rows + first[source.left], source.right_rows + first[source.right])))
    group = linked_groups(np.concatenate(links, axis=1).T, sum(map(len, items.values())))
    sides = [
        np.stack((group[source.left_rows + first[source.left]], group[source.right_rows + first[source.right]]))
        for source in sources
    ]
    return [repeating(own) for own in sides]


def equal_items(items: CodeItems) -> Int[np.ndarray, " items"]:
    """For each item, the first one of equal vector and equal tokens, up to rounding; a model cannot tell them apart.

    Only the tokens of items whose vector repeats are read; they are compared by their number and mean.
    """
    first, counts = equal_rows(items.pooled.vectors), items.tokens.counts
    repeated = np.flatnonzero(first != np.arange(len(first)))
    for start in range(0, len(repeated), CHECKED_ITEMS):
        rows = repeated[start : start + CHECKED_ITEMS]
        mine, theirs = (_means(items.tokens, some) for some in (rows, first[rows]))
        near = np.linalg.norm(mine - theirs, axis=1) <= SAME_TOKENS * np.linalg.norm(mine, axis=1)
        other = rows[~near | (counts[rows] != counts[first[rows]])]
        first[other] = other
    return first


def _means(tokens: Tokens, rows: Int[np.ndarray, " items"]) -> Float[np.ndarray, "items dim"]:
    counts = tokens.counts[rows]
    return np.add.reduceat(tokens.rows(rows), np.cumsum(counts) - counts) / counts[:, None]
