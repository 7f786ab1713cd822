"""Connect more than two spaces: the public function. Methods that keep a base give a star, others a joint space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress
from isthmus.connectors.config import AutoConfig, CcaConfig, ExmcrConfig, MethodConfig
from isthmus.connectors.connect import method_config, method_name
from isthmus.connectors.graph.joint import fit_joint
from isthmus.connectors.graph.overlap_tree import EmbeddingSet
from isthmus.connectors.graph.space_graph import SpaceGraph
from isthmus.connectors.graph.star import fit_star


def connect_graph(
    sets: Sequence[EmbeddingSet],
    *,
    method: str | MethodConfig = "auto",
    base: str | None = None,
    onto: SpaceGraph | None = None,
    seed: int = 0,
    device: str | None = None,
    checkpoint: Path | None = None,
    progress: bool | OnProgress = False,
    **options: Any,
) -> SpaceGraph:
    """Join several spaces through the modalities they share two by two, found by equal ids.

    ``exmcr`` keeps the space ``base`` (by default the first set's) and maps the others into it; ``onto`` is such a
    star, to which the sets' new spaces are added. ``cca`` makes one new joint space by one closed form, ``auto`` by a
    blend of several. ``options`` are the method's, as in `connect`.

    Raises `IsthmusError` where a space shares no modality with the others, and for methods that join two only.
    """
    config = method_config(method, options)
    if len(sets) < (1 if onto else 2):
        raise IsthmusError(f"{len(sets)} set of embeddings: give two or more")
    match config:
        case ExmcrConfig():
            return fit_star(
                sets, config, base=base, onto=onto, seed=seed, device=device, checkpoint=checkpoint, progress=progress
            )
        case AutoConfig() if onto is None:
            if config != AutoConfig():
                raise IsthmusError(
                    "auto has no options where more than two spaces are joined: leave them out, or take cca"
                )
            return fit_joint(sets, base=base, seed=seed)
        case CcaConfig() if onto is None:
            if config.right_penalty is not None:
                raise IsthmusError("option right-penalty is for two spaces: more have one penalty, --penalty")
            return fit_joint(sets, config, base=base, seed=seed)
    if onto is not None:
        raise IsthmusError(f"a star is added to by method exmcr, not {method_name(config)}")
    raise IsthmusError(f"method {method_name(config)} joins two spaces: for more take exmcr (a star), auto or cca")
