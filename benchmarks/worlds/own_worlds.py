"""Worlds of vectors of your own: every .npz file of a folder, in one of two layouts.

*Two spaces over the same things*: ``<modality>_a`` and ``<modality>_b`` for two modalities, all with one row per thing,
as in miniclip.npz. 80 % of the things connect, once by each modality, and the rest are scored.

*Two spaces that share one modality*: ``overlap_left`` and ``overlap_right``, row by row; ``memory_left`` and
``memory_right``, unpaired; ``gallery_left`` and ``gallery_right``, row by row, or with ``label_left`` and
``label_right``, whose equal values are counterparts; optionally ``pairs_left`` and ``pairs_right``, row by row, for the
oracle.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from worlds.real import DRAWN_NAMES, aligned, embedded, opened
from worlds.real_world import RealWorld

PARTS = ("overlap", "memory", "gallery")
OPTIONAL = ("label", "pairs")
LEFT_RIGHT = ("left", "right")


def own_worlds(folder: Path, seed: int) -> Iterator[RealWorld]:
    """Every world of a folder, one draw; raises `IsthmusError` for a file in neither layout."""
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise IsthmusError(f"{folder}: has no .npz file: benchmarks/worlds/own_worlds.py says what to put there")
    for path in paths:
        with np.load(path, allow_pickle=False) as data:
            names = set(data.files)
        modalities = sorted({name[:-2] for name in names if name.endswith(("_a", "_b"))})
        if len(modalities) == 2 and names == {f"{modality}_{space}" for modality in modalities for space in "ab"}:
            yield aligned(path, seed, modalities[0], modalities[1])
            yield aligned(path, seed, modalities[1], modalities[0])
        else:
            yield sharing_one(path, seed)


def sharing_one(path: Path, seed: int) -> RealWorld:
    """The world of a file in the second layout. Each draw but the first takes 80 % of the overlap rows."""
    data = _checked(path)
    rows = np.arange(len(data["overlap_left"]))
    if seed:
        rows = np.random.default_rng(seed).permutation(rows)[: int(DRAWN_NAMES * len(rows))]

    def both(part: str, modality: str = "") -> tuple[Embeddings, Embeddings]:
        left, right = (
            embedded(vectors, modality or f"{side}-items", f"{path.stem} {side}", np.arange(len(vectors)))
            for side in LEFT_RIGHT
            for vectors in [data[f"{part}_{side}"]]
        )
        return left, right

    labelled = "label_left" in data
    names = [data[f"label_{side}"] if labelled else np.arange(len(data[f"gallery_{side}"])) for side in LEFT_RIGHT]
    relevant = names[0][:, None] == names[1][None]
    if not relevant.any():
        raise IsthmusError(f"{path}: label_left and label_right share no label: no item has a counterpart")
    sides = [
        {"shared": overlap.take(rows), memory.modality: memory}
        for overlap, memory in zip(both("overlap", "shared"), both("memory"), strict=True)
    ]
    return RealWorld(
        path.stem,
        path.stem,
        (sides[0], sides[1]),
        *both("gallery"),
        relevant=relevant,
        metric="map" if labelled else "r10",
        pairs=both("pairs") if "pairs_left" in data else None,
        classes=names[1] if labelled else None,
    )


def _checked(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file in the second layout, of which those that correspond have the same length."""
    with np.load(path, allow_pickle=False) as found:
        given = [part for part in OPTIONAL if f"{part}_left" in found.files]
    data = opened(path, [f"{part}_{side}" for part in (*PARTS, *given) for side in LEFT_RIGHT])
    same = [("overlap_left", "overlap_right")]
    same += [("pairs_left", "pairs_right")] if "pairs" in given else []
    labels = [(f"gallery_{side}", f"label_{side}") for side in LEFT_RIGHT]
    for one, other in same + (labels if "label" in given else [("gallery_left", "gallery_right")]):
        if len(data[one]) != len(data[other]):
            raise IsthmusError(
                f"{path}: {one} has {len(data[one])} rows and {other} {len(data[other])}: give them row by row"
            )
    return data
