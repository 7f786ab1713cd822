"""A small synthetic world with true pairs."""

from dataclasses import replace

import numpy as np
import pytest

from isthmus.embeddings import Embeddings
from isthmus.worlds.world import Gallery, World

CONTENT = 6
DIMS = (10, 8)


@pytest.fixture
def world() -> World:
    draw = np.random.default_rng(0)
    maps = [draw.standard_normal((CONTENT, dim)) for dim in DIMS]

    def embed(content: np.ndarray, side: int, modality: str, start: int = 0) -> Embeddings:
        rows = content @ maps[side] + 0.1 * draw.standard_normal((len(content), DIMS[side]))
        ids = [f"{start + row}" for row in range(len(content))]
        return Embeddings.from_array(
            rows.astype(np.float32), modality=modality, space=("images", "sounds")[side], ids=ids
        )

    def content(count: int) -> np.ndarray:
        return draw.standard_normal((count, CONTENT))

    texts, test, pairs = content(200), content(40), content(300)
    concepts = np.arange(40) // 2
    gallery = Gallery(
        embed(test[concepts], 0, "image"), embed(test[concepts], 1, "audio"), concepts.copy(), concepts.copy()
    )
    return World(
        name="small",
        overlap="text",
        left={"text": embed(texts, 0, "text"), "image": embed(content(150), 0, "image")},
        right={"text": embed(texts, 1, "text"), "audio": embed(content(150), 1, "audio")},
        galleries={"seen": gallery},
        pairs=(embed(pairs, 0, "image"), embed(pairs, 1, "audio")),
    )


@pytest.fixture
def shuffled_world(world: World) -> World:
    """The same world with the right side's texts in another order, and one text that only it has."""
    texts = world.right["text"]
    order = np.random.default_rng(1).permutation(len(texts))
    return replace(world, right={**world.right, "text": texts.take(order)})
