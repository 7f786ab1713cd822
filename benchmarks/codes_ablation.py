"""Which fix makes codes shared? Each is taken out of ours alone, and added to the literal recipe one after another.

    python benchmarks/codes_ablation.py --images mnist_8k.npz --speech fsdd_8k.npz --out ablation.json

All runs learn from the same true pairs, are judged on the dev split, and keep the best of three starts by their own
matching loss, so that nothing but the change differs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.model.config import LITERAL, CodesConfig
from isthmus.demo.lessons import lessons
from isthmus.evaluate.code_figures import code_figures
from isthmus.worlds.digits.digits_world import Sizes
from real_digits import real_digits

OURS = CodesConfig()
WITHOUT: Mapping[str, CodesConfig] = {
    "ours": OURS,
    "no normalisation": replace(OURS, normalisation="none"),
    "scale: squared norm 1": replace(OURS, squared_norm=1.0),
    "scale: squared norm 16": replace(OURS, squared_norm=16.0),
    "scale: squared norm 64, unit variance": replace(OURS, squared_norm=64.0),
    "plain distance": replace(OURS, distance="plain"),
    "floored logarithm": replace(OURS, logarithm="floored"),
    "normal start": replace(OURS, start="normal"),
    "no balance": replace(OURS, balance="pooled"),
    "no commitment": replace(OURS, commitment=0.0),
    "α 0.1": replace(OURS, matching_weight=0.1),
    "α 3": replace(OURS, matching_weight=3.0),
    "α 10": replace(OURS, matching_weight=10.0),
    "V 10": replace(OURS, codes=10),
    "V 32": replace(OURS, codes=32),
    "V 128": replace(OURS, codes=128),
}
LADDER: Mapping[str, Mapping[str, object]] = {
    "literal": {},
    "+ normalisation": {"normalisation": "batch", "squared_norm": 64.0},
    "+ scale 4": {"squared_norm": 4.0},
    "+ squared distance": {"distance": "squared"},
    "+ exact logarithm": {"logarithm": "exact"},
    "+ k-means start": {"start": "k-means"},
    "+ balance": {"balance": "equal"},
    "+ commitment": {"commitment": 0.25},
    "+ α 1": {"matching_weight": 1.0},
    "+ V 16 (ours)": {"codes": 16},
}
SHOWN = (
    "joint_use.seen", "joint_use_by_all.seen", "same_top_code.seen", "purity.image.seen", "purity.audio.seen",
    "transfer.image_to_audio.seen", "transfer.audio_to_image.seen", "pointing.text_to_image.seen",
    "pointing.text_to_audio.seen",
)  # fmt: skip


def ladder() -> dict[str, CodesConfig]:
    """The literal recipe and what it becomes with one fix after another."""
    config, found = replace(LITERAL, restarts=OURS.restarts), {}
    for name, change in LADDER.items():
        config = replace(config, **change)  # type: ignore[arg-type]
        found[f"ladder: {name}"] = config
    return found


def main() -> None:
    given = real_digits(__doc__, "codes_ablation.json")
    found: list[dict[str, dict[str, float]]] = []
    for seed in range(given.seeds):
        digits = given.world_of(seed)
        world = digits.world("dev", Sizes(texts=4000, memory=4000, pairs=4000, gallery=500), seed=seed)
        learned = lessons(digits, world)
        asked = {"seen": learned.asked["seen"]}
        found.append({})
        for name, config in {**WITHOUT, **ladder()}.items():
            started = time.perf_counter()
            paired = learned.paired
            model = fit_codes(paired.items, paired.sources, config, seed=seed, device="cpu")
            seconds = time.perf_counter() - started
            found[-1][name] = {**code_figures(model.token_codes, learned.taught, asked), "seconds": seconds}
            shown = ", ".join(f"{key} {found[-1][name][key]:.3f}" for key in SHOWN)
            print(f"seed {seed} {name}: {shown}", flush=True)
            given.out.write_text(json.dumps(found, indent=1))
    for name in found[0]:
        cells = [[seed[name][key] for seed in found] for key in SHOWN]
        print(f"| {name} | " + " | ".join(f"{np.mean(own):.2f} ± {np.std(own):.2f}" for own in cells) + " |")


if __name__ == "__main__":
    main()
