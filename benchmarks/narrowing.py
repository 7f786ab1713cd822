"""What narrowing costs a blend: MRR of `auto` (closed forms) in worlds of the bank, by the joint dimension.

    python benchmarks/narrowing.py

A world's two spaces have at most ``d`` dimensions; the six members together have six times as many. Loss: share of the
squared length of rows that lies outside the directions.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from isthmus.connectors.choosing.criteria import counterpart_mrr
from torch.nn import functional

from isthmus.connectors.config import AutoConfig
from isthmus.connectors.connect import connect_prepared, prepare
from isthmus.connectors.member import blend_projection
from isthmus.connectors.narrowing import narrowed
from worlds.bank import RECIPES, bank_world

SHARES = (0.5, 1.0, 1.5)
"""Of the larger space's dimension; 1 is the default."""


def measured(name: str, seed: int) -> dict[str, float]:
    """MRR without narrowing, and MRR and loss for each dimension."""
    world = bank_world(name, seed).world
    prepared = prepare(world.left, world.right, world.overlap, seed)
    connector = connect_prepared(prepared, AutoConfig(trained_share=0.0))
    gallery = world.galleries["test"]
    project = blend_projection(connector.members, connector.weights)
    pairs = [
        project(torch.from_numpy(np.ascontiguousarray(rows.vectors)), side, rows.modality)
        for side, rows in enumerate((gallery.left, gallery.right))
    ]
    assert np.array_equal(gallery.left_concepts, gallery.right_concepts)
    found = {"wide": counterpart_mrr(*pairs)}
    for share in SHARES:
        most = round(share * max(prepared.materials.left.overlap.dim, prepared.materials.right.overlap.dim))
        narrow = narrowed(connector.members, connector.weights, prepared.materials, most)
        assert narrow is not None
        own = [functional.normalize(rows @ narrow.basis, dim=-1) for rows in pairs]
        found |= {f"mrr {share:g}": counterpart_mrr(*own), f"lost {share:g}": narrow.lost}
    return found


def main() -> None:
    """Print a line for each world, and the means."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--families", nargs="+", default=list(RECIPES), choices=RECIPES)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    every = []
    for family in given.families:
        for name in RECIPES[family]:
            every.append(found := measured(name, given.seed))
            print(f"{name:28s}", "  ".join(f"{key} {value:.3f}" for key, value in found.items()), flush=True)
    print(f"{'mean':28s}", "  ".join(f"{key} {np.mean([own[key] for own in every]):.4f}" for key in every[0]))


if __name__ == "__main__":
    main()
