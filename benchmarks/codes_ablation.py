"""Which change to the paper's recipe makes codes shared? Each is removed from ours, and added to the literal recipe.

    python benchmarks/codes_ablation.py --images mnist_8k.npz --speech fsdd_8k.npz --out ablation.json

All runs train on the same true pairs, are scored on the dev split, and keep the best of three starts by their own
matching loss, so that only the change differs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.losses import code_matching
from isthmus.codes.learning.objective import COMMITMENT, Terms, balanced
from isthmus.codes.model.config import CodesConfig
from isthmus.demo.code_data import code_data
from isthmus.demo.digits import DigitsDemo
from isthmus.demo.literal import LITERAL, LITERAL_TERMS, floored_matching, pooled
from isthmus.evaluate.code_figures import code_figures
from isthmus.worlds.world import Sizes
from real_digits import real_digits


@dataclass(frozen=True)
class Recipe:
    """Options and objective of a run."""

    config: CodesConfig = field(default_factory=CodesConfig)
    terms: Terms = field(default_factory=Terms)

    def but(self, **changes: Any) -> Recipe:
        """The recipe with some fields of its config or of its terms changed."""
        of_terms = {name: changes.pop(name) for name in ("matching", "commitment", "pool") if name in changes}
        return Recipe(replace(self.config, **changes), replace(self.terms, **of_terms))


OURS, PRINTED = Recipe(), Recipe(LITERAL, LITERAL_TERMS)
WITHOUT: Mapping[str, Recipe] = {
    "ours": OURS,
    "no normalization": OURS.but(normalization="none"),
    "scale: squared norm 1": OURS.but(squared_norm=1.0),
    "scale: squared norm 16": OURS.but(squared_norm=16.0),
    "scale: squared norm 64, unit variance": OURS.but(squared_norm=64.0),
    "plain distance": OURS.but(distance="plain"),
    "floored logarithm": OURS.but(matching=floored_matching),
    "normal start": OURS.but(start="normal"),
    "no balance": OURS.but(pool=pooled),
    "no commitment": OURS.but(commitment=0.0),
    "α 0.1": OURS.but(matching_weight=0.1),
    "α 3": OURS.but(matching_weight=3.0),
    "α 10": OURS.but(matching_weight=10.0),
    "V 10": OURS.but(codes=10),
    "V 32": OURS.but(codes=32),
    "V 128": OURS.but(codes=128),
}
LADDER: Mapping[str, Mapping[str, Any]] = {
    "literal": {},
    "+ normalization": {"normalization": "batch", "squared_norm": 64.0},
    "+ scale 4": {"squared_norm": 4.0},
    "+ squared distance": {"distance": "squared"},
    "+ exact logarithm": {"matching": code_matching},
    "+ k-means start": {"start": "k-means"},
    "+ balance": {"pool": balanced},
    "+ commitment": {"commitment": COMMITMENT},
    "+ α 1": {"matching_weight": 1.0},
    "+ V 16 (ours)": {"codes": 16},
}
SHOWN = (
    "joint_use.seen", "joint_use_by_all.seen", "same_top_code.seen", "purity.image.seen", "purity.audio.seen",
    "transfer.image_to_audio.seen", "transfer.audio_to_image.seen", "pointing.text_to_image.seen",
    "pointing.text_to_audio.seen",
)  # fmt: skip


def ladder() -> dict[str, Recipe]:
    """The literal recipe, and what it becomes with one change after another."""
    recipe, found = PRINTED.but(restarts=OURS.config.restarts), {}
    for name, change in LADDER.items():
        recipe = recipe.but(**change)
        found[f"ladder: {name}"] = recipe
    return found


def main() -> None:
    given = real_digits(__doc__, "codes_ablation.json")
    found: list[dict[str, dict[str, float]]] = []
    for seed in range(given.seeds):
        digits = given.world_of(seed)
        world = digits.world("dev", Sizes(texts=4000, memory=4000, pairs=4000, gallery=500), seed=seed)
        known = code_data(DigitsDemo(digits), world)
        galleries = {"seen": known.galleries["seen"]}
        found.append({})
        for name, recipe in {**WITHOUT, **ladder()}.items():
            started = time.perf_counter()
            paired = known.paired
            model = fit_codes(paired.items, paired.sources, recipe.config, terms=recipe.terms, seed=seed, device="cpu")
            seconds = time.perf_counter() - started
            found[-1][name] = {**code_figures(model.token_codes, known.training, galleries), "seconds": seconds}
            shown = ", ".join(f"{key} {found[-1][name][key]:.3f}" for key in SHOWN)
            print(f"seed {seed} {name}: {shown}", flush=True)
            given.out.write_text(json.dumps(found, indent=1))
    for name in found[0]:
        cells = [[seed[name][key] for seed in found] for key in SHOWN]
        print(f"| {name} | " + " | ".join(f"{np.mean(own):.2f} ± {np.std(own):.2f}" for own in cells) + " |")


if __name__ == "__main__":
    main()
