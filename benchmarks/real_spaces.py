"""Connectors on vectors of real encoders: `auto` and every method against the best closed form and a paired oracle.

    python benchmarks/real_spaces.py --data ../shared/data/real
    python benchmarks/real_spaces.py --data ../shared/data/real --draws 5 --methods auto cca

Figures in brackets are ratios to the best of the pool's 108 closed forms in that world, which is chosen by the truth
(`worlds/pool.py`). The oracle is `cca` on true pairs. "estimate" is the
report's band of the MRR among 200 beside the truth, where each item has one counterpart.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

import isthmus
from isthmus.connectors.connector import Connector
from isthmus.connectors.methods.linear import linear_member
from isthmus.connectors.overlap.materials import assemble
from isthmus.connectors.pseudo.centred import centred_materials
from worlds.pool import CENTRINGS, candidates, fit_candidates
from worlds.real import real_worlds
from worlds.real_world import RealWorld

METHODS = {
    "auto": ("auto", {}),
    "cca": ("cca", {}),
    "cmcr": ("cmcr", {}),
    "cmcr, equal": ("cmcr", {"pair_weights": "equal"}),
    "exmcr": ("exmcr", {}),
    "exmcr, equal": ("exmcr", {"pair_weights": "equal"}),
}


def cosines(connector: Connector, world: RealWorld) -> np.ndarray:
    return connector.project(world.left).vectors @ connector.project(world.right).vectors.T


def best_single(world: RealWorld, overlap: str) -> float:
    """The score of the pool's best closed form, fitted to all overlap rows."""
    materials = assemble(*world.sides, overlap)
    rows = torch.arange(len(materials.left.overlap))
    views = {centring: centred_materials(materials, centring, rows) for centring in CENTRINGS}
    pool, found = candidates(), []
    for candidate, maps in zip(pool, fit_candidates(pool, views, rows), strict=True):
        member = linear_member(candidate, maps, views[candidate.centring].centres)
        items = ((member.left, world.left), (member.right, world.right))
        left, right = (head.project(torch.from_numpy(own.vectors), own.modality) for head, own in items)
        found.append(world.score((left @ right.T).numpy()))
    return max(found)


def measured(world: RealWorld, methods: list[str], seed: int) -> dict[str, float]:
    """Scores by method, of the best single closed form and of the oracle; seconds of `auto`."""
    overlap = next(iter(world.sides[0]))
    found = {"best": best_single(world, overlap)}
    for name in methods:
        method, options = METHODS[name]
        started = time.perf_counter()
        connector = isthmus.connect(*world.sides, overlap=overlap, method=method, seed=seed, device="cpu", **options)
        found[f"{name} seconds"] = time.perf_counter() - started
        found[name] = world.score(cosines(connector, world))
        if name == "auto" and connector.report is not None:
            found["truth"] = world.mrr200(cosines(connector, world))
            for band in connector.report.bands:
                found |= {"low": band.low, "middle": band.middle, "high": band.high}
    if world.pairs is not None:
        left, right = world.pairs
        paired = isthmus.Embeddings.from_array(right.vectors, modality=left.modality, space=right.space, ids=left.ids)
        oracle = isthmus.connect({left.modality: left}, {left.modality: paired}, overlap=left.modality, method="cca")
        found["oracle"] = world.score(cosines(oracle, world))
    return found


def main() -> None:
    """Print a line for each world and draw, then the means."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="folder with miniclip.npz and animals.npz")
    options.add_argument("--draws", type=int, default=5)
    options.add_argument("--methods", nargs="+", choices=METHODS, default=["auto", "cca", "cmcr", "cmcr, equal"])
    options.add_argument("--only", default="", help="worlds whose name contains this")
    options.add_argument("--out", type=Path, help="write the figures here as JSON")
    given = options.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for seed in range(given.draws):
        for world in real_worlds(given.data, seed):
            if given.only not in world.name:
                continue
            found = measured(world, given.methods, seed)
            rows.append({"world": world.name, "seed": seed, **found})
            shares = "  ".join(
                f"{name} {found[name]:.1f} ({found[name] / found['best']:.3f})" for name in given.methods
            )
            print(f"{world.name:38} {seed}  best {found['best']:.1f}  {shares}", flush=True)
    by_world = defaultdict(list)
    for row in rows:
        by_world[row["world"]].append(row)
    for name, draws in by_world.items():
        means = {
            key: statistics.fmean(row.get(key, float("nan")) for row in draws)
            for key in draws[0]
            if key not in ("world", "seed")
        }
        print(f"{name:38} " + "  ".join(f"{key} {value:.2f}" for key, value in means.items()))
    for name in given.methods:
        ratios = [row[name] / row["best"] for row in rows]
        print(f"{name:14} ratio to the best closed form: mean {statistics.fmean(ratios):.3f}, worst {min(ratios):.3f}")
    if given.out:
        given.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
