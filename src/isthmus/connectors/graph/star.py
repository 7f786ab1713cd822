"""A star: one base space that stays as it is, and leaves mapped into it one by one (Ex-MCR, papers A)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress
from isthmus.connectors.config import ExmcrConfig
from isthmus.connectors.connect import connect
from isthmus.connectors.graph.overlap_tree import Edge, EmbeddingSet, by_space, overlap_tree, with_memory
from isthmus.connectors.graph.space_graph import SpaceGraph


def fit_star(
    sets: Sequence[EmbeddingSet],
    config: ExmcrConfig,
    *,
    base: str | None = None,
    onto: SpaceGraph | None = None,
    seed: int = 0,
    device: str | None = None,
    checkpoint: Path | None = None,
    progress: bool | OnProgress = False,
) -> SpaceGraph:
    """Map every space into the base (by default the first set's), each through its largest overlap.

    With ``onto`` the sets' new spaces are added to that star; its other legs stay as they are. A leaf's fit depends
    on its parent's set and its own, never on other leaves. Raises as `connect` and `overlap_tree`.
    """
    named = by_space(sets)
    graph = onto or SpaceGraph("star", base or next(iter(named)), (), {})
    for edge in _new_edges(named, graph, base, config):
        graph = graph.with_leaf(
            connect(
                *_sides(named, edge),
                overlap=edge.overlap,
                method=config,
                seed=seed,
                device=device,
                checkpoint=None if checkpoint is None else _checkpoint_of(checkpoint, edge.leaf),
                progress=progress,
            )
        )
    return graph


def _new_edges(sets: dict[str, EmbeddingSet], graph: SpaceGraph, base: str | None, config: ExmcrConfig) -> list[Edge]:
    """The edges to leaves the star lacks, checked before anything is trained."""
    if graph.kind != "star":
        raise IsthmusError("a joint space changes with every space it joins: connect all sets anew, or add to a star")
    if base is not None and base != graph.base:
        raise IsthmusError(f"the star's base is {graph.base!r}, not {base!r}: leave --base-space out")
    if config.base != "left":
        raise IsthmusError("option base is right: in a star the base is named with --base-space")
    root = next((space for space in graph.spaces if space in sets), None)
    if root is None:
        raise IsthmusError(
            f"none of the sets ({', '.join(sets)}) is of a space of the star ({', '.join(graph.spaces)}): "
            "name its base with --base-space, or give the parent's set too"
        )
    edges = overlap_tree(sets, root, graph.spaces)
    if not edges:
        raise IsthmusError(f"every set is of a space the star has already ({', '.join(graph.spaces)})")
    return edges


def _checkpoint_of(checkpoint: Path, leaf: str) -> Path:
    """A file of its own for each leaf's training."""
    plain = "".join(letter if letter.isalnum() else "_" for letter in leaf)
    return checkpoint.with_name(f"{plain}.{checkpoint.name}")


def _sides(sets: dict[str, EmbeddingSet], edge: Edge) -> tuple[EmbeddingSet, EmbeddingSet]:
    return with_memory(sets[edge.parent], edge.overlap), with_memory(sets[edge.leaf], edge.overlap)
