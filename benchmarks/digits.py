"""Handwriting and speech that were never paired: every method against the paired oracle, over seeds.

    python benchmarks/digits.py --images mnist_8k.npz --speech fsdd_8k.npz --split dev     # to choose
    python benchmarks/digits.py --images mnist_8k.npz --speech fsdd_8k.npz --split test    # to report, once

A seed trains its own two spaces (cached in ISTHMUS_HOME), draws its own memories, texts, pairs and galleries, and
seeds every method. Figures are R@1 in percent, the mean of both directions; ± is the standard deviation over seeds.
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
from isthmus.evaluate import by_cosine, by_csls, chain, evaluate_galleries, fit_oracle
from isthmus.worlds.digits.build import build
from isthmus.worlds.digits.recordings.handwriting_files import load_handwriting
from isthmus.worlds.digits.recordings.recordings import Recordings
from isthmus.worlds.digits.recordings.speech_files import load_speech
from isthmus.worlds.digits.spaces.recipe import Recipe
from isthmus.worlds.world import Sizes, World
from worlds.gap import with_gap
from worlds.seed_table import Figures, rates, seed_table

METHODS = ("procrustes", "ridge", "cca", "cmcr", "auto")
GALLERIES = ("seen", "unseen", "hard")
SPACE_SEEDS = 10
"""Distance between the spaces' seeds of consecutive benchmark seeds."""
ABLATED = CmcrConfig(pair_weights="equal")


def spaces_recipe(seed: int) -> Recipe:
    """The recipe of the package with other seeds."""
    plain = Recipe()
    image = replace(plain.image, seed=plain.image.seed + SPACE_SEEDS * seed)
    audio = replace(plain.audio, seed=plain.audio.seed + SPACE_SEEDS * seed)
    return replace(plain, image=image, audio=audio, split_seed=seed)


def compare(world: World, seed: int, say: Callable[[str], None]) -> dict[str, Figures]:
    """R@1 on every gallery for baselines, methods and the paired oracle."""
    found = {"chain": rates(evaluate_galleries(chain(world), world.galleries), GALLERIES)}
    prepared = prepare(world.left, world.right, world.overlap, seed)
    for name in METHODS:
        published = {"pair_weights": "equal"} if name in ("cmcr", "exmcr") else {}
        connector = connect_prepared(prepared, method_config(name, published))
        found[name] = rates(evaluate_galleries(by_cosine(connector.project), world.galleries), GALLERIES)
        found[f"{name} + CSLS"] = rates(evaluate_galleries(by_csls(connector.project), world.galleries), GALLERIES)
        say(f"seed {seed} {name} {found[name]}")
        if connector.report is not None and name == "auto":
            (band,) = connector.report.bands
            say(f"estimate {band.low:.2f} to {band.high:.2f}")
    oracle = fit_oracle(world, CmcrConfig(), seed=seed)
    found["oracle"] = rates(evaluate_galleries(by_cosine(oracle.project), world.galleries), GALLERIES)
    found["oracle + CSLS"] = rates(evaluate_galleries(by_csls(oracle.project), world.galleries), GALLERIES)
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


def main() -> None:
    """Run the seeds, print the tables, write the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=Path, required=True)
    options.add_argument("--speech", type=Path, required=True)
    options.add_argument("--split", choices=("dev", "test"), default="dev")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--ablate", action="store_true", help="ablate C-MCR instead of comparing methods")
    options.add_argument("--gap", type=float, default=0.0, help="distance between the modalities of each space")
    options.add_argument("--texts", type=int, default=Sizes().texts)
    options.add_argument("--train-only", action="store_true", help="only train and cache the spaces")
    options.add_argument("--out", type=Path, default=Path("digits.json"))
    given = options.parse_args()
    say = Console(stderr=True).print
    source = Recordings("real digits", load_handwriting(given.images), load_speech(given.speech))
    found = []
    for seed in given.seeds:
        digits = build(source, spaces_recipe(seed))
        if given.train_only:
            continue
        world = digits.world(given.split, Sizes(texts=given.texts), seed=seed)
        world = with_gap(world, given.gap) if given.gap else world
        found.append((ablate if given.ablate else compare)(world, seed, say))
    if found:
        print("\n".join(seed_table(found, GALLERIES)))
        if not given.ablate:
            for name in ("cmcr", "auto"):
                for gallery in GALLERIES:
                    shares = [seed[name][gallery] / seed["oracle"][gallery] for seed in found]
                    print(f"{name} / oracle, {gallery}: {np.mean(shares):.3f} (worst seed {min(shares):.3f})")
        given.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
