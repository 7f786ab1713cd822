"""Overlaps: which spaces share which modality, and the tree of overlaps that reaches every space from one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings

EmbeddingSet = Mapping[str, Embeddings]
Sets = Mapping[str, EmbeddingSet]
"""Embedding sets by the name of their space."""
FEWEST_SHARED = 10


@dataclass(frozen=True)
class Edge:
    """A space reached from its parent through a modality both have; ``rows`` items of it are known in both."""

    parent: str
    leaf: str
    overlap: str
    rows: int


def by_space(sets: Sequence[EmbeddingSet]) -> dict[str, EmbeddingSet]:
    """Sets by the name of their space. Raises `IsthmusError` where a set is empty, mixes spaces, or two share one."""
    found: dict[str, EmbeddingSet] = {}
    for own in sets:
        spaces = {embeddings.space for embeddings in own.values()}
        if len(spaces) != 1:
            raise IsthmusError(f"a set holds the spaces {sorted(spaces)}: each must be of one space")
        space = spaces.pop()
        if space in found:
            raise IsthmusError(f"two sets are of the space {space!r}: put their modalities into one")
        found[space] = own
    return found


def overlap_tree(sets: Sets, base: str, known: Sequence[str] = ()) -> list[Edge]:
    """How every space is reached from ``base``, parents before their leaves: at each step the largest overlap.

    ``known`` spaces are reached already. Raises `IsthmusError` naming a space that shares no modality with others.
    """
    if base not in sets:
        raise IsthmusError(f"the base {base!r} is none of the spaces {', '.join(sets)}")
    reached, found = list(dict.fromkeys([base, *known])), []
    waiting = [space for space in sets if space not in reached]
    while waiting:
        edges = [
            edge for parent in reached if parent in sets for leaf in waiting for edge in _edges(sets, parent, leaf)
        ]
        if not edges:
            raise IsthmusError(
                f"the space {waiting[0]!r} shares no modality with {', '.join(reached)} in which {FEWEST_SHARED} ids "
                "are the same: embed the same texts (or pictures) in both"
            )
        best = max(edges, key=lambda edge: (edge.rows, -waiting.index(edge.leaf)))
        found.append(best)
        reached.append(best.leaf)
        waiting.remove(best.leaf)
    return found


def _edges(sets: Sets, parent: str, leaf: str) -> list[Edge]:
    shared = [(modality, _shared(sets[parent], sets[leaf], modality)) for modality in sets[parent]]
    return [Edge(parent, leaf, modality, rows) for modality, rows in shared if rows >= FEWEST_SHARED]


def _shared(left: EmbeddingSet, right: EmbeddingSet, modality: str) -> int:
    if modality not in right:
        return 0
    if left[modality].ids == right[modality].ids:
        return len(left[modality])
    return len(set(left[modality].ids) & set(right[modality].ids))


def aligned(sets: Sets, edge: Edge, most: int) -> tuple[Embeddings, Embeddings]:
    """The overlap's rows in both spaces, row by row one item; ``most`` of them, evenly spaced."""
    parent, leaf = sets[edge.parent][edge.overlap], sets[edge.leaf][edge.overlap]
    row_of = {name: row for row, name in enumerate(leaf.ids)}
    pairs = np.array([(row, row_of[name]) for row, name in enumerate(parent.ids) if name in row_of])
    spaced = pairs[np.linspace(0, len(pairs) - 1, min(most, len(pairs))).astype(np.int64)]
    return parent.take(spaced[:, 0]), leaf.take(spaced[:, 1])


def with_memory(own: EmbeddingSet, overlap: str) -> dict[str, Embeddings]:
    """What `connect` takes of a set: the overlap, and of its other modalities the one with most items."""
    others = [embeddings for modality, embeddings in own.items() if modality != overlap]
    memory = max(others, key=len, default=None)
    return {overlap: own[overlap], **({} if memory is None else {memory.modality: memory})}
