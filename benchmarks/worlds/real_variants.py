"""Worlds of real vectors in which one thing is wrong that real inputs often have, so that what is true stays known.

Each function takes a `RealWorld` and returns one whose name and ``change`` say what was done. Galleries keep their
items. Side 0 is the left side, 1 the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from sklearn.cluster import KMeans

from isthmus.embeddings import Embeddings
from worlds.real_world import RealWorld

TOPICS = 20
"""Clusters of a memory or of the texts."""
SIDES = ("left", "right")
Rows = Callable[[Embeddings], np.ndarray]
Change = Callable[[RealWorld, int], RealWorld]


def topics_dropped(world: RealWorld, seed: int, *, sides: tuple[int, ...], share: float) -> RealWorld:
    """Memories without the items of a share of their topics, which are clusters; texts and gallery still have them."""
    changed = {}
    for side in sides:
        memory = world.sides[side][world.scored(side)]
        topic = _topics(memory.vectors, seed)
        dropped = np.random.default_rng(seed).permutation(topic.max() + 1)[: round(share * (topic.max() + 1))]
        changed[side] = {world.scored(side): memory.take(np.flatnonzero(~np.isin(topic, dropped)))}
    whose = "both memories" if len(sides) > 1 else f"{SIDES[sides[0]]} memory"
    return _changed(world, f"{whose} without {share:.0%} of the topics", changed)


def other_content(world: RealWorld, seed: int) -> RealWorld:
    """Texts of one half of the topics, and memories of the other half: items whose nearest text is of that half."""
    texts = world.sides[0][world.overlap]
    topic = _topics(texts.vectors, seed)
    shown = np.isin(topic, np.random.default_rng(seed).permutation(topic.max() + 1)[: (topic.max() + 1) // 2])
    changed = {}
    for side, own in enumerate(world.sides):
        memory, overlap = own[world.scored(side)], own[world.overlap].select(texts.ids)
        nearest = (_centred(memory.vectors) @ _centred(overlap.vectors).T).argmax(1)
        changed[side] = {
            world.overlap: overlap.take(np.flatnonzero(~shown)),
            world.scored(side): memory.take(np.flatnonzero(shown[nearest])),
        }
    return _changed(world, "memories of other content", changed)


def ids_shuffled(world: RealWorld, seed: int, *, share: float) -> RealWorld:
    """Right overlap rows of which a share has the id of another one of the share."""
    texts = world.sides[1][world.overlap]
    draw = np.random.default_rng(seed)
    wrong = draw.permutation(len(texts))[: round(share * len(texts))]
    ids = list(texts.ids)
    for row, other in zip(wrong, np.roll(wrong, 1), strict=True):
        ids[row] = texts.ids[other]
    return _changed(world, f"{share:.0%} of ids wrong", {1: {world.overlap: _renamed(texts, ids)}})


def false_counterparts(world: RealWorld, seed: int) -> RealWorld:
    """Overlap rows of which the two sides have different halves, under the same ids."""
    left, right = (own[world.overlap] for own in world.sides)
    half = len(left) // 2
    chosen = np.random.default_rng(seed).permutation(len(left))
    kept, others = left.take(chosen[:half]), left.take(chosen[half : 2 * half])
    changed = {0: {world.overlap: kept}, 1: {world.overlap: _renamed(right.select(others.ids), kept.ids)}}
    return _changed(world, "texts of other items under the same ids", changed)


def reduced(world: RealWorld, *, side: int, rank: int) -> RealWorld:
    """A space in which each modality varies in a few directions only: the principal ones of its texts and memory.

    Each modality keeps its mean, so that the gap stays; the dimension stays.
    """
    own = world.sides[side]
    means = {modality: rows.vectors.mean(0) for modality, rows in own.items()}
    centred = np.concatenate([rows.vectors - means[modality] for modality, rows in own.items()])
    directions = np.linalg.svd(centred, full_matrices=False)[2][:rank]

    def projected(rows: Embeddings) -> np.ndarray:
        mean = means[rows.modality]
        return mean + (rows.vectors - mean) @ directions.T @ directions

    return _every_vector(world, f"{SIDES[side]} space of rank {rank}", {side: projected})


def quantised(world: RealWorld) -> RealWorld:
    """Every vector in int8, with a scale of its own."""

    def rounded(rows: Embeddings) -> np.ndarray:
        scale = np.abs(rows.vectors).max(1, keepdims=True) / 127
        return np.round(rows.vectors / scale).astype(np.int8) * scale

    return _every_vector(world, "int8", {0: rounded, 1: rounded})


CHANGES: tuple[Change, ...] = (
    lambda world, seed: topics_dropped(world, seed, sides=(0,), share=0.5),
    lambda world, seed: topics_dropped(world, seed, sides=(1,), share=0.5),
    lambda world, seed: topics_dropped(world, seed, sides=(0, 1), share=0.75),
    other_content,
    lambda world, seed: ids_shuffled(world, seed, share=0.2),
    lambda world, seed: ids_shuffled(world, seed, share=0.5),
    lambda world, seed: ids_shuffled(world, seed, share=1.0),
    false_counterparts,
    lambda world, seed: reduced(world, side=0, rank=10),
    lambda world, seed: reduced(world, side=0, rank=3),
    lambda world, seed: quantised(world),
)


def variants(world: RealWorld, seed: int) -> Iterator[RealWorld]:
    """The world with each change in turn."""
    for change in CHANGES:
        yield change(world, seed)


def _topics(vectors: np.ndarray, seed: int) -> np.ndarray:
    """The number of each row's cluster."""
    return KMeans(min(TOPICS, len(vectors)), n_init=1, random_state=seed).fit_predict(_centred(vectors))


def _centred(vectors: np.ndarray) -> np.ndarray:
    away = vectors - vectors.mean(0)
    return away / np.linalg.norm(away, axis=1, keepdims=True).clip(1e-12)


def _changed(world: RealWorld, change: str, replaced: dict[int, dict[str, Embeddings]]) -> RealWorld:
    left, right = ({**own, **replaced.get(side, {})} for side, own in enumerate(world.sides))
    whole = f"{world.change}, {change}" if world.change else change
    return replace(world, name=f"{world.name}, {change}", sides=(left, right), change=whole)


def _every_vector(world: RealWorld, change: str, made: dict[int, Rows]) -> RealWorld:
    """The world with all rows of the given sides mapped: overlap, memory, gallery and pairs."""

    def mapped(rows: Embeddings, side: int) -> Embeddings:
        return rows.with_vectors(made[side](rows), space=rows.space, normalize=True) if side in made else rows

    sides = {side: {name: mapped(rows, side) for name, rows in own.items()} for side, own in enumerate(world.sides)}
    pairs = (mapped(world.pairs[0], 0), mapped(world.pairs[1], 1)) if world.pairs else None
    gallery = {"left": mapped(world.left, 0), "right": mapped(world.right, 1)}
    return replace(_changed(world, change, sides), pairs=pairs, **gallery)


def _renamed(rows: Embeddings, ids: Sequence[str]) -> Embeddings:
    facts = {"modality": rows.modality, "space": rows.space}
    return Embeddings.from_array(rows.vectors, ids=ids, normalize=False, **facts)
