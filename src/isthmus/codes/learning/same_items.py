"""Items that show the same thing: equal ones, as repeated captions are, and those that known pairs join.

Two pairs that share such an item are not each other's negatives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from isthmus.codes.learning.pairs import NEIGHBOUR, CodeItems, PairSource
from isthmus.training.repeats import equal_rows

SAME_TOKENS = 1e-3
"""Distance of the means of two items' tokens, as a share of their length, up to which they are equal."""


def pair_groups(
    items: Mapping[str, CodeItems], sources: Sequence[PairSource]
) -> list[Int[Tensor, "sides pairs"] | None]:
    """For each source, the group numbers of every pair's left and right item; ``None`` if none repeats.

    Items are of one group if they are equal or if true, own or overlap pairs join them. Neighbour pairs are guesses and
    join nothing: they would chain all items together.
    """
    first = dict(zip(items, np.cumsum([0, *map(len, items.values())]), strict=False))
    links = [np.stack((np.arange(len(own)), equal_items(own))) + first[name] for name, own in items.items()]
    for source in sources:
        if source.kind != NEIGHBOUR:
            links.append(np.stack((source.left_rows + first[source.left], source.right_rows + first[source.right])))
    one, other = np.concatenate(links, axis=1)
    count = sum(map(len, items.values()))
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(count, count))
    group = connected_components(graph, directed=False)[1].astype(np.int64)
    sides = [
        np.stack((group[source.left_rows + first[source.left]], group[source.right_rows + first[source.right]]))
        for source in sources
    ]
    return [torch.from_numpy(own) if _repeat(own) else None for own in sides]


def equal_items(items: CodeItems) -> Int[np.ndarray, " items"]:
    """For each item, the first one of equal vector and equal tokens, up to rounding; these a model cannot tell apart.

    Tokens are read only of items whose vector repeats, and compared by their number and mean.
    """
    first = equal_rows(items.pooled.vectors)
    for row in np.flatnonzero(first != np.arange(len(first))).tolist():
        if not _same_tokens(items, row, int(first[row])):
            first[row] = row
    return first


def _same_tokens(items: CodeItems, one: int, other: int) -> bool:
    if items.tokens.counts[one] != items.tokens.counts[other]:
        return False
    mine, theirs = (items.tokens.rows(np.array([row])).mean(0) for row in (one, other))
    return bool(np.linalg.norm(mine - theirs) <= SAME_TOKENS * np.linalg.norm(mine))


def _repeat(sides: Int[np.ndarray, "sides pairs"]) -> bool:
    return any(len(np.unique(side)) < len(side) for side in sides)
