"""The things world: every method against the paired oracle on five galleries, over draws of the world.

    python benchmarks/things.py --split dev                 # to choose
    python benchmarks/things.py --split test                # to report, once
    python benchmarks/things.py --split test --ablate       # the components of C-MCR
    python benchmarks/things.py --split test --memories     # memories that lack things, of one side or both

The two spaces are those of the package. A seed draws its own texts, memories, pairs and galleries, and seeds every
method. Figures are R@1 in percent, the mean of both directions; ± is the standard deviation over seeds. The band is
the report's estimate of MRR for the gallery's own queries and items, made without pairs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from isthmus.connectors.config import CmcrConfig, method_config
from isthmus.connectors.connect import connect_prepared, prepare
from isthmus.demo.methods import ABLATION
from isthmus.embeddings import Embeddings
from isthmus.evaluate import by_cosine, by_csls, chain, evaluate_galleries, fit_oracle
from isthmus.worlds.things.build import build
from isthmus.worlds.things.scenes import scenes_of
from isthmus.worlds.things.things import things
from isthmus.worlds.things.things_world import GALLERIES
from isthmus.worlds.world import Sizes, World
from worlds.seed_table import Figures, rates, seed_table

METHODS = ("procrustes", "ridge", "cca", "bridge", "cmcr", "auto")
ABLATED = CmcrConfig(pair_weights="equal")


def compare(world: World, seed: int, say: Callable[[str], None]) -> dict[str, Figures]:
    """R@1 on every gallery for baselines, methods and the paired oracle, and the report's bands."""
    found = {"chain": rates(evaluate_galleries(chain(world), world.galleries), GALLERIES)}
    prepared = prepare(world.left, world.right, world.overlap, seed)
    for name in METHODS:
        published = {"pair_weights": "equal"} if name == "cmcr" else {}
        connector = connect_prepared(prepared, method_config(name, published))
        figures = evaluate_galleries(by_cosine(connector.project), world.galleries)
        found[name] = rates(figures, GALLERIES)
        found[f"{name} + CSLS"] = rates(evaluate_galleries(by_csls(connector.project), world.galleries), GALLERIES)
        say(f"seed {seed} {name} {found[name]}")
        if name == "auto":
            say(f"seed {seed} report: {'; '.join(connector.report.lines()[:4]) if connector.report else 'none'}")
            say(f"seed {seed} true MRR: { {g: round(figures[f'{g}.mrr'], 1) for g in world.galleries} }")
    for name, config in (("oracle", CmcrConfig()), ("oracle cca", method_config("cca", {"source": "overlap"}))):
        oracle = fit_oracle(world, config, seed=seed)
        found[name] = rates(evaluate_galleries(by_cosine(oracle.project), world.galleries), GALLERIES)
        say(f"seed {seed} {name} {found[name]}")
    return found


def ablate(world: World, seed: int, say: Callable[[str], None]) -> dict[str, Figures]:
    """R@1 on every gallery with one component of C-MCR changed at a time, on the full schedule."""
    found = {}
    prepared = prepare(world.left, world.right, world.overlap, seed)
    for name, variant in ABLATION.items():
        config = replace(variant.setting, optimisation=ABLATED.optimisation)
        connector = connect_prepared(prepared, config)
        found[name] = rates(evaluate_galleries(by_cosine(connector.project), world.galleries), GALLERIES)
        say(f"seed {seed} {name} {found[name]}")
    return found


def memories(world: World, seed: int, say: Callable[[str], None]) -> dict[str, Figures]:
    """R@1 of ``auto`` where the memories do and do not cover what the galleries show."""
    found = {}
    half = np.random.default_rng(seed).permutation(len(things()))[: len(things()) // 2]
    for name, sides in {"both cover": (), "audio lacks half": ("audio",), "both lack half": ("image", "audio")}.items():
        left, right = (
            {modality: without(own, half) if modality in sides else own for modality, own in side.items()}
            for side in (world.left, world.right)
        )
        connector = connect_prepared(prepare(left, right, world.overlap, seed), method_config("auto", {}))
        found[name] = rates(evaluate_galleries(by_cosine(connector.project), world.galleries), GALLERIES)
        say(f"seed {seed} {name} {found[name]}")
    return found


def without(items: Embeddings, lacking: np.ndarray) -> Embeddings:
    """The items whose scenes show none of these things."""
    concepts = np.array([int(item.split(":")[0]) for item in items.ids])
    return items.take(np.flatnonzero(~np.isin(scenes_of(concepts).thing, lacking).any(1)))


def main() -> None:
    """Run the seeds, print the tables, write the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--split", choices=("dev", "test"), default="dev")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--ablate", action="store_true", help="ablate C-MCR instead of comparing methods")
    options.add_argument("--memories", action="store_true", help="take things out of the memories instead")
    options.add_argument("--texts", type=int, default=Sizes().texts)
    options.add_argument("--memory", type=int, default=Sizes().memory)
    options.add_argument("--out", type=Path, default=Path("things.json"))
    given = options.parse_args()
    say = Console(stderr=True, soft_wrap=True, highlight=False).print
    run = ablate if given.ablate else memories if given.memories else compare
    own = build()
    say(f"within the spaces, test, R@1 of 1000: {own.base_retrieval('test')}")
    sizes = Sizes(texts=given.texts, memory=given.memory, pairs=0 if run is not compare else given.memory)
    found = []
    for seed in given.seeds:
        found.append(run(own.world(given.split, sizes, seed=seed), seed, say))
        given.out.write_text(json.dumps(found, indent=1))
    print("\n".join(seed_table(found, GALLERIES)))
    if run is compare:
        for gallery in GALLERIES:
            shares = [seed["auto"][gallery] / seed["oracle"][gallery] for seed in found]
            print(f"auto / oracle, {gallery}: {np.mean(shares):.3f} (worst seed {min(shares):.3f})")


if __name__ == "__main__":
    main()
