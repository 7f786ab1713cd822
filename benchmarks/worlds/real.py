"""Worlds of vectors that real encoders made, read from a folder that the project does not contain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from worlds.real_world import RealWorld

Pair = tuple[Embeddings, Embeddings]
CONNECTING = 0.8
"""Share of the things that connect; the others are scored."""
DRAWN_NAMES = 0.8
"""Share of the names that each draw but the first takes."""


def miniclip(folder: Path, seed: int, overlap: str = "text", texts: int | None = None) -> RealWorld:
    """Two image-text models over 1000 pictures and captions; captions or pictures connect, the others are scored."""
    world = aligned(folder / "miniclip.npz", seed, overlap, {"text": "image", "image": "text"}[overlap], texts)
    few = f", {texts} texts" if texts else ""
    return replace(world, name=f"miniclip by {'captions' if overlap == 'text' else 'pictures'}{few}")


def aligned(path: Path, seed: int, overlap: str, scored: str, rows: int | None = None) -> RealWorld:
    """Spaces "a" and "b" over the same things in two modalities: arrays such as ``image_a``, row by row.

    A share of `CONNECTING` connects, or the first ``rows`` of it, and is the shuffled memories; the rest is scored.
    """
    data = opened(path, [f"{modality}_{space}" for modality in (scored, overlap) for space in "ab"])
    things = len(data[f"{overlap}_a"])
    order = np.random.default_rng(seed).permutation(things)
    train, test = np.split(order, [int(CONNECTING * things)])
    draw, shared, sides = np.random.default_rng(100 + seed), train[:rows], []
    for space in "ab":
        memory = draw.permutation(train)
        sides.append(
            {
                overlap: embedded(data[f"{overlap}_{space}"][shared], overlap, space, shared),
                scored: embedded(data[f"{scored}_{space}"][memory], scored, space, memory),
            }
        )
    (left, right), pairs = (
        [embedded(data[f"{scored}_{space}"][part], scored, space, part) for space in "ab"] for part in (test, train)
    )
    return RealWorld(
        f"{path.stem} by {overlap}",
        path.stem,
        (sides[0], sides[1]),
        left,
        right,
        np.eye(len(test), dtype=bool),
        "r10",
        (pairs[0], pairs[1]),
        change="few texts" if rows else "",
    )


def animals(folder: Path, seed: int, *, scored_names: bool = False, texts: int | None = None) -> RealWorld:
    """Photographs and sounds of animals joined by names, with or without the names that are scored.

    The pairs for the oracle are a photograph and a sound of the same animal, out of the memories.
    """
    modalities = [f"{own}_{part}" for own in ("image", "audio") for part in ("memory", "memory_label", "test", "label")]
    found = opened(folder / "animals.npz", ["text_1", "text_2", "class_row", "image_is_cifar", *modalities])
    rows = np.arange(len(found["text_1"]))
    rows = rows if scored_names else np.setdiff1d(rows, found["class_row"])
    if seed:
        rows = np.random.default_rng(seed).permutation(rows)[: int(DRAWN_NAMES * len(rows))]
    if texts:
        rows = np.random.default_rng(50 + seed).permutation(rows)[:texts]
    memories = {
        modality: embedded(found[f"{modality}_memory"], modality, space, np.arange(len(found[f"{modality}_memory"])))
        for space, modality in (("photographs", "image"), ("sounds", "audio"))
    }
    sides = tuple(
        {"text": embedded(found[f"text_{number}"][rows], "text", memory.space, rows), modality: memory}
        for number, (modality, memory) in enumerate(memories.items(), start=1)
    )
    cifar = found["image_is_cifar"].astype(bool)
    labels, heard = found["image_label"][cifar], found["audio_label"]
    asked = np.isin(heard, labels)
    images, sounds = found["image_test"][cifar], found["audio_test"][asked]
    few = f", {texts} names" if texts else ""
    return RealWorld(
        f"animals {'with' if scored_names else 'without'} the scored names{few}",
        "animals",
        (sides[0], sides[1]),
        embedded(images, "image", "photographs", np.arange(len(images))),
        embedded(sounds, "audio", "sounds", np.arange(len(sounds))),
        labels[:, None] == heard[asked][None],
        "map",
        _of_one_class(tuple(memories.values()), (found["image_memory_label"], found["audio_memory_label"]), seed),
        heard[asked],
        change="few texts" if texts else "",
    )


def _of_one_class(memories: tuple[Embeddings, ...], labels: tuple[np.ndarray, np.ndarray], seed: int) -> Pair:
    """Each left item whose class the right side has, with a random right item of that class."""
    draw = np.random.default_rng(200 + seed)
    rows = np.flatnonzero(np.isin(*labels))
    others = np.array([draw.choice(np.flatnonzero(labels[1] == label)) for label in labels[0][rows]])
    left, right = (
        embedded(memory.vectors[chosen], memory.modality, memory.space, rows)
        for memory, chosen in zip(memories, (rows, others), strict=True)
    )
    return left, right


def real_worlds(folder: Path, seed: int) -> Iterator[RealWorld]:
    """Every world of vectors as they are, one draw."""
    yield miniclip(folder, seed)
    yield miniclip(folder, seed, "image")
    yield animals(folder, seed)
    yield animals(folder, seed, scored_names=True)
    for texts in (50, 100, 200):
        yield miniclip(folder, seed, texts=texts)
        yield animals(folder, seed, texts=texts)
    yield miniclip(folder, seed, texts=400)


def opened(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    """Arrays of a file by name; raises `IsthmusError` if it is absent or lacks one."""
    if not path.is_file():
        raise IsthmusError(f"{path}: no such file: give the folder that has it with --data")
    with np.load(path, allow_pickle=False) as data:
        missing = [name for name in names if name not in data.files]
        if missing:
            raise IsthmusError(f"{path}: lacks {', '.join(missing)}: add what is missing")
        return {name: data[name] for name in names}


def embedded(vectors: np.ndarray, modality: str, space: str, ids: np.ndarray) -> Embeddings:
    """Rows with numbers as ids."""
    return Embeddings.from_array(vectors, modality=modality, space=space, ids=[str(own) for own in ids])
