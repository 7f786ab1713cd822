"""Scores of unrelated items: do cut-offs keep their false-positive rates, and does their order help mixed galleries?

    python benchmarks/scores.py --data ../shared/data/real

Rates: of all pairs of unseen items that are not counterparts, the share above the cut-off for 1 % and .1 %, divided by
that rate; 1 is right. The cut-offs come from the connector's own memories. "mixed" is R@1 in a gallery of two
modalities of the other space, with one counterpart for each query, ordered by cosine and by percentile.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import isthmus
from isthmus.embeddings import Embeddings
from worlds.bank import RECIPES, bank_world
from worlds.real import animals, miniclip
from worlds.real_world import Sides

RATES = (0.01, 0.001)
HELD_TEXTS = 300
METHODS: Mapping[str, dict[str, object]] = {
    "auto": {"method": "auto", "trained_share": 0.0},
    "procrustes": {"method": "procrustes", "centring": "none"},
    "cmcr, not centred": {"method": "cmcr", "centring": "none", "optimisation": {"epochs": 6, "min_steps": 300}},
}


@dataclass(frozen=True)
class Asked:
    """A world with unseen items whose truth is known.

    ``relevant`` are counterparts of left (rows) and right items (columns). ``mixed`` has queries, and galleries by
    name; equal ids are counterparts.
    """

    name: str
    sides: Sides
    left: Embeddings
    right: Embeddings
    relevant: np.ndarray
    mixed: tuple[list[Embeddings], dict[str, Embeddings]] | None = None


def named(rows: Embeddings, prefix: str) -> Embeddings:
    """The rows with a prefix to their ids."""
    ids = [f"{prefix}{name}" for name in rows.ids]
    return Embeddings.from_array(rows.vectors, modality=rows.modality, space=rows.space, ids=ids)


def synthetic(name: str, seed: int) -> Asked:
    """A world of the bank; a part of its texts is held back, to be searched along with the items."""
    world = bank_world(name, seed).world
    gallery, count = world.galleries["test"], len(world.left["text"])
    order = np.random.default_rng(seed).permutation(count)
    held, kept = order[: min(HELD_TEXTS, count // 4)], np.sort(order[min(HELD_TEXTS, count // 4) :])
    sides = tuple({**side, "text": side["text"].take(kept)} for side in (world.left, world.right))
    texts = [named(side["text"].take(held), "text ") for side in (world.left, world.right)]
    mixed = None
    if (gallery.relevant() == np.eye(len(gallery.left), dtype=bool)).all():
        mixed = [texts[0], gallery.left], {"text": texts[1], "item": gallery.right}
    return Asked(name, (sides[0], sides[1]), gallery.left, gallery.right, gallery.relevant(), mixed)


def real(folder: Path, seed: int) -> Iterator[Asked]:
    """MiniClip by captions, mixed with captions of half the pictures; animals without the scored names."""
    world = miniclip(folder, seed)
    data = np.load(folder / "miniclip.npz")
    test = np.array(world.left.ids, dtype=int)
    half = len(test) // 2

    def rows(modality: str, space: str, which: np.ndarray) -> Embeddings:
        return Embeddings.from_array(data[f"{modality}_{space}"][which], modality=modality, space=space, ids=which)

    # The two memories are of the same pictures: without ids in common, as a user's would be.
    sides = tuple({**side, "image": named(side["image"], space)} for side, space in zip(world.sides, "ab", strict=True))
    queries = [rows(modality, "a", test) for modality in ("text", "image")]
    galleries = {"pictures": rows("image", "b", test[:half]), "captions": rows("text", "b", test[half:])}
    yield Asked(world.name, (sides[0], sides[1]), world.left, world.right, world.relevant, (queries, galleries))
    galleries = {"pictures": rows("image", "b", test[:half]), "own captions": rows("text", "a", test[half:])}
    mixed = ([rows("image", "a", test)], galleries)
    yield Asked(
        "miniclip, captions of the queries' space", (sides[0], sides[1]), world.left, world.right, world.relevant, mixed
    )
    world = animals(folder, seed)
    yield Asked(world.name, world.sides, world.left, world.right, world.relevant)


def rates(connector: isthmus.Connector, asked: Asked) -> dict[str, float]:
    """The true false-positive rate of each cut-off, divided by the stated one."""
    left, right = connector.project(asked.left), connector.project(asked.right)
    pair = (connector.scores.name_of(left), connector.scores.name_of(right))
    unrelated = (left.vectors @ right.vectors.T)[~asked.relevant]
    return {f"{rate:g}": float((unrelated >= connector.scores.cutoff(rate, pair)).mean()) / rate for rate in RATES}


def mixed_r1(connector: isthmus.Connector, asked: Asked) -> dict[str, float]:
    """The share of queries whose best hit is their counterpart, by cosine and by percentile."""
    if asked.mixed is None:
        return {}
    queries, galleries = asked.mixed
    parts = {name: connector.project(own) for name, own in galleries.items()}
    index = isthmus.MixedIndex(parts, scores=connector.scores)
    found = defaultdict(list)
    for own in map(connector.project, queries):
        cosines = np.concatenate([own.vectors @ part.vectors.T for part in parts.values()], axis=1)
        ids = np.concatenate([part.ids for part in parts.values()])
        found["cosine"] += list(ids[cosines.argmax(1)] == np.array(own.ids))
        found["percentile"] += list(index.search(own, k=1).ids[:, 0] == np.array(own.ids))
    return {name: 100 * float(np.mean(right)) for name, right in found.items()}


def shown(figures: Mapping[str, float]) -> str:
    """Figures with their names."""
    return "  ".join(f"{name} {figure:6.2f}" for name, figure in figures.items())


def main() -> None:
    """Print a line for each world and method: means over draws."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument(
        "--data", type=Path, help="folder with miniclip.npz and animals.npz; without it no real worlds"
    )
    options.add_argument("--draws", type=int, default=5)
    options.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    options.add_argument("--worlds", nargs="*", default=[next(iter(family)) for family in RECIPES.values()])
    given = options.parse_args()
    warnings.simplefilter("ignore")
    rows: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for seed in range(given.draws):
        worlds = [synthetic(name, seed) for name in given.worlds] + (list(real(given.data, seed)) if given.data else [])
        for asked in worlds:
            for name in given.methods:
                connector = isthmus.connect(*asked.sides, seed=seed, **METHODS[name])
                found = rates(connector, asked) | mixed_r1(connector, asked)
                rows[asked.name, name].append(found)
                print(f"{asked.name:42} {name:18} {seed}  " + shown(found), flush=True)
    print("means over draws")
    for (world, method), draws in rows.items():
        means = {key: np.mean([draw[key] for draw in draws]) for key in draws[0]}
        print(f"{world:42} {method:18} " + shown(means))


if __name__ == "__main__":
    main()
