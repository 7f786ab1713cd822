"""Baselines: chaining through texts, a lower reference for connectors, and fitting to true pairs, an upper one."""

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
"""Maps query rows, the texts of their space and the texts' counterparts to rows of the other space."""


def chain(world: World) -> Matcher:
    """Match through the nearest text: query to text, to the text's counterpart, to items by cosine.

    Args:
        world: The world whose overlap is chained through.

    Returns:
        A matcher between the two unshared modalities, in both directions.

    Example:
        >>> import numpy as np
        >>> from isthmus import Embeddings
        >>> from isthmus.evaluate import chain
        >>> from isthmus.worlds.world import World
        >>> def rows(modality, space, vectors):
        ...     ids = range(len(vectors))  # text i of both spaces is the same
        ...     return Embeddings.from_array(np.array(vectors, float), modality=modality, space=space, ids=ids)
        >>> images, audio = rows("image", "clip", [[1, 0.1], [1, 0.2]] * 5), rows("audio", "clap", [[1, 0], [0, 1]] * 5)
        >>> left = {"text": rows("text", "clip", [[1, 0], [0, 1]]), "image": images}
        >>> right = {"text": rows("text", "clap", [[0, 1], [1, 0]]), "audio": audio}
        >>> match = chain(World("two texts", "text", left, right, galleries={}))
        >>> np.concatenate(list(match(images, audio)))[0, :2].tolist()
        [0.0, 1.0]
    """
    return _chained(world, _nearest_counterpart)


def soft_chain(world: World, temperature: float = 0.01) -> Matcher:
    """Match through all texts: as `chain`, with texts weighted by ``softmax(cosine / temperature)``.

    Args:
        world: The world whose overlap is chained through.
        temperature: Temperature of the softmax over texts.

    Returns:
        A matcher between the two unshared modalities, in both directions.
    """

    def mean_counterpart(rows: np.ndarray, texts: np.ndarray, counterparts: np.ndarray) -> np.ndarray:
        cosines = rows @ texts.T
        weights = np.exp((cosines - cosines.max(1, keepdims=True)) / temperature)
        mean = (weights / weights.sum(1, keepdims=True)) @ counterparts
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    return _chained(world, mean_counterpart)


def fit_oracle(
    world: World, config: CmcrConfig | CcaConfig, *, seed: int, progress: bool | OnProgress = False
) -> Connector:
    """Fit a connector to the world's true pairs: what the same projectors reach if nothing is missing.

    The pairs replace the overlap, and there are no memories.

    Args:
        world: A world with true pairs.
        config: The projectors and how they are fitted.
        seed: Seed of initialisation, batches and noise.
        progress: True shows a bar on stderr; a callable gets every `Progress`.

    Returns:
        A connector of the world's two spaces, without a report.

    Raises:
        IsthmusError: The world has no pairs.
    """
    if world.pairs is None:
        raise IsthmusError(f"world {world.name!r} has no true pairs: the paired oracle cannot be fitted")
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
        for side in (queries, items):
            if side.space not in texts:
                raise IsthmusError(f"{side.modality} vectors are in space {side.space!r}, not in {' or '.join(texts)}")
        own, counterparts = texts[queries.space].vectors, texts[items.space].vectors
        for rows in query_blocks(queries, max(len(own), len(items))):
            yield cross(rows, own, counterparts) @ items.vectors.T

    return match


def _nearest_counterpart(
    rows: Float[np.ndarray, "rows dim"],
    texts: Float[np.ndarray, "texts dim"],
    counterparts: Float[np.ndarray, "texts other"],
) -> Float[np.ndarray, "rows other"]:
    return counterparts[(rows @ texts.T).argmax(1)]
