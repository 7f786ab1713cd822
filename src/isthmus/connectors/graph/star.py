"""A star: the base space stays as it is, and leaves are mapped into it one by one (Ex-MCR, Zhang et al., 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress
from isthmus.base.space_names import require_leaf_name
from isthmus.connectors.config import ExmcrConfig
from isthmus.connectors.connect import connect
from isthmus.connectors.graph.overlap_tree import Edge, EmbeddingSet, by_space, overlap_tree
from isthmus.connectors.graph.space_graph import SpaceGraph
from isthmus.connectors.overlap.materials import memories_of
from isthmus.embeddings import Embeddings


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
    force: bool = False,
) -> SpaceGraph:
    """Map every space into the base (by default the first set's), each through its largest overlap.

    With ``onto``, the new spaces are added to that star; its other legs stay as they are. The fit of a leaf depends
    on its own set and its parent's, never on other leaves. Raises as `connect` and `overlap_tree`.
    """
    named = by_space(sets)
    graph = onto or SpaceGraph("star", base or next(iter(named)), (), {})
    for edge in _new_edges(named, graph, base, config):
        graph = graph.with_leaf(
            connect(
                _side(named[edge.parent], edge.overlap),
                _side(named[edge.leaf], edge.overlap),
                overlap=edge.overlap,
                method=config,
                seed=seed,
                device=device,
                checkpoint=None if checkpoint is None else _checkpoint_of(checkpoint, edge.leaf),
                progress=progress,
                force=force,
            )
        )
    return graph


def _new_edges(sets: dict[str, EmbeddingSet], graph: SpaceGraph, base: str | None, config: ExmcrConfig) -> list[Edge]:
    """The edges to leaves that the star lacks, checked before anything is trained."""
    if graph.kind != "star":
        raise IsthmusError("a joint space depends on every space in it: connect all sets again, or add to a star")
    if base is not None and base != graph.base:
        raise IsthmusError(f"the star's base is {graph.base!r}, not {base!r}: leave --base-space out")
    if config.base != "left":
        raise IsthmusError("--base right is for two spaces: name the base of a star with --base-space")
    root = next((space for space in graph.spaces if space in sets), None)
    if root is None:
        raise IsthmusError(
            f"none of the sets ({', '.join(sets)}) is of a space in this star ({', '.join(graph.spaces)}): "
            "choose its base with --base-space, or pass the parent's set too"
        )
    edges = overlap_tree(sets, root, graph.spaces)
    if not edges:
        raise IsthmusError(
            f"the star already has the space of every set ({', '.join(graph.spaces)}): pass a set of a new space"
        )
    for edge in edges:
        require_leaf_name(edge.leaf)
    return edges


def _checkpoint_of(checkpoint: Path, leaf: str) -> Path:
    """A separate file for the training of each leaf."""
    plain = "".join(letter if letter.isalnum() else "_" for letter in leaf)
    return checkpoint.with_name(f"{plain}.{checkpoint.name}")


def _side(own: EmbeddingSet, overlap: str) -> dict[str, Embeddings]:
    return {overlap: own[overlap], **{memory.modality: memory for memory in memories_of(own, overlap)[:1]}}
