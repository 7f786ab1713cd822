"""The bank of synthetic worlds: how good `auto` is beside the best closed form of each world.

    python benchmarks/bank.py --seeds 0 1

Ratios are true mean reciprocal ranks divided by that of the world's best single candidate of `worlds/pool.py`, chosen
by the truth. `auto` has no coefficients fitted to the bank; its trained member is left out. `trust.py` judges the
estimates in the same worlds.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.choosing.auto import six
from isthmus.connectors.connect import hold_out
from isthmus.connectors.member import recentred
from isthmus.connectors.overlap.materials import assemble
from isthmus.connectors.pseudo.centred import centred_materials
from worlds.bank import BankWorld, bank
from worlds.pool import CENTRINGS, candidates, fit_candidates


@dataclass(frozen=True)
class Ratio:
    """A world's best single candidate, and ratios to it: of every single candidate, and of the blend of six."""

    world: str
    family: str
    best: float
    best_candidate: str
    auto: float
    singles: list[float]


def mrr(scores: Tensor, relevant: Tensor) -> float:
    """Mean reciprocal rank of the first relevant item, both directions."""
    return (one_way(scores, relevant) + one_way(scores.T, relevant.T)) / 2


def one_way(scores: Tensor, relevant: Tensor) -> float:
    """`mrr` of the rows as queries; rows without a relevant item are left out."""
    asked = relevant.any(1)
    scores, relevant = scores[asked], relevant[asked]
    best = scores.masked_fill(~relevant, -torch.inf).amax(1, keepdim=True)
    above = ((scores >= best) & ~relevant).sum(1).double()
    return (1 / (1 + above)).mean().item()


def judge(drawn: BankWorld, seed: int) -> Ratio:
    """Fit the pool and the six members without the held-out rows, and score them by the truth."""
    world = drawn.world
    materials = assemble(world.left, world.right, world.overlap)
    rows = len(materials.left.overlap)
    fitted, _ = hold_out(rows, seed)
    views = {centring: centred_materials(materials, centring, torch.arange(rows)) for centring in CENTRINGS}
    pool, members = candidates(), six(len(fitted))
    relevant = [torch.from_numpy(gallery.relevant()) for gallery in world.galleries.values()]

    def cosines(centring, maps) -> list[Tensor]:
        left, right = views[centring].centres
        return [
            _projected(g.left, left, maps[0]) @ _projected(g.right, right, maps[1]).T for g in world.galleries.values()
        ]

    def truth(found: list[Tensor]) -> float:
        return float(np.mean([mrr(*each) for each in zip(found, relevant, strict=True)]))

    every = [*pool, *members]
    fits = [cosines(own.centring, maps) for own, maps in zip(every, fit_candidates(every, views, fitted), strict=True)]
    singles = [truth(own) for own in fits[: len(pool)]]
    blended = [sum(each) / len(members) for each in zip(*fits[len(pool) :], strict=True)]
    best = int(np.argmax(singles))
    return Ratio(
        world=world.name,
        family=drawn.family,
        best=singles[best],
        best_candidate=str(pool[best]),
        auto=truth(blended) / singles[best],
        singles=[own / singles[best] for own in singles],
    )


def _projected(items, centres, weights) -> Tensor:
    rows = recentred(torch.from_numpy(items.vectors), centres[items.modality])
    return functional.normalize(rows @ weights, dim=-1)


def summary(found: list[Ratio]) -> dict:
    """The figures of docs/benchmarks.md."""
    shares = np.array([own.singles for own in found])
    fixed = int(shares.mean(0).argmax())
    figures = {
        "auto_mean": np.mean([own.auto for own in found]),
        "auto_worst": min(own.auto for own in found),
        "fixed_mean": shares[:, fixed].mean(),
        "fixed_worst": shares[:, fixed].min(),
    }
    rounded = {name: round(float(value), 4) for name, value in figures.items()}
    return {"worlds": len(found), "best_fixed_setting": str(candidates()[fixed]), **rounded}


def main() -> None:
    """Judge the bank, print and write the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="draws of every world")
    options.add_argument("--out", type=Path, default=Path("bank.json"))
    given = options.parse_args()
    drawn = [(seed, world) for seed in given.seeds for world in bank(seed)]
    found = [judge(world, seed) for seed, world in track(drawn, description="fitting the pool in every world")]
    for own in found:
        print(f"{own.family:16} {own.world:28} best {own.best:.3f} ({own.best_candidate})  auto {own.auto:.3f}")
    print(json.dumps(summary(found), indent=1))
    given.out.write_text(json.dumps({"summary": summary(found), "worlds": [vars(own) for own in found]}, indent=1))


if __name__ == "__main__":
    main()
