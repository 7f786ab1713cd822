"""`connect_graph`: connects more than two spaces, as a star or in a new joint space, depending on the method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.base.devices import checked_device
from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress, begin, reporting
from isthmus.connectors.config import (
    AutoConfig,
    CcaConfig,
    ExmcrConfig,
    MethodConfig,
    method_config,
    method_name,
)
from isthmus.connectors.graph.joint import fit_joint
from isthmus.connectors.graph.overlap_tree import EmbeddingSet
from isthmus.connectors.graph.space_graph import SpaceGraph
from isthmus.connectors.graph.star import fit_star
from isthmus.connectors.trust.scores import scores_of
from isthmus.embeddings import Embeddings


def connect_graph(
    sets: Sequence[EmbeddingSet],
    *,
    method: str | MethodConfig = "auto",
    config: MethodConfig | None = None,
    base: str | None = None,
    onto: SpaceGraph | None = None,
    seed: int = 0,
    device: str | None = None,
    checkpoint: str | Path | None = None,
    progress: bool | OnProgress = False,
    force: bool = False,
    **options: Any,
) -> SpaceGraph:
    """Connect several spaces through the modalities they share two by two, with no pairs of other modalities.

    Overlaps are matched by id: two sets are connected through a modality of which they share at least 10 ids.

    Args:
        sets: Embeddings by modality, one mapping for each space, as `open_set` returns.
        method: ``"exmcr"`` gives a star, which keeps the space ``base`` and maps the others into it (Extending
            Multi-modal Contrastive Representations, Zhang et al., NeurIPS 2024). ``"cca"`` gives a new joint space by
            one closed form, ``"auto"`` by a blend of several.
        config: The method's config, such as `ExmcrConfig`; pass either a config or options.
        base: Name of the base space; by default that of the first set.
        onto: A star to which the new spaces of the sets are added.
        seed: The same seed on the same machine gives the same graph.
        device: Device on which ``exmcr`` trains; by default a GPU if there is one.
        checkpoint: File from which interrupted training continues; each leaf has its own, with its name in front.
        progress: True for a bar on stderr, or a function that is called with every `Progress`.
        force: Connect also if the rows of an overlap agree no better than shuffled ids, with a warning.
        **options: Options of the method, as for `connect`.

    Returns:
        The graph, which projects embeddings of every set into its joint space.

    Raises:
        IsthmusError: A space shares no modality with the others, the method connects two spaces only, or an option is
            unknown.

    Example:
        >>> import isthmus, numpy as np
        >>> draw = np.random.default_rng(0)
        >>> meaning = draw.standard_normal((40, 4))
        >>> def rows(modality, space):
        ...     vectors = meaning @ draw.standard_normal((4, 6))
        ...     return isthmus.Embeddings.from_array(vectors, modality=modality, space=space, ids=range(40))
        >>> pairs = [("text", "image"), ("text", "audio"), ("image", "points")]
        >>> sets = [{name: rows(name, space) for name in pair} for space, pair in zip(["clip", "clap", "ulip"], pairs)]
        >>> isthmus.connect_graph(sets, method="cca")
        SpaceGraph(joint around 'clip': clip, clap, ulip)
    """
    asked = method_config(method, options, config)
    checked_device(device)
    fewest = 1 if onto else 2
    if len(sets) < fewest:
        raise IsthmusError(f"expected at least {fewest} embedding sets, got {len(sets)}")
    where = None if checkpoint is None else Path(checkpoint)
    with reporting(progress) as report:
        match asked:
            case ExmcrConfig():
                graph = fit_star(
                    sets,
                    asked,
                    base=base,
                    onto=onto,
                    seed=seed,
                    device=device,
                    checkpoint=where,
                    progress=report,
                    force=force,
                )
            case AutoConfig() | CcaConfig() if onto is None:
                graph = fit_joint(sets, _joint_config(asked), base=base, seed=seed, force=force)
            case _ if onto is not None:
                raise IsthmusError(f"method {method_name(asked)} cannot add to a star: use exmcr")
            case _:
                name = method_name(asked)
                raise IsthmusError(f"method {name} connects two spaces: for more use exmcr (a star), auto or cca")
        begin("scores of unrelated items")
        known = [own for one in sets for own in one.values() if len(own) and _projects(graph, own)]
        new = scores_of(graph.project, known)
        return replace(graph, scores=graph.scores.joined(graph.projected_space, new))


def _joint_config(asked: AutoConfig | CcaConfig) -> CcaConfig | None:
    """The config of a joint space; None for `auto`."""
    if isinstance(asked, CcaConfig):
        if asked.right_penalty is not None:
            raise IsthmusError("--right-penalty is for two spaces: use --penalty, which applies to all")
        return asked
    if asked != AutoConfig():
        raise IsthmusError("auto has no options for more than two spaces: leave them out, or use cca")
    return None


def _projects(graph: SpaceGraph, own: Embeddings) -> bool:
    """Whether the graph knows the modality: a star's leaf knows its overlap and one memory."""
    try:
        graph.project(own.take(np.arange(1)))
    except IsthmusError:
        return False
    return True
