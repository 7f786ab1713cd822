"""A modality gap of a chosen size."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.worlds.world import Gallery, World

Rows = Float32[np.ndarray, "rows dim"]
Offset = Callable[[Rows], Rows]


def with_gap(world: World, gap: float) -> World:
    """The world with the means of the two modalities of each space ``gap`` apart (about 0.8 in CLIP).

    All rows of a modality move by the same map: memories, texts, pairs and galleries. See `gap_offsets`.
    """
    if not 0 < gap < 1.5:
        raise IsthmusError(f"gap is {gap}: give a distance above 0 and below 1.5")
    (image,) = set(world.left) - {world.overlap}
    (audio,) = set(world.right) - {world.overlap}
    left_text, left = gap_offsets(world.left[world.overlap].vectors, world.left[image].vectors, gap, "left")
    right_text, right = gap_offsets(world.right[world.overlap].vectors, world.right[audio].vectors, gap, "right")
    return replace(
        world,
        left={world.overlap: _moved(world.left[world.overlap], left_text), image: _moved(world.left[image], left)},
        right={world.overlap: _moved(world.right[world.overlap], right_text), audio: _moved(world.right[audio], right)},
        galleries={
            name: Gallery(_moved(g.left, left), _moved(g.right, right), g.left_concepts, g.right_concepts)
            for name, g in world.galleries.items()
        },
        pairs=world.pairs and (_moved(world.pairs[0], left), _moved(world.pairs[1], right)),
    )


def _moved(rows: Embeddings, offset: Offset) -> Embeddings:
    return Embeddings.from_array(offset(rows.vectors), modality=rows.modality, space=rows.space, ids=rows.ids)


def gap_offsets(texts: Rows, items: Rows, gap: float, name: str) -> tuple[Offset, Offset]:
    """How to move texts and items so that their means lie ``gap`` apart: one map for each.

    Texts become normalize(x + s u), items normalize(x − s u). The unit direction u follows from ``name`` and
    is made orthogonal to the gap already there; s is found by bisection on the rows given.
    """
    before = texts.mean(0) - items.mean(0)
    direction = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(texts.shape[1])
    direction -= before * (direction @ before) / max(float(before @ before), 1e-12)
    unit = (direction / np.linalg.norm(direction)).astype(np.float32)

    def moved(rows: Rows, amount: float) -> Rows:
        shifted = rows + np.float32(amount) * unit
        return np.asarray(shifted / np.linalg.norm(shifted, axis=1, keepdims=True), dtype=np.float32)

    low, high = 0.0, 10.0
    for _ in range(40):
        middle = (low + high) / 2
        reached = np.linalg.norm(moved(texts, middle).mean(0) - moved(items, -middle).mean(0))
        low, high = (middle, high) if reached < gap else (low, middle)
    return lambda rows: moved(rows, low), lambda rows: moved(rows, -low)
