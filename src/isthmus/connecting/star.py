"""A star: one base space that stays as it is, and leaves mapped into it one by one (Ex-MCR, papers A)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isthmus.connecting.config import ExmcrConfig
from isthmus.connecting.connect import connect
from isthmus.connecting.overlaps import Edge, EmbeddingSet, by_space, overlap_tree, with_memory
from isthmus.connecting.progress import OnProgress
from isthmus.connecting.space_graph import SpaceGraph
from isthmus.errors import IsthmusError


def fit_star(
    sets: Sequence[EmbeddingSet],
    config: ExmcrConfig,
    *,
    base: str | None = None,
    onto: SpaceGraph | None = None,
    seed: int = 0,
    device: str | None = None,
    checkpoint: Path | None = None,
    progress: OnProgress | None = None,
) -> SpaceGraph:
    """Map every space into the base (by default the first set's), each through its largest overlap.

    With ``onto`` the sets' new spaces are added to that star; its other legs stay as they are. A leaf's fit depends
    on its parent's set and its own, never on other leaves. Raises as `connect` and `overlap_tree`.
    """
    named = by_space(sets)
    graph = onto or SpaceGraph("star", base or next(iter(named)), ())
    root = next((space for space in graph.spaces if space in named), None)
    if root is None:
        raise IsthmusError(
            f"none of the sets is of a space of the star ({', '.join(graph.spaces)}): give the parent's too"
        )
    if config.base != "left":
        raise IsthmusError("option base is right: in a star the base is named with --base-space")
    for edge in overlap_tree(named, root, graph.spaces):
        part = None if checkpoint is None else checkpoint.with_name(f"{edge.leaf.replace(':', '_')}.{checkpoint.name}")
        graph = graph.with_leaf(
            connect(
                *_sides(named, edge),
                overlap=edge.overlap,
                method=config,
                seed=seed,
                device=device,
                checkpoint=part,
                progress=progress,
            )
        )
    return graph


def _sides(sets: dict[str, EmbeddingSet], edge: Edge) -> tuple[EmbeddingSet, EmbeddingSet]:
    return with_memory(sets[edge.parent], edge.overlap), with_memory(sets[edge.leaf], edge.overlap)
