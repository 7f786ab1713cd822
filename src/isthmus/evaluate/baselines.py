"""Baselines: chaining through the nearest text, below a connector; training on true pairs, above it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
from jaxtyping import Float

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress
from isthmus.connectors.config import CcaConfig, CmcrConfig
from isthmus.connectors.connector import Connector
from isthmus.connectors.methods.cmcr import fit_cmcr
from isthmus.connectors.methods.linear import fit_linear
from isthmus.connectors.overlap.materials import Materials, Side, assemble
from isthmus.embeddings import Embeddings
from isthmus.evaluate.matchers import Matcher, ScoreBlocks, query_blocks
from isthmus.worlds.world import World

Crossing = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Query rows, the texts of their space and those texts' twins, to rows of the other space."""


def chain(world: World) -> Matcher:
    """Query to the nearest text of its own space, that text's twin in the other space, twin to the items by cosine."""
    return _chained(world, _nearest_twin)


def soft_chain(world: World, temperature: float = 0.01) -> Matcher:
    """As `chain`, with all texts weighted by ``softmax(cosine / temperature)`` in place of the nearest one."""

    def mean_twin(rows: np.ndarray, texts: np.ndarray, twins: np.ndarray) -> np.ndarray:
        cosines = rows @ texts.T
        weights = np.exp((cosines - cosines.max(1, keepdims=True)) / temperature)
        mean = (weights / weights.sum(1, keepdims=True)) @ twins
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    return _chained(world, mean_twin)


def fit_oracle(
    world: World, config: CmcrConfig | CcaConfig, *, seed: int, progress: bool | OnProgress = False
) -> Connector:
    """A connector fitted to the world's true pairs: what the same projectors reach where nothing is missing.

    The pairs take the place of the overlap and there is no memory, so nothing is drawn from one.
    Raises `IsthmusError` where the world has no pairs.
    """
    if world.pairs is None:
        raise IsthmusError(f"world {world.name!r} has no true pairs: the paired oracle cannot be trained")
    left, right = world.pairs
    materials = Materials(Side(left, None), Side(right, None))
    if isinstance(config, CmcrConfig):
        member = fit_cmcr(materials, config, seed=seed, progress=progress)
    else:
        member = fit_linear(materials, config)
    return Connector(
        left_space=left.space,
        right_space=right.space,
        overlap=world.overlap,
        members=(member,),
        weights=(1.0,),
        config={"method": "oracle", "seed": seed, **asdict(config)},
    )


def _chained(world: World, cross: Crossing) -> Matcher:
    materials = assemble(world.left, world.right, world.overlap)
    texts = {side.space: side.overlap for side in (materials.left, materials.right)}

    def match(queries: Embeddings, items: Embeddings) -> ScoreBlocks:
        own, twins = texts[queries.space].vectors, texts[items.space].vectors
        for rows in query_blocks(queries, max(len(own), len(items))):
            yield cross(rows, own, twins) @ items.vectors.T

    return match


def _nearest_twin(
    rows: Float[np.ndarray, "rows dim"], texts: Float[np.ndarray, "texts dim"], twins: Float[np.ndarray, "texts other"]
) -> Float[np.ndarray, "rows other"]:
    return twins[(rows @ texts.T).argmax(1)]
