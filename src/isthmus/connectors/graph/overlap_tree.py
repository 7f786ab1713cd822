"""Overlap tree: which spaces share which modality, and how every space is reached from one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.connectors.overlap.alignment import matching_rows
from isthmus.embeddings import Embeddings
from isthmus.embeddings.pairing import require_ids

EmbeddingSet = Mapping[str, Embeddings]
Sets = Mapping[str, EmbeddingSet]
"""Embedding sets by the name of their space."""
FEWEST_SHARED = 10


@dataclass(frozen=True)
class Edge:
    """A space and its parent, connected through a modality of both in which they share ``rows`` ids."""

    parent: str
    leaf: str
    overlap: str
    rows: int


def by_space(sets: Sequence[EmbeddingSet]) -> dict[str, EmbeddingSet]:
    """Sets by the name of their space, each ordered by modality, so that the order of its keys decides nothing.

    Raises `IsthmusError` if a set is not of one space, or two are of the same.
    """
    found: dict[str, EmbeddingSet] = {}
    for own in sets:
        wrong = next((key for key, rows in own.items() if rows.modality != key), None)
        if wrong is not None:
            raise IsthmusError(
                f"a set's {wrong!r} has rows of modality {own[wrong].modality!r}: make key and modality the same"
            )
        spaces = {embeddings.space for embeddings in own.values()}
        if len(spaces) != 1:
            raise IsthmusError(f"a set has embeddings of spaces {sorted(spaces)}: each set must be of one space")
        space = spaces.pop()
        if space in found:
            raise IsthmusError(f"two sets are of space {space!r}: merge them into one")
        found[space] = dict(sorted(own.items()))
    return found


def overlap_tree(sets: Sets, base: str, known: Sequence[str] = ()) -> list[Edge]:
    """The edges that reach every space from ``base``, parents first; each step takes the largest overlap.

    Equally large ones are ordered by the names of leaf, parent and modality. ``known`` spaces need no edge.
    Raises `IsthmusError` naming a space that shares no modality with the others.
    """
    if base not in sets:
        raise IsthmusError(f"base {base!r} is not one of the spaces: choose from {', '.join(sets)}")
    reached, found = list(dict.fromkeys([base, *known])), []
    waiting = [space for space in sets if space not in reached]
    while waiting:
        edges = [
            edge for parent in reached if parent in sets for leaf in waiting for edge in _edges(sets, parent, leaf)
        ]
        if not edges:
            require_ids(*(own for space in (waiting[0], *reached) for own in sets.get(space, {}).values()))
            raise IsthmusError(
                f"space {waiting[0]!r} shares no modality with {', '.join(reached)} (at least {FEWEST_SHARED} equal "
                "ids): embed the same texts or images in both"
            )
        best = min(edges, key=lambda edge: (-edge.rows, edge.leaf, edge.parent, edge.overlap))
        found.append(best)
        reached.append(best.leaf)
        waiting.remove(best.leaf)
    return found


def _edges(sets: Sets, parent: str, leaf: str) -> list[Edge]:
    left, right = sets[parent], sets[leaf]
    both = [name for name in left if name in right and not (left[name].numbered or right[name].numbered)]
    shared = {name: len(matching_rows(left[name].ids, right[name].ids)[0]) for name in both}
    return [Edge(parent, leaf, modality, rows) for modality, rows in shared.items() if rows >= FEWEST_SHARED]


def aligned(sets: Sets, edge: Edge, most: int) -> tuple[Embeddings, Embeddings]:
    """At most ``most`` rows of the overlap in both spaces, evenly spaced; row i of both is the same item."""
    parent, leaf = sets[edge.parent][edge.overlap], sets[edge.leaf][edge.overlap]
    parent_rows, leaf_rows = matching_rows(parent.ids, leaf.ids)
    spaced = np.linspace(0, len(parent_rows) - 1, min(most, len(parent_rows))).astype(np.int64)
    return parent.take(parent_rows[spaced]), leaf.take(leaf_rows[spaced])
